/**
 * The folder in which a submission is graded: the files that belong to it, and nothing of the course's.
 *
 * @module
 */

import { dirname, join, resolve } from "@std/path";
import { lockFolder } from "../folder_lock.ts";
import { findDenoConfig } from "../runtime/deno_config.ts";
import { libraryConfig } from "../runtime/library.ts";
import type { Course } from "./course.ts";
import { removeIfThere } from "./replace_folder.ts";

/** A folder for one grading; disposing of it removes it. */
export interface Workplace extends AsyncDisposable {
  /** Its path, the same each time: outputs may show it. */
  readonly cwd: string;
}

/** A file that a notebook may read, by its path in the folder. */
export interface WorkFile {
  readonly path: string;
  /** Where it is copied from. */
  readonly from: string;
}

/**
 * Makes the folder for grading a submission, which one process at a time may use.
 *
 * @param course The course.
 * @param name What is graded: an assignment, and a student's id or none for the instructor's.
 * @param files What the notebook may read; of two with one path, the later counts.
 * @returns The folder.
 * @throws {Deno.errors.Busy} If the same is being graded already.
 */
export async function openWorkplace(
  course: Course,
  { assignment, student }: { assignment: string; student?: string },
  files: readonly WorkFile[],
): Promise<Workplace> {
  const cwd = resolve(course.root, ".grading", assignment, student ?? ".source");
  const lock = await lockFolder(cwd, { verb: "grade", work: "grading" });
  const close = async () => {
    await removeIfThere(cwd);
    await lock[Symbol.asyncDispose]();
  };
  try {
    await removeIfThere(cwd);
    await Deno.mkdir(cwd);
    for (const { path, from } of files) {
      await Deno.mkdir(dirname(join(cwd, path)), { recursive: true });
      await Deno.copyFile(from, join(cwd, path));
    }
    if (await findDenoConfig(cwd) === undefined) {
      await Deno.writeTextFile(join(cwd, "deno.json"), JSON.stringify(libraryConfig()));
    }
    return { cwd, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}
