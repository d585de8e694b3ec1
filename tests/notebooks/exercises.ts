// What exercises of notebooks are made of: a cell tagged "exercise", and its solution in the Markdown cell below.

import type { CodeCell, Notebook } from "../../lib/runtime/mod.ts";

/** An exercise's cell, and what solves it. */
export interface SolvedExercise {
  /** The cell with the stub. */
  readonly cell: CodeCell;
  /** The code that its help folds away. */
  readonly solution: string;
}

/**
 * Finds a notebook's exercises.
 *
 * @param notebook The notebook.
 * @returns Each with its solution.
 * @throws {SyntaxError} If a cell tagged "exercise" is not followed by one with hint and solution.
 */
export function findExercises(notebook: Notebook): SolvedExercise[] {
  return notebook.cells.flatMap((cell, i) => {
    const tags = cell.metadata.tags as string[] | undefined;
    if (cell.cell_type !== "code" || !tags?.includes("exercise")) return [];
    const help = notebook.cells[i + 1]?.source ?? "";
    const solution = /<summary>Solution<\/summary>\s+```ts\n([^]*?)\n```/.exec(help)?.[1];
    if (!solution || !help.includes("<summary>Hint</summary>")) {
      throw new SyntaxError(`The exercise "${cell.id}" has no hint and solution in the next cell`);
    }
    return [{ cell, solution }];
  });
}

/**
 * Puts the solutions in the exercises' place.
 *
 * @param notebook The notebook; it is left as it is.
 * @returns A copy in which every exercise is solved.
 */
export function solve(notebook: Notebook): Notebook {
  const copy = structuredClone(notebook);
  for (const { cell, solution } of findExercises(copy)) cell.source = solution;
  return copy;
}

/**
 * Makes cells run again right after they were run.
 *
 * @param notebook The notebook; it is left as it is.
 * @param again Whether a cell is to be.
 * @returns A copy in which each such cell is followed by itself, under its id with `-again`.
 */
export function twice(notebook: Notebook, again: (cell: CodeCell) => boolean): Notebook {
  const cells = notebook.cells.flatMap((cell) =>
    cell.cell_type === "code" && again(cell)
      ? [cell, { ...structuredClone(cell), id: `${cell.id}-again` }]
      : [cell]
  );
  return { ...notebook, cells };
}
