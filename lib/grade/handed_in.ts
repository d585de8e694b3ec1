/**
 * What a student handed in, as the course folder keeps it.
 *
 * @module
 */

import { join } from "@std/path";
import { type Notebook, readNotebook } from "../runtime/notebook.ts";
import { assignmentFolder, type Course } from "./course.ts";

/** Where a student's notebook is looked for: as it was graded, with its outputs, or as it was handed in. */
const STEPS = ["autograded", "submitted"] as const;

/**
 * Reads a student's notebook.
 *
 * @param course The course.
 * @param assignment The assignment's id.
 * @param student The student's id.
 * @param notebook The notebook's name, without `.ipynb`.
 * @param steps Where to look, in this order; by default, first for the graded one.
 * @returns The notebook; undefined if there is none, or it cannot be read.
 */
export async function readSubmittedNotebook(
  course: Course,
  assignment: string,
  student: string,
  notebook: string,
  steps: readonly (typeof STEPS[number])[] = STEPS,
): Promise<Notebook | undefined> {
  for (const step of steps) {
    const folder = assignmentFolder(course, step, assignment, student);
    try {
      return await readNotebook(join(folder, `${notebook}.ipynb`));
    } catch (error) {
      // What a student handed in may be no notebook at all.
      if (!(error instanceof Deno.errors.NotFound || error instanceof SyntaxError)) throw error;
    }
  }
  return undefined;
}
