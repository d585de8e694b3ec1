/**
 * Questions for people: what one is called, what was asked, and what a student answered.
 *
 * @module
 */

import type { Cell, Notebook } from "../runtime/notebook.ts";
import { gradedCells, readGradeMetadata, roleOf } from "./metadata.ts";
import { replaceRegions } from "./regions.ts";

/**
 * What a question is called: the first heading of its cell, or if it has none, the last one above it. A test, of which there may be
 * several below a heading, has its id in its name.
 *
 * @param notebook The instructor's notebook.
 * @param gradeId The question's cell.
 * @returns The heading's text; the id if there is none.
 */
export function questionTitle(notebook: Notebook, gradeId: string): string {
  const at = notebook.cells.findIndex((cell) => metadataOf(cell)?.grade_id === gradeId);
  const found = notebook.cells[at];
  if (found !== undefined && roleOf(metadataOf(found)) === "test") {
    const above = notebook.cells.slice(0, at).flatMap(({ cell_type, source }) =>
      cell_type === "markdown" ? headings(source, 2) : []
    ).at(-1);
    return above === undefined ? gradeId : `${above}: ${gradeId}`;
  }
  const own = found?.cell_type === "markdown" ? headings(found.source)[0] : undefined;
  return own ?? headings(promptOf(notebook, gradeId)).at(-1) ?? gradeId;
}

/** The headings from a level on, those in fenced code left out. */
function headings(source: string, level = 1): string[] {
  const text = source.replace(/^(`{3,}|~{3,})[^]*?^\1/gm, "");
  return [...text.matchAll(/^(#{1,6}) +(.+?)(?: +#+)? *$/gm)]
    .flatMap(([, marks, heading]) => marks!.length >= level ? [heading!.trim()] : []);
}

/**
 * What was asked: a task's own text, or the text between the question and the one before.
 *
 * @param notebook The instructor's notebook.
 * @param gradeId The question's cell.
 * @returns Markdown; empty if there is no such cell.
 */
export function promptOf(notebook: Notebook, gradeId: string): string {
  const graded = gradedCells(notebook);
  const found = graded.find(({ metadata }) => metadata.grade_id === gradeId);
  if (found === undefined) return "";
  if (found.role === "task") return replaceRegions(found.cell.source, "markScheme").source;
  const before = graded.filter(({ index, role }) => index < found.index && role !== "locked").at(
    -1,
  );
  return notebook.cells.slice((before?.index ?? -1) + 1, found.index)
    .filter(({ cell_type }) => cell_type === "markdown").map(({ source }) => source).join("\n\n");
}

/**
 * Makes a cell of text.
 *
 * @param source The text, in Markdown.
 * @returns The cell.
 */
export function markdownCell(source: string): Cell {
  return { cell_type: "markdown", id: "text", metadata: {}, source };
}

/**
 * The cell that answers a question; for a task, what stands below its description.
 *
 * @param notebook The student's notebook.
 * @param gradeId The question's cell.
 * @returns The cell; an empty one if there is none.
 */
export function answerIn(notebook: Notebook | undefined, gradeId: string): Cell {
  const cells = notebook?.cells ?? [];
  const at = cells.findIndex((cell) => metadataOf(cell)?.grade_id === gradeId);
  const cell = cells[at];
  if (cell === undefined) return markdownCell("");
  if (roleOf(metadataOf(cell)) !== "task") return cell;
  const below = cells.slice(at + 1);
  const end = below.findIndex((one) => roleOf(metadataOf(one)) !== "plain");
  const source = below.slice(0, end < 0 ? below.length : end).map(({ cell_type, source }) =>
    cell_type === "code" ? fence(source) : source
  ).join("\n\n");
  return markdownCell(source);
}

function fence(source: string): string {
  const ticks = "`".repeat(
    Math.max(3, ...[...source.matchAll(/`+/g)].map(([run]) => run.length + 1)),
  );
  return `${ticks}ts\n${source}\n${ticks}`;
}

/** A cell's metadata, which may be anything in a student's notebook. */
function metadataOf(cell: Cell) {
  try {
    return readGradeMetadata(cell);
  } catch {
    return undefined;
  }
}
