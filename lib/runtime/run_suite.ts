// A run as a test suite, with each code cell as a test case.

import type { JUnitCase, JUnitSuite } from "./junit.ts";
import { hasTag } from "./parameters.ts";
import type { RunResult } from "./runner.ts";

/**
 * Converts a run to a test suite.
 *
 * @param result The result of the run.
 * @returns The suite: a case for each code cell, named by its place and its first line.
 *
 * @example
 * ```ts
 * import { assertStringIncludes } from "@std/assert";
 * import { formatJUnit, parseNotebook, runNotebook, suiteOf } from "tunebook/runtime";
 *
 * const notebook = parseNotebook(`{
 *   "nbformat": 4, "nbformat_minor": 5, "metadata": {},
 *   "cells": [{
 *     "cell_type": "code", "id": "a", "metadata": {},
 *     "execution_count": null, "outputs": [], "source": "1 + 1"
 *   }]
 * }`);
 * const run = await runNotebook(notebook, { name: "sum.ipynb" });
 * assertStringIncludes(formatJUnit([suiteOf(run)]), 'failures="0"');
 * ```
 */
export function suiteOf(
  { notebook, manifest, failures = [], tests = {} }: RunResult,
): JUnitSuite {
  const ran = new Map(manifest.cells.map((cell) => [cell.id, cell]));
  const cases: JUnitCase[] = [];
  let number = 0;
  for (const cell of notebook.cells) {
    if (cell.cell_type !== "code") continue;
    number++;
    if (cell.source.trim() === "") continue;
    const name = `cell ${number}: ${firstLine(cell.source)}`;
    const record = ran.get(cell.id);
    const failure = failures.find(({ id }) => id === cell.id);
    if (record === undefined) {
      const detail = hasTag(cell, "skip") ? 'tagged "skip"' : "an earlier cell failed";
      cases.push({ name, status: "skipped", seconds: 0, detail });
      continue;
    }
    const { seconds } = record;
    const own = tests[cell.id] ?? [];
    for (const { name: title, error, seconds } of own) {
      const test = { name: `cell ${number}: ${title}`, seconds };
      cases.push(
        error === undefined ? { ...test, status: "ok" } : {
          ...test,
          status: "failed",
          type: error.name,
          message: error.message,
          detail: error.traceback.join("\n"),
        },
      );
    }
    // A cell with tests is told by them, unless it fails by itself.
    if (own.length > 0 && (failure === undefined || failure.name === "TestError")) continue;
    if (failure === undefined) {
      cases.push({ name, status: "ok", seconds });
      continue;
    }
    const shown = cell.outputs.findLast((output) => output.output_type === "error");
    const detail = shown?.output_type === "error" ? shown.traceback.join("\n") : failure.summary;
    const { name: type, summary: message } = failure;
    cases.push({ name, status: "failed", seconds, type, message, detail });
  }
  return { name: manifest.notebook.name, cases, timestamp: manifest.startedAt };
}

/**
 * A cell's first non-empty line, for titles.
 *
 * @param source The cell's code.
 * @returns At most 60 characters, without the comment mark.
 */
export function firstLine(source: string): string {
  const line = source.split("\n").find((text) => text.trim() !== "") ?? "";
  return line.trim().replace(/^\/\/\s*(?=\S)/, "").slice(0, 60);
}
