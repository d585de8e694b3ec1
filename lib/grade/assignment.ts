/**
 * An assignment in its course folder, as its instructor wrote it.
 *
 * @module
 */

import { basename } from "@std/path/basename";
import { dirname } from "@std/path/dirname";
import { join } from "@std/path/join";
import { type Notebook, readNotebook } from "../runtime/notebook.ts";
import {
  assignmentFolder,
  type AssignmentSettings,
  assignmentSettings,
  type Course,
} from "./course.ts";
import { type NbgraderHabits, readNbgraderHabits } from "./nbgrader_source.ts";

/** An assignment as its instructor wrote it. */
export interface Assignment {
  readonly id: string;
  readonly settings: AssignmentSettings;
  /** Its folder in `source`. */
  readonly folder: string;
  /** Its notebooks by their names, without `.ipynb`, as the course's `nbgrader_config.py` means them. */
  readonly notebooks: ReadonlyMap<string, Notebook>;
  /** Stubs of the course's own, as {@linkcode stubsFor} takes them. */
  readonly stubs: NbgraderHabits["stubs"];
  /** The paths within the folder of other files, which students receive too. */
  readonly files: readonly string[];
}

/**
 * Reads an assignment from `source`.
 *
 * @param course The course.
 * @param id The assignment's id.
 * @returns The assignment; hidden files are not part of it.
 * @throws {Error} If there is no such folder, no notebook in it, or a link.
 */
export async function readAssignment(course: Course, id: string): Promise<Assignment> {
  const folder = assignmentFolder(course, "source", id);
  const habits = await readNbgraderHabits(course.root);
  const notebooks = new Map<string, Notebook>();
  const files: string[] = [];
  for (const path of await filesIn(folder)) {
    if (path.endsWith(".ipynb") && dirname(path) === ".") {
      notebooks.set(basename(path, ".ipynb"), habits.apply(await readNotebook(join(folder, path))));
    } else files.push(path);
  }
  if (notebooks.size === 0) {
    throw new Deno.errors.NotFound(
      `Cannot read the assignment "${id}": there is no notebook in "${folder}"`,
    );
  }
  const settings = assignmentSettings(course, id);
  return { id, settings, folder, notebooks, stubs: habits.stubs, files };
}

/** The files of an assignment's folder, in the order of their paths; hidden ones and checkpoints are left out. */
async function filesIn(folder: string, within = "."): Promise<string[]> {
  const paths: string[] = [];
  let entries: Deno.DirEntry[];
  try {
    entries = await Array.fromAsync(Deno.readDir(join(folder, within)));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Deno.errors.NotFound(`Cannot read the assignment: there is no folder "${folder}"`);
  }
  for (const { name, isDirectory, isSymlink } of entries) {
    if (name.startsWith(".") || name === "__pycache__") continue;
    const path = join(within, name);
    if (isSymlink) {
      throw new TypeError(`Cannot read the assignment: "${join(folder, path)}" is a link`);
    }
    if (isDirectory) paths.push(...await filesIn(folder, path));
    else paths.push(path);
  }
  return paths.sort();
}
