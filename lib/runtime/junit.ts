// JUnit's XML, which every CI system reads: one suite per notebook, one case per code cell.

import { escapeHtml } from "./report/html.ts";

/** One case: a cell. */
export interface JUnitCase {
  /** The case's name. */
  name: string;
  /** How it ended. */
  status: "ok" | "failed" | "skipped";
  /** How long it took. */
  seconds: number;
  /** If it failed: the kind of error. */
  type?: string;
  /** If it failed: one sentence. */
  message?: string;
  /** If it failed: the stack trace. If it was skipped: the reason. */
  detail?: string;
}

/** One suite: a notebook. */
export interface JUnitSuite {
  /** The name. */
  name: string;
  /** The cases in order. */
  cases: JUnitCase[];
  /** When it began, ISO 8601. */
  timestamp?: string;
}

/**
 * Writes results as JUnit's XML.
 *
 * @param suites The notebooks.
 * @returns The file's text.
 *
 * @example
 * ```ts
 * import { formatJUnit } from "tunebook/runtime";
 * import { assertStringIncludes } from "@std/assert";
 *
 * const xml = formatJUnit([{
 *   name: "book.ipynb",
 *   cases: [{ name: "cell 1", status: "failed", seconds: 0.5, type: "Error", message: "a < b" }],
 * }]);
 * assertStringIncludes(xml, '<failure type="Error" message="a &lt; b">');
 * ```
 */
export function formatJUnit(suites: readonly JUnitSuite[]): string {
  const all = suites.flatMap(({ cases }) => cases);
  const lines = ['<?xml version="1.0" encoding="UTF-8"?>', `<testsuites ${counts(all)}>`];
  for (const { name, cases, timestamp } of suites) {
    // In JUnit's schema times have no zone.
    const when = timestamp === undefined ? "" : ` timestamp="${timestamp.replace(/\.\d+Z$/, "")}"`;
    lines.push(`  <testsuite name="${text(name)}" ${counts(cases)}${when}>`);
    for (const one of cases) lines.push(...formatCase(one, name));
    lines.push("  </testsuite>");
  }
  lines.push("</testsuites>");
  return lines.join("\n") + "\n";
}

function formatCase(one: JUnitCase, suite: string): string[] {
  const head = `    <testcase name="${text(one.name)}" classname="${text(suite)}" time="${
    time(one.seconds)
  }"`;
  if (one.status === "ok") return [`${head}/>`];
  if (one.status === "skipped") {
    return [`${head}>`, `      <skipped message="${text(one.detail ?? "")}"/>`, "    </testcase>"];
  }
  return [
    `${head}>`,
    `      <failure type="${text(one.type ?? "Error")}" message="${text(one.message ?? "")}">${
      text(one.detail ?? "")
    }</failure>`,
    "    </testcase>",
  ];
}

function counts(cases: readonly JUnitCase[]): string {
  const of = (status: JUnitCase["status"]) => cases.filter((one) => one.status === status).length;
  const seconds = cases.reduce((sum, one) => sum + one.seconds, 0);
  return `tests="${cases.length}" failures="${of("failed")}" errors="0" skipped="${
    of("skipped")
  }" time="${time(seconds)}"`;
}

const time = (seconds: number) => seconds.toFixed(3);

/** Escapes text; characters that XML cannot contain, such as terminal escapes, are left out. */
function text(value: string): string {
  // deno-lint-ignore no-control-regex
  return escapeHtml(value.replace(/\x1b\[[0-9;]*m/g, "").toWellFormed())
    .replaceAll("&#39;", "&apos;").replaceAll("\n", "&#10;").replaceAll("\t", "&#9;");
}
