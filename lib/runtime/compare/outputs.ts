// Compares what a cell put out at two times: text by its words and numbers, figures by their data.

import { PROVENANCE_MIME } from "../manifest.ts";
import type { MimeBundle, Output } from "../notebook.ts";
import { isNote } from "../outputs.ts";
import { plainText } from "../report/terminal.ts";

/** How near numbers must be to count as the same. */
export interface OutputTolerance {
  /** Relative to the larger of two numbers, in arrays to the largest; 0 asks for the same text. */
  relative: number;
}

const FIGURE = "application/vnd.plotly.v1+json";
/** Longest excerpt in a sentence. */
const MAX_EXCERPT = 60;

/**
 * Compares a cell's outputs.
 *
 * Provenance and result numbers do not count, and colours of terminals neither. Of a figure that has
 * its data beside it, the data are compared and its drawings are not.
 *
 * @param before The outputs that there were.
 * @param after The outputs that there are.
 * @param tolerance How near numbers must be.
 * @returns A phrase that says what differs first; undefined where they are the same.
 */
export function compareOutputs(
  before: readonly Output[],
  after: readonly Output[],
  tolerance: OutputTolerance,
): string | undefined {
  const [olds, news] = [shownOutputs(before), shownOutputs(after)];
  for (let i = 0; i < Math.max(olds.length, news.length); i++) {
    const [old, now] = [olds[i], news[i]];
    const which = Math.max(olds.length, news.length) > 1 ? `output ${i + 1}: ` : "";
    if (old === undefined) return `${which}${describe(now)} that was not there before`;
    if (now === undefined) return `${which}${describe(old)} is missing`;
    const difference = compareOne(old, now, tolerance);
    if (difference !== undefined) return which + difference;
  }
}

function compareOne(old: Output, now: Output, tolerance: OutputTolerance): string | undefined {
  if (old.output_type === "error" && now.output_type === "error") {
    const [was, is] = [`${old.ename}: ${old.evalue}`, `${now.ename}: ${now.evalue}`];
    return compareText(was, is, tolerance);
  }
  if (old.output_type === "stream" && now.output_type === "stream" && old.name === now.name) {
    return compareText(finalText(old.text), finalText(now.text), tolerance);
  }
  if ("data" in old && "data" in now) return compareBundles(old.data, now.data, tolerance);
  return `${describe(now)} instead of ${describe(old)}`;
}

function compareBundles(
  old: MimeBundle,
  now: MimeBundle,
  tolerance: OutputTolerance,
): string | undefined {
  const types = FIGURE in old && FIGURE in now
    ? [FIGURE]
    : [...new Set([...Object.keys(old), ...Object.keys(now)])].sort();
  for (const type of types) {
    const [was, is] = [old[type], now[type]];
    if (was === undefined || is === undefined) {
      return `${type} ${was === undefined ? "that was not there before" : "is missing"}`;
    }
    if (typeof was === "string" && typeof is === "string") {
      if (/^image\/(?!svg)/.test(type)) {
        if (was.replace(/\s/g, "") !== is.replace(/\s/g, "")) return `another picture (${type})`;
        continue;
      }
      const difference = compareText(was, is, tolerance);
      if (difference !== undefined) return difference;
      continue;
    }
    const path = compareJson(was, is, tolerance, "");
    if (path !== undefined) {
      return `${type === FIGURE ? "the figure's" : `${type},`} ${path}`;
    }
  }
}

