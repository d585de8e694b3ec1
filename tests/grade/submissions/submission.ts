/** Made-up submissions: what three students of different diligence write into a released notebook. */

import { gradedCells } from "../../../lib/grade/metadata.ts";
import type { Notebook } from "../../../lib/runtime/mod.ts";

/** How good a submission is. */
export type Quality = "good" | "fair" | "poor";

/** What a student wrote, and what it is worth. */
export interface Submission {
  /** The sources of answered cells by `grade_id`; the other answers are left as they were released. */
  readonly answers: Readonly<Record<string, string>>;
  /** The points of each test cell that does not get all of its points. */
  readonly losses: Readonly<Record<string, number>>;
}

/**
 * Writes answers into a notebook.
 *
 * @param released The student's version of an assignment; it is not changed.
 * @param answers The new sources by `grade_id`.
 * @returns The notebook as handed in.
 * @throws {RangeError} If a cell does not exist or is not an answer.
 */
export function handIn(released: Notebook, answers: Submission["answers"]): Notebook {
  const notebook = structuredClone(released);
  const open = new Map(
    gradedCells(notebook)
      .filter(({ role }) => role === "solution" || role === "manual")
      .map(({ metadata, cell }) => [metadata.grade_id, cell]),
  );
  for (const [gradeId, source] of Object.entries(answers)) {
    const cell = open.get(gradeId);
    if (!cell) throw new RangeError(`Cannot answer "${gradeId}": it is not an answer`);
    cell.source = source;
  }
  return notebook;
}
