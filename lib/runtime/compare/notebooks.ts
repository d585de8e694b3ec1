// Compares two runs of one notebook, cell by cell.

import type { CodeCell, Notebook } from "../notebook.ts";
import { hasTag } from "../parameters.ts";
import { firstLine } from "../run_suite.ts";
import { compareOutputs, type OutputTolerance } from "./outputs.ts";

/** What became of a cell's outputs. */
export interface CellComparison {
  /** Its place among the code cells of the later notebook, else of the earlier one, from 1. */
  cell: number;
  id: string;
  /** Its first line. */
  title: string;
  /** `"excused"`: it differs, and its tag `timing` says that it may. */
  verdict: "same" | "differs" | "excused" | "added" | "removed";
  /** What differs first. */
  difference?: string;
}

/**
 * Compares the outputs of two notebooks, cells paired by their ids.
 *
 * @param before The notebook as it was.
 * @param after The notebook as it is.
 * @param tolerance How near numbers must be.
 * @returns A comparison for each code cell with code, in the later notebook's order.
 */
export function compareNotebooks(
  before: Notebook,
  after: Notebook,
  tolerance: OutputTolerance,
): CellComparison[] {
  const olds = codeCells(before), news = codeCells(after);
  const comparisons = [...news].map(([id, { cell, number }]): CellComparison => {
    const place = { cell: number, id, title: firstLine(cell.source) };
    const old = olds.get(id);
    if (old === undefined) return { ...place, verdict: "added" };
    const difference = compareOutputs(old.cell.outputs, cell.outputs, tolerance);
    if (difference === undefined) return { ...place, verdict: "same" };
    const excused = hasTag(cell, "timing") || hasTag(old.cell, "timing");
    return { ...place, verdict: excused ? "excused" : "differs", difference };
  });
  for (const [id, { cell, number }] of olds) {
    if (news.has(id)) continue;
    comparisons.push({ cell: number, id, title: firstLine(cell.source), verdict: "removed" });
  }
  return comparisons;
}

function codeCells(notebook: Notebook): Map<string, { cell: CodeCell; number: number }> {
  const cells = notebook.cells.filter((cell) => cell.cell_type === "code");
  return new Map(
    cells.map((cell, index) => [cell.id, { cell, number: index + 1 }] as const)
      .filter(([, { cell }]) => cell.source.trim() !== ""),
  );
}
