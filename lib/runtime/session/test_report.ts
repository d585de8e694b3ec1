// Reads what the kernel's own test runner prints. The prelude sees which tests throw; that a step failed or was not
// awaited, and what a sanitizer has found, only the runner knows.

import type { CellError } from "../cell_error.ts";
import type { CellTest } from "./types.ts";

/** The most text that is kept of a cell's tests. */
export const MOST_REPORT = 2 ** 20;

/**
 * Adds to a cell's tests how they failed by what the kernel's test runner printed.
 *
 * @param tests The tests, as the prelude saw them end.
 * @param report All that the runner printed for the cell.
 * @returns The tests; one more, where the runner counts more failures than it names.
 */
export function completeTests(tests: readonly CellTest[], report: string): CellTest[] {
  const text = `\n${report}`;
  const failed = [...text.matchAll(/^FAILED \| \d+ passed .*?\| (\d+) failed/gm)]
    .reduce((sum, [, count]) => sum + Number(count), 0);
  if (failed === 0) return [...tests];
  const seen = new Map<string, number>();
  const completed = tests.map((test) => {
    const { name } = test;
    // The line that ends a test; several may have one name.
    const from = seen.get(name) ?? 0;
    const at = ["ok", "FAILED"].map((end) => text.indexOf(`\n${name} ... ${end} (`, from))
      .filter((at) => at >= 0).sort((a, b) => a - b)[0];
    if (at === undefined) return test;
    seen.set(name, at + 1);
    if (test.error !== undefined || !text.startsWith(`\n${name} ... FAILED`, at)) return test;
    return { ...test, error: reportedError(name, text) };
  });
  const missing = failed - completed.filter(({ error }) => error !== undefined).length;
  if (missing <= 0) return completed;
  const message = `The kernel counts ${missing} more failed ${missing === 1 ? "test" : "tests"}`;
  const error = { name: "TestError", message, traceback: [`TestError: ${message}`] };
  return [...completed, { name: "Deno.test", error, seconds: 0 }];
}

/** The error of a test, from the part of the report that lists errors. */
function reportedError(name: string, text: string): CellError {
  const errors = text.slice(text.indexOf("\n ERRORS \n"), text.lastIndexOf("\n FAILURES \n"));
  const details: string[] = [];
  for (const block of errors.split(/\n\n(?=[^\n]* => [^\n]*\n)/)) {
    const [title, ...lines] = block.split("\n");
    const of = title.slice(0, title.lastIndexOf(" => "));
    if (of !== name && !of.startsWith(`${name} ... `)) continue;
    const step = of.slice(name.length + " ... ".length);
    const said = lines
      // Frames inside the kernel, and advice for its command line, are of no use to readers.
      .filter((line) => !/^ +at .*(?:\bext:|\(<anonymous>)|^To get more details/.test(line)).join(
        "\n",
      ).trimEnd();
    details.push(`${step && `step "${step}": `}${said.replace(/^error: /, "")}`);
  }
  const message = details.map((detail) => detail.split("\n")[0]).join("; ") || "it failed";
  return { name: "TestError", message, traceback: details.join("\n").split("\n") };
}
