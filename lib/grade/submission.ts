/**
 * What a student has handed in: the files of a folder in `submitted`, which may be anything.
 *
 * @module
 */

import { basename } from "@std/path/basename";
import { dirname } from "@std/path/dirname";
import { join } from "@std/path/join";
import { type Notebook, parseNotebook } from "../runtime/notebook.ts";
import { assignmentFolder, type Course } from "./course.ts";
import { hashOf } from "./hash.ts";
import { FOLDER_NAME } from "./roster.ts";
import { parseTimestamp } from "./timestamp.ts";
import type { WorkFile } from "./workplace.ts";

/** A submission, read. */
export interface Submission {
  readonly student: string;
  readonly assignment: string;
  /** When it was handed in, as its `timestamp.txt` says. */
  readonly submitted?: Date;
  /** Its notebooks by their names without `.ipynb`, and why one cannot be read. */
  readonly notebooks: ReadonlyMap<string, Notebook | Error>;
  /** Its other files, which its notebooks may read. */
  readonly files: readonly WorkFile[];
  /** A hash of everything that was handed in. */
  readonly hash: string;
  /** What is left out, and why. */
  readonly notes: readonly string[];
}

/** What a submission may hold. */
const LIMITS = {
  /** Files. */
  files: 1000,
  /** Bytes of all files. */
  bytes: 512 * 2 ** 20,
  /** Bytes of a notebook. */
  notebook: 64 * 2 ** 20,
  /** Levels of folders. */
  depth: 8,
};

/** Files that say how code is run: a submission's do not count. */
const SETTINGS = new Set([
  ...["deno.json", "deno.jsonc", "deno.lock", "package.json", "package-lock.json"],
  ...["tsconfig.json", "node_modules", "__pycache__"],
]);

/** The file that says when a submission was handed in. */
const TIMESTAMP = "timestamp.txt";

/**
 * Lists who has handed in an assignment.
 *
 * @param course The course.
 * @param assignment The assignment's id.
 * @returns The students' ids, sorted; folders whose names cannot be ids are left out.
 */
export async function submitters(course: Course, assignment: string): Promise<string[]> {
  const found: string[] = [];
  for (const { name, isDirectory } of await entriesOf(join(course.root, "submitted"))) {
    if (!isDirectory || !FOLDER_NAME.test(name)) continue;
    const folder = assignmentFolder(course, "submitted", assignment, name);
    const info = await Deno.lstat(folder).catch(() => undefined);
    if (info?.isDirectory) found.push(name);
  }
  return found.sort();
}

/**
 * Reads a submission.
 *
 * @param course The course.
 * @param assignment The assignment's id.
 * @param student The student's id.
 * @returns The submission; links and what is too large are left out of it.
 * @throws {Deno.errors.NotFound} If there is none.
 */
export async function readSubmission(
  course: Course,
  assignment: string,
  student: string,
): Promise<Submission> {
  const folder = assignmentFolder(course, "submitted", assignment, student);
  if (!(await Deno.lstat(folder)).isDirectory) {
    throw new Deno.errors.NotADirectory(
      `Cannot read the submission "${folder}": it is not a folder`,
    );
  }
  const { paths, notes } = await filesOf(folder);
  const notebooks = new Map<string, Notebook | Error>();
  const files: WorkFile[] = [];
  const hashes: [path: string, hash: string][] = [];
  let submitted: Date | undefined;
  for (const path of paths) {
    const from = join(folder, path);
    const bytes = await Deno.readFile(from);
    hashes.push([path, await hashOf(bytes)]);
    const isTop = dirname(path) === ".";
    if (isTop && path.endsWith(".ipynb")) {
      notebooks.set(basename(path, ".ipynb"), readNotebook(bytes));
    } else if (path === TIMESTAMP) {
      try {
        submitted = parseTimestamp(new TextDecoder().decode(bytes));
      } catch (error) {
        notes.push((error as Error).message);
      }
    } else files.push({ path, from });
  }
  return {
    student,
    assignment,
    ...submitted !== undefined && { submitted },
    notebooks,
    files,
    hash: await hashOf(hashes),
    notes,
  };
}

function readNotebook(bytes: Uint8Array): Notebook | Error {
  if (bytes.length > LIMITS.notebook) {
    return new RangeError(`It has ${bytes.length} bytes: expected at most ${LIMITS.notebook}`);
  }
  try {
    return parseNotebook(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** The files that count, sorted by their paths. */
async function filesOf(folder: string): Promise<{ paths: string[]; notes: string[] }> {
  const paths: string[] = [];
  const notes: string[] = [];
  let bytes = 0;
  const visit = async (within: string, depth: number): Promise<void> => {
    const entries = await entriesOf(join(folder, within));
    for (const { name, isDirectory, isFile } of entries) {
      const path = join(within, name);
      if (name.startsWith(".")) continue;
      const leaveOut = (why: string) => notes.push(`"${path}" is left out: ${why}`);
      if (SETTINGS.has(name)) leaveOut("it says how code is run");
      else if (isDirectory && depth < LIMITS.depth) await visit(path, depth + 1);
      else if (isDirectory) leaveOut("its folder lies too deep");
      else if (!isFile) leaveOut("it is a link, or not a plain file");
      else {
        const { size } = await Deno.lstat(join(folder, path));
        if (paths.length >= LIMITS.files) leaveOut(`there are more than ${LIMITS.files} files`);
        else if (bytes + size > LIMITS.bytes) leaveOut("the submission is too large");
        else {
          bytes += size;
          paths.push(path);
        }
      }
    }
  };
  await visit(".", 0);
  return { paths: paths.sort(), notes: notes.slice(0, 20) };
}

/** A folder's entries in the order of their names; none if it is not there. */
async function entriesOf(folder: string): Promise<Deno.DirEntry[]> {
  try {
    const entries = await Array.fromAsync(Deno.readDir(folder));
    return entries.sort((a, b) => a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
