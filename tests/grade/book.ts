// Assignments in a few lines, for tests.

import { type Notebook, parseNotebook } from "../../lib/runtime/notebook.ts";

/** A cell: its type, source, nbgrader's metadata, tags. */
export type BookCell = [
  type: "code" | "markdown",
  source: string,
  metadata?: Record<string, unknown>,
  tags?: string[],
];

/** A notebook of cells. */
export function book(...cells: BookCell[]): Notebook {
  const flags = { schema_version: 3, grade: false, solution: false, locked: false };
  return parseNotebook(JSON.stringify({
    nbformat: 4,
    nbformat_minor: 5,
    metadata: {
      kernelspec: { name: "tunebook", display_name: "Deno", language: "typescript" },
      language_info: { name: "typescript" },
    },
    cells: cells.map(([cell_type, source, metadata, tags], i) => ({
      cell_type,
      id: `c${i}`,
      metadata: { ...metadata && { nbgrader: { ...flags, ...metadata } }, ...tags && { tags } },
      source,
      ...(cell_type === "code" && { outputs: [], execution_count: 7 }),
    })),
  }));
}

/** A test cell's metadata. */
export const test = (grade_id: string, points = 1) => ({
  grade: true,
  locked: true,
  grade_id,
  points,
});
/** An answer's, which a test grades. */
export const answer = (grade_id: string) => ({ solution: true, grade_id });
/** A locked cell's. */
export const locked = (grade_id: string) => ({ locked: true, grade_id });
/** An answer's that a person marks. */
export const written = (grade_id: string, points = 2) => ({
  grade: true,
  solution: true,
  grade_id,
  points,
});
