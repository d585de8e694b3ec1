// Compares a cell's outputs of two runs. Everything that a reader sees counts, and everything else
// in the notebook. A tolerance applies to numbers only, not to words, tags and pictures.

import { PROVENANCE_MIME } from "../manifest.ts";
import type { CodeCell, MimeBundle, Output } from "../notebook.ts";
import { plainText } from "../report/terminal.ts";
import { compareMarkup } from "./markup.ts";
import type { OutputTolerance } from "./tolerance.ts";
import { compareText } from "./text.ts";

const FIGURE = "application/vnd.plotly.v1+json";
/** How small a point of a figure is that may differ by its own size, relative to the tolerance and the largest. */
const POINTS = 1e-3;
/** Longest excerpt in a sentence. */
const MAX_EXCERPT = 60;

/**
 * Compares a cell's outputs.
 *
 * Records for the manifest are compared with the manifest, and do not count here. Neighbouring text of
 * one stream is one text.
 *
 * @param before The outputs that there were.
 * @param after The outputs that there are.
 * @param tolerance How near numbers must be.
 * @returns A phrase with the first difference; undefined if they are the same.
 */
export function compareOutputs(
  before: readonly Output[],
  after: readonly Output[],
  tolerance: OutputTolerance,
): string | undefined {
  const [olds, news] = [joinedOutputs(before), joinedOutputs(after)];
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
    const message = ({ ename, evalue }: typeof old) => `${ename}: ${evalue}`;
    const trace = ({ traceback }: typeof old) => traceback.join("\n");
    return compareShown(message(old), message(now), tolerance) ??
      compareShown(trace(old), trace(now), tolerance);
  }
  if (old.output_type === "stream" && now.output_type === "stream" && old.name === now.name) {
    return compareShown(old.text, now.text, tolerance);
  }
  if ("data" in old && "data" in now && old.output_type === now.output_type) {
    return compareBundles(old.data, now.data, tolerance) ?? compareCounts(old, now, tolerance) ??
      inMetadata(compareJson(old.metadata, now.metadata, tolerance, ""));
  }
  return `${describe(now)} instead of ${describe(old)}`;
}

/** The numbers in front of cells or results, where the same is asked for in every character. */
export function compareCounts(
  old: CodeCell | Output,
  now: CodeCell | Output,
  { relative }: OutputTolerance,
): string | undefined {
  const count = (one: CodeCell | Output) =>
    ("execution_count" in one ? one.execution_count : null) ?? "none";
  const [was, is] = [count(old), count(now)];
  return relative === 0 && was !== is ? `number ${is} instead of ${was}` : undefined;
}

const inMetadata = (path: string | undefined) => path && `the output's metadata, ${path}`;

function compareBundles(
  old: MimeBundle,
  now: MimeBundle,
  tolerance: OutputTolerance,
): string | undefined {
  for (const type of [...new Set([...Object.keys(old), ...Object.keys(now)])].sort()) {
    const [was, is] = [old[type], now[type]];
    if (was === undefined || is === undefined) {
      return `${type} ${was === undefined ? "that was not there before" : "is missing"}`;
    }
    if (typeof was === "string" && typeof is === "string") {
      if (/^image\/(?!svg)|^application\/pdf$/.test(type)) {
        if (was.replace(/\s/g, "") !== is.replace(/\s/g, "")) return `another picture (${type})`;
        continue;
      }
      const compare = /^(?:text\/html|image\/svg\+xml)$/.test(type) ? compareMarkup : compareShown;
      const difference = compare(was, is, tolerance);
      if (difference !== undefined) return difference;
      continue;
    }
    const drawn = type === FIGURE;
    const path = compareJson(was, is, tolerance, "", drawn ? POINTS : 0) ??
      // Elsewhere the text of the object is shown.
      (drawn ? undefined : compareOrder(was, is, ""));
    if (path !== undefined) {
      return `${type === FIGURE ? "the figure's" : `${type},`} ${path}`;
    }
  }
}

/** Compares text as a terminal gets it. */
function compareShown(
  old: string,
  now: string,
  { relative }: OutputTolerance,
): string | undefined {
  return compareText(old, now, relative);
}

/**
 * The path of the first difference; undefined if there is none.
 *
 * @param points How near numbers of an array must be, relative to the largest besides.
 */
function compareJson(
  old: unknown,
  now: unknown,
  tolerance: OutputTolerance,
  path: string,
  points = 0,
  scale = 0,
): string | undefined {
  if (Object.is(old, now)) return undefined;
  if (typeof old === "number" && typeof now === "number") {
    const finite = Number.isFinite(old) && Number.isFinite(now);
    const { relative } = tolerance;
    const bound = relative * Math.max(Math.abs(old), Math.abs(now), points * scale);
    return finite && Math.abs(old - now) <= bound
      ? undefined
      : `${path || "value"}: ${now} instead of ${old}`;
  }
  if (typeof old === "string" && typeof now === "string") {
    const difference = compareText(old, now, tolerance.relative);
    return difference && `${path || "value"}: ${difference}`;
  }
  if (Array.isArray(old) && Array.isArray(now)) {
    if (old.length !== now.length) {
      return `${path || "value"}: ${now.length} items instead of ${old.length}`;
    }
    // What is next to nothing beside a curve's other points may be any next to nothing.
    const size = old.reduce(
      (max, item) => Number.isFinite(item) ? Math.max(max, Math.abs(item)) : max,
      0,
    );
    for (let i = 0; i < old.length; i++) {
      const found = compareJson(old[i], now[i], tolerance, `${path}[${i}]`, points, size);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  if (isRecord(old) && isRecord(now)) {
    for (const key of new Set([...Object.keys(old), ...Object.keys(now)])) {
      const inner = path === "" ? key : `${path}.${key}`;
      const found = compareJson(old[key], now[key], tolerance, inner, points);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  return `${path || "value"}: ${quote(JSON.stringify(now))} instead of ${
    quote(JSON.stringify(old))
  }`;
}

/** Where keys stand in another order, in two values that are the same otherwise. */
function compareOrder(old: unknown, now: unknown, path: string): string | undefined {
  if (typeof old !== "object" || typeof now !== "object" || old === null || now === null) return;
  const [was, is] = [Object.keys(old), Object.keys(now)];
  if (was.some((key, i) => key !== is[i])) return `${path || "value"}: keys in another order`;
  for (const key of was) {
    const [a, b] = [old, now].map((one) => (one as Record<string, unknown>)[key]);
    const found = compareOrder(a, b, path === "" ? key : `${path}.${key}`);
    if (found !== undefined) return found;
  }
}

/** Outputs with neighbouring text of one stream joined, and without records for the manifest. */
function joinedOutputs(outputs: readonly Output[]): Output[] {
  const joined: Output[] = [];
  for (const output of outputs) {
    if (isRecordOnly(output)) continue;
    const last = joined.at(-1);
    if (output.output_type === "stream") {
      if (output.text === "") continue;
      if (last?.output_type === "stream" && last.name === output.name) {
        joined[joined.length - 1] = { ...last, text: last.text + output.text };
        continue;
      }
    }
    joined.push(output);
  }
  return joined;
}

/** Whether an output is a record for the manifest and shows nothing anywhere. */
function isRecordOnly(output: Output): boolean {
  return "data" in output && Object.keys(output.data).length === 1 &&
    PROVENANCE_MIME in output.data;
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
