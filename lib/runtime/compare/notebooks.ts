// Compares two runs of one notebook, cell by cell.

import type { CodeCell, Notebook, Output } from "../notebook.ts";
import { isNote } from "../outputs.ts";
import { hasTag } from "../parameters.ts";
import { settledText, withoutColours } from "../report/terminal.ts";
import { firstLine } from "../run_suite.ts";
import { compareCounts, compareOutputs } from "./outputs.ts";
import type { OutputTolerance } from "./tolerance.ts";

/** The comparison of a cell's outputs. */
export interface CellComparison {
  /** Its place among the code cells of the later notebook, or of the earlier one, from 1. */
  cell: number;
  /** The id of the cell. */
  id: string;
  /** Its first line. */
  title: string;
  /** `"excused"`: it differs, and `excuse` says why it may. */
  verdict: "same" | "differs" | "excused" | "added" | "removed";
  /** What differs first. */
  difference?: string;
  /** Why a difference is excused. */
  excuse?: string;
}

/** How to compare two notebooks. */
export interface NotebookTolerance extends OutputTolerance {
  /**
   * Whether notes of the Jupyter kernel are excused in the earlier notebook; they are not outputs
   * of the cells.
   */
  notes?: boolean;
}

/**
 * Compares the outputs of two notebooks, cells paired by their ids.
 *
 * A difference is excused if the cell is tagged `timing`, or if it is in text that was overwritten
 * on the screen, in colours of text, in the order of keys or in the folder that a traceback names. Excused differences are reported.
 *
 * @param before The notebook as it was.
 * @param after The notebook as it is.
 * @param tolerance How near numbers must be.
 * @returns A comparison for each code cell with code or outputs, in the later notebook's order.
 */
export function compareNotebooks(
  before: Notebook,
  after: Notebook,
  tolerance: NotebookTolerance,
): CellComparison[] {
  const olds = codeCells(before), news = codeCells(after);
  const comparisons: CellComparison[] = [];
  for (const [key, { cell, number }] of news) {
    const old = olds.get(key)?.cell;
    if (isEmpty(cell) && (old === undefined || isEmpty(old))) continue;
    const place = { cell: number, id: cell.id, title: firstLine(cell.source) };
    comparisons.push({
      ...place,
      ...old === undefined ? { verdict: "added" } : compareCells(old, cell, tolerance),
    });
  }
  for (const [key, { cell, number }] of olds) {
    if (news.has(key) || isEmpty(cell)) continue;
    const title = firstLine(cell.source);
    comparisons.push({ cell: number, id: cell.id, title, verdict: "removed" });
  }
  return comparisons;
}

function compareCells(
  old: CodeCell,
  now: CodeCell,
  tolerance: NotebookTolerance,
): Pick<CellComparison, "verdict" | "difference" | "excuse"> {
  const difference = compareOutputs(old.outputs, now.outputs, tolerance) ??
    compareCounts(old, now, tolerance);
  if (difference === undefined) return { verdict: "same" };
  const sameAs = (change: (outputs: readonly Output[]) => readonly Output[]) =>
    compareCounts(old, now, tolerance) === undefined &&
    compareOutputs(change(old.outputs), change(now.outputs), tolerance) === undefined;
  const excuse = hasTag(now, "timing") || hasTag(old, "timing")
    ? 'its own tag "timing" excuses it'
    : sameAs(settled)
    ? "only text that was overwritten differs"
    : sameAs(withoutLooks)
    ? "only colours of text, blanks at its end or the order of keys differ"
    : sameAs(withoutFolders)
    ? "only the folder that a traceback names differs"
    : tolerance.notes && sameAs((outputs) => outputs.filter((output) => !isNote(output)))
    ? "only a note of the Jupyter kernel's differs"
    : undefined;
  return excuse === undefined
    ? { verdict: "differs", difference }
    : { verdict: "excused", difference, excuse };
}

/** Outputs with text as it stands on the screen in the end. */
function settled(outputs: readonly Output[]): Output[] {
  const joined: Output[] = [];
  for (const output of outputs) {
    const last = joined.at(-1);
    if (
      output.output_type === "stream" && last?.output_type === "stream" && last.name === output.name
    ) {
      joined[joined.length - 1] = { ...last, text: last.text + output.text };
    } else joined.push(output);
  }
  return joined.map((output) =>
    output.output_type === "stream" ? { ...output, text: settledText(output.text) } : output
  );
}

/** Outputs without colours of text and blanks at its end, and with the keys of objects in order. */
function withoutLooks(outputs: readonly Output[]): Output[] {
  const plain = (text: string) => withoutColours(text).trimEnd();
  return settled(outputs).map((output) => {
    if (output.output_type === "stream") return { ...output, text: plain(output.text) };
    if (output.output_type === "error") {
      const evalue = plain(output.evalue);
      return { ...output, evalue, traceback: [plain(output.traceback.join("\n"))] };
    }
    const data = Object.entries(output.data).map(([type, value]) => [
      type,
      typeof value !== "string" ? inOrder(value) : type === "text/plain" ? plain(value) : value,
    ]);
    return { ...output, data: Object.fromEntries(data) };
  });
}

/** A JSON value with its keys in order. */
function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1)
      .map(([key, item]) => [key, inOrder(item)]),
  );
}

/** Outputs with only the names of the files in which errors were thrown. */
function withoutFolders(outputs: readonly Output[]): Output[] {
  return outputs.map((output) =>
    output.output_type === "error"
      ? {
        ...output,
        traceback: output.traceback.map((line) =>
          line.replace(/^( +at .*?\(?)file:\/\/\/[^()\s]*\/([^/()\s]+:\d+:\d+\)?)$/gm, "$1$2")
        ),
      }
      : output
  );
}

const isEmpty = (cell: CodeCell) => cell.source.trim() === "" && cell.outputs.length === 0;

/** Code cells by their ids; a later one of the same id has a key of its own. */
function codeCells(notebook: Notebook): Map<string, { cell: CodeCell; number: number }> {
  const cells = new Map<string, { cell: CodeCell; number: number }>();
  let number = 0;
  for (const cell of notebook.cells) {
    if (cell.cell_type !== "code") continue;
    let key = cell.id;
    while (cells.has(key)) key += " again";
    cells.set(key, { cell, number: ++number });
  }
  return cells;
}
