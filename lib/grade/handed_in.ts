/**
 * What a student handed in, as the course folder keeps it.
 *
 * @module
 */

import { join } from "@std/path/join";
import { type Notebook, readNotebook } from "../runtime/notebook.ts";
import { assignmentFolder, type Course } from "./course.ts";

/**
 * Reads a student's notebook as it was graded, with its outputs; one that was not graded, as it was handed in.
 *
 * @param course The course.
 * @param assignment The assignment's id.
 * @param student The student's id.
 * @param notebook The notebook's name, without `.ipynb`.
 * @returns The notebook; undefined if there is none, or it cannot be read.
 */
export async function readSubmittedNotebook(
  course: Course,
  assignment: string,
  student: string,
  notebook: string,
): Promise<Notebook | undefined> {
  for (const step of ["autograded", "submitted"] as const) {
    const folder = assignmentFolder(course, step, assignment, student);
    try {
      return await readNotebook(join(folder, `${notebook}.ipynb`));
    } catch (error) {
      // A student may hand in anything, such as a file that only has a notebook's name.
      if (!(error instanceof Deno.errors.NotFound || error instanceof SyntaxError)) throw error;
    }
  }
  return undefined;
}