const TOKENS = /[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|[^\d.+-]+|[.+-]/g;

function compareText(
  old: string,
  now: string,
  { relative }: OutputTolerance,
): string | undefined {
  const [was, is] = [plainText(old).trimEnd(), plainText(now).trimEnd()];
  if (was === is) return undefined;
  if (relative > 0) {
    const [a, b] = [was.match(TOKENS) ?? [], is.match(TOKENS) ?? []];
    if (a.length === b.length && a.every((token, i) => isNear(token, b[i], relative))) return;
  }
  const [oldLines, newLines] = [was.split("\n"), is.split("\n")];
  const at = oldLines.findIndex((line, i) => line !== newLines[i]);
  const line = at < 0 ? oldLines.length : at;
  return `${quote(newLines[line])} instead of ${quote(oldLines[line])}`;
}

function isNear(old: string, now: string, relative: number): boolean {
  if (old === now) return true;
  const [a, b] = [Number(old), Number(now)];
  if (Number.isNaN(a) || Number.isNaN(b)) return false;
  return Math.abs(a - b) <= relative * Math.max(Math.abs(a), Math.abs(b));
}

/** The path of the first difference; undefined where there is none. */
function compareJson(
  old: unknown,
  now: unknown,
  tolerance: OutputTolerance,
  path: string,
  scale = 0,
): string | undefined {
  if (Object.is(old, now)) return undefined;
  if (typeof old === "number" && typeof now === "number") {
    const bound = tolerance.relative * Math.max(Math.abs(old), Math.abs(now), scale);
    return Math.abs(old - now) <= bound
      ? undefined
      : `${path || "value"}: ${now} instead of ${old}`;
  }
  if (typeof old === "string" && typeof now === "string") {
    const difference = compareText(old, now, tolerance);
    return difference && `${path || "value"}: ${difference}`;
  }
  if (Array.isArray(old) && Array.isArray(now)) {
    if (old.length !== now.length) {
      return `${path || "value"}: ${now.length} items instead of ${old.length}`;
    }
    // A curve's points are near or not by the curve's size.
    const size = old.reduce(
      (max, item) => typeof item === "number" ? Math.max(max, Math.abs(item)) : max,
      0,
    );
    for (let i = 0; i < old.length; i++) {
      const found = compareJson(old[i], now[i], tolerance, `${path}[${i}]`, size);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  if (isRecord(old) && isRecord(now)) {
    for (const key of new Set([...Object.keys(old), ...Object.keys(now)])) {
      const found = compareJson(
        old[key],
        now[key],
        tolerance,
        path === "" ? key : `${path}.${key}`,
      );
      if (found !== undefined) return found;
    }
    return undefined;
  }
  return `${path || "value"}: ${quote(JSON.stringify(now))} instead of ${
    quote(JSON.stringify(old))
  }`;
}

/** Outputs that a reader sees, neighbouring text of one stream joined. */
function shownOutputs(outputs: readonly Output[]): Output[] {
  const shown: Output[] = [];
  for (const output of outputs) {
    if (isNote(output) || ("data" in output && PROVENANCE_MIME in output.data)) continue;
    const last = shown.at(-1);
    if (output.output_type === "stream") {
      if (output.text === "") continue;
      if (last?.output_type === "stream" && last.name === output.name) {
        shown[shown.length - 1] = { ...last, text: last.text + output.text };
        continue;
      }
    }
    shown.push(output);
  }
  return shown;
}

/** Text as it stands in the end: a progress bar's last state. */
function finalText(text: string): string {
  return text.replace(/\r+\n/g, "\n").split("\n")
    .map((line) => line.split("\r").findLast((part) => part !== "") ?? "").join("\n");
}

function describe(output: Output): string {
  switch (output.output_type) {
    case "stream":
      return `text on ${output.name} (${quote(output.text.trim().split("\n")[0])})`;
    case "error":
      return `an error (${quote(`${output.ename}: ${output.evalue}`)})`;
    default: {
      const plain = output.data["text/plain"];
      if (FIGURE in output.data) return "a figure";
      return typeof plain === "string" ? quote(plain.split("\n")[0]) : "a display";
    }
  }
}

function quote(text: string | undefined): string {
  if (text === undefined) return "nothing";
  const clipped = text.length > MAX_EXCERPT ? `${text.slice(0, MAX_EXCERPT)}…` : text;
  return `"${plainText(clipped)}"`;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
