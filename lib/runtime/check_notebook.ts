// Whether a notebook's cells reproduce its stored outputs: runs it again and compares.

import { type CellComparison, compareNotebooks } from "./compare/notebooks.ts";
import { hiddenState } from "./hidden_state.ts";
import { formatNotebook, parseNotebook, readNotebook } from "./notebook.ts";
import { RUN_OPTIONS, runNotebook, type RunOptions, type RunResult } from "./runner.ts";
import { assertKnownOptions, type OptionNames } from "../options.ts";

/** How to check a notebook. */
export interface CheckOptions extends RunOptions {
  /** The relative tolerance of numbers; 1e-3 by default. */
  relative?: number;
}

/** The names of {@linkcode CheckOptions}. */
export const CHECK_OPTIONS: OptionNames<CheckOptions> = { ...RUN_OPTIONS, relative: true };

/** A cell of the check. */
export interface CheckedCell extends CellComparison {
  /** What the stored output seems to have depended on that a fresh run does not have. */
  hidden: string[];
}

/** What a check found. */
export interface CheckResult {
  /** Whether every stored output was made again, apart from excused ones. */
  ok: boolean;
  /** Each code cell; cells that were never run are left out. */
  cells: CheckedCell[];
  /** The fresh run. */
  run: RunResult;
}

/**
 * Runs a notebook from top to bottom in a new kernel and compares with the outputs that it holds.
 *
 * @param path The notebook's path.
 * @param options As for {@linkcode runNotebook}; errors are always allowed.
 * @returns What differs, and the hidden state that cells seem to have depended on.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { checkNotebook, parseNotebook, runNotebook } from "tunebook/runtime";
 *
 * const notebook = parseNotebook(`{
 *   "nbformat": 4, "nbformat_minor": 5, "metadata": {},
 *   "cells": [{
 *     "cell_type": "code", "id": "a", "metadata": {},
 *     "execution_count": null, "outputs": [], "source": "1 + 1"
 *   }]
 * }`);
 * const path = await Deno.makeTempFile({ suffix: ".ipynb" });
 * await runNotebook(notebook, { output: path });
 * const { ok, cells } = await checkNotebook(path);
 * assertEquals([ok, cells[0].verdict], [true, "same"]);
 * await Deno.remove(path);
 * ```
 */
export async function checkNotebook(
  path: string,
  options: CheckOptions = {},
): Promise<CheckResult> {
  assertKnownOptions("check a notebook", options, CHECK_OPTIONS);
  const stored = await readNotebook(path);
  const manifest = stored.metadata.tunebook as { parameters?: Record<string, unknown> } | undefined;
  const { relative = 1e-3, parameters = manifest?.parameters, ...running } = options;
  const run = await runNotebook(path, { ...running, parameters, allowErrors: true });
  const reasons = hiddenState(stored);
  const ran = new Set(
    stored.cells.filter((cell) =>
      cell.cell_type === "code" && (cell.execution_count !== null || cell.outputs.length > 0)
    ).map(({ id }) => id),
  );
  const again = parseNotebook(formatNotebook(run.notebook)); // as a file holds it
  const cells = compareNotebooks(stored, again, { relative, notes: true })
    .filter(({ id }) => ran.has(id))
    .map((cell): CheckedCell => ({ ...cell, hidden: reasons.get(cell.id) ?? [] }));
  return {
    ok: cells.every(({ verdict }) => verdict === "same" || verdict === "excused"),
    cells,
    run,
  };
}
