/**
 * The folder in which a submission is graded: the files that belong to it, and nothing of the course's.
 *
 * @module
 */

import { delay } from "@std/async/delay";
import { dirname } from "@std/path/dirname";
import { join } from "@std/path/join";
import { resolve } from "@std/path/resolve";
import { type FolderLock, lockFolder } from "../folder_lock.ts";
import { findDenoConfig } from "../runtime/deno_config.ts";
import { libraryConfig } from "../runtime/library.ts";
import type { Course } from "./course.ts";
import { removeIfThere } from "./replace_folder.ts";

/** Folders for one grading; disposing of it removes them. */
export interface Workplace extends AsyncDisposable {
  /** Where the notebook runs: the release's files and the student's. Its path is the same each time, as outputs may show it. */
  readonly cwd: string;
  /** Where tests run: the release's files alone. */
  readonly testsCwd: string;
  /** Files of the student's that have no place beside the release's. */
  readonly leftOut: readonly string[];
}

/** A file that a notebook may read, by its path in the folder. */
export interface WorkFile {
  readonly path: string;
  /** Where it is copied from. */
  readonly from: string;
}

/**
 * Makes the folders for grading a submission, which one process at a time may use.
 *
 * @param course The course.
 * @param name What is graded: an assignment, and a student's id or none for the instructor's.
 * @param released The release's files.
 * @param handedIn The student's files, which replace none of the release's.
 * @returns The folders.
 * @throws {Deno.errors.Busy} If the same is being graded already.
 */
export async function openWorkplace(
  course: Course,
  { assignment, student }: { assignment: string; student?: string },
  released: readonly WorkFile[],
  handedIn: readonly WorkFile[] = [],
): Promise<Workplace> {
  const folder = resolve(course.root, ".grading", assignment, student ?? ".source");
  const lock = await lockSoon(folder);
  const close = async () => {
    await removeIfThere(folder);
    await lock[Symbol.asyncDispose]();
  };
  try {
    await removeIfThere(folder);
    const [cwd, testsCwd] = [join(folder, "notebook"), join(folder, "tests")];
    for (const place of [cwd, testsCwd]) {
      await Deno.mkdir(place, { recursive: true });
      for (const file of released) await copyInto(place, file);
    }
    const own = new Set(released.map(({ path }) => path));
    const leftOut: string[] = [];
    for (const file of handedIn) {
      if (own.has(file.path)) continue;
      try {
        await copyInto(cwd, file);
      } catch {
        leftOut.push(file.path); // A file where the release has a folder, or the reverse.
      }
    }
    // A deno.json of the course's counts, and so do the imports of the grader's own modules.
    const { imports = {}, value = {} } = await findDenoConfig(testsCwd) ?? {};
    const { compilerOptions } = value;
    const config = {
      ...libraryConfig(imports),
      ...compilerOptions !== undefined && { compilerOptions },
    };
    await Deno.writeTextFile(join(folder, "deno.json"), JSON.stringify(config));
    return { cwd, testsCwd, leftOut, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** How long a process that was stopped may need to put things away, in milliseconds. */
const PATIENCE = 20_000;

/** Locks a folder; what the processes of a killed grader still hold is waited for. */
async function lockSoon(folder: string): Promise<FolderLock> {
  const end = performance.now() + PATIENCE;
  for (;;) {
    try {
      return await lockFolder(folder, { verb: "grade", work: "grading" });
    } catch (error) {
      if (!(error instanceof Deno.errors.Busy) || performance.now() > end) throw error;
      await delay(100);
    }
  }
}

async function copyInto(folder: string, { path, from }: WorkFile): Promise<void> {
  await Deno.mkdir(dirname(join(folder, path)), { recursive: true });
  await Deno.copyFile(from, join(folder, path));
}
