/**
 * The attempts of a student at an assignment, all of which are kept: `attempts/{student}/{assignment}/{number}`. The one
 * that counts is also in `submitted/{student}/{assignment}`, where nbgrader expects it.
 *
 * @module
 */

import { join } from "@std/path/join";
import { createHash } from "node:crypto";
import { writeFileBeside } from "../../write_beside.ts";
import { assignmentFolder, type Course } from "../course.ts";
import { replaceFolder } from "../replace_folder.ts";
import { formatTimestamp, parseTimestamp } from "../timestamp.ts";

/** The file in which nbgrader keeps when a submission was handed in. */
export const TIMESTAMP_FILE = "timestamp.txt";

/** One attempt, with what was handed in. */
export interface Attempt {
  /** From 1, in the order of collecting. */
  readonly number: number;
  /** Its folder. */
  readonly folder: string;
  /** When it was handed in; undefined if unknown. */
  readonly submitted?: Date;
  /** A hash of its files and of when they were handed in. */
  readonly hash: string;
}

/** The attempts of one student at one assignment. */
export class Attempts {
  /** Where they are kept. */
  readonly #folder: string;
  /** Where the one that counts is. */
  readonly #submitted: string;
  #attempts: Attempt[] = [];

  private constructor(course: Course, assignment: string, student: string) {
    this.#submitted = assignmentFolder(course, "submitted", assignment, student);
    this.#folder = join(course.root, "attempts", student, assignment);
  }

  /**
   * Opens the attempts. A submission that was put into its folder by hand or by nbgrader, or was edited there, becomes
   * an attempt too, so that collecting loses nothing.
   */
  static async open(course: Course, assignment: string, student: string): Promise<Attempts> {
    const opened = new Attempts(course, assignment, student);
    await opened.#read();
    const there = await readFiles(opened.#submitted);
    if (there.size > 0) {
      const submitted = timeIn(there);
      there.delete(TIMESTAMP_FILE);
      await opened.add(there, submitted);
    }
    return opened;
  }

  async #read(): Promise<void> {
    const numbers = [];
    try {
      for await (const { name } of Deno.readDir(this.#folder)) {
        if (/^[1-9]\d{0,5}$/.test(name)) numbers.push(Number(name));
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    for (const number of numbers.sort((a, b) => a - b)) {
      const folder = join(this.#folder, String(number));
      const files = await readFiles(folder);
      const submitted = timeIn(files);
      files.delete(TIMESTAMP_FILE);
      this.#attempts.push({
        number,
        folder,
        ...submitted && { submitted },
        hash: hashOf(files, submitted),
      });
    }
  }

  /** The attempts, in the order of collecting. */
  get all(): readonly Attempt[] {
    return this.#attempts;
  }

  /**
   * Keeps an attempt.
   *
   * @param files The contents by safe names.
   * @param submitted When it was handed in.
   * @returns The attempt, and whether it is new: the same files of the same time are one attempt.
   */
  async add(
    files: ReadonlyMap<string, Uint8Array>,
    submitted?: Date,
  ): Promise<{ attempt: Attempt; isNew: boolean }> {
    const hash = hashOf(files, submitted);
    const known = this.#attempts.find((attempt) => attempt.hash === hash);
    if (known !== undefined) return { attempt: known, isNew: false };
    const number = (this.#attempts.at(-1)?.number ?? 0) + 1;
    const folder = join(this.#folder, String(number));
    await replaceFolder(folder, (unfinished) => writeFiles(unfinished, files, submitted));
    const attempt = { number, folder, ...submitted && { submitted }, hash };
    this.#attempts.push(attempt);
    return { attempt, isNew: true };
  }

  /**
   * Chooses the attempt that counts: the newest in time that came before nothing was accepted any more. Where times are
   * not known, the one that was collected last.
   *
   * @param end When acceptance ended; attempts after it count only if there is no other.
   * @returns The attempt; undefined if there is none.
   */
  counted(end = new Date(8.64e15)): Attempt | undefined {
    const inTime = this.#attempts.filter(({ submitted }) => !submitted || submitted <= end);
    return (inTime.length > 0 ? inTime : this.#attempts).reduce<Attempt | undefined>(
      (used, other) =>
        used?.submitted && other.submitted && other.submitted < used.submitted ? used : other,
      undefined,
    );
  }

  /** Puts an attempt where submissions are graded, if it is not there. */
  async use({ folder, hash, submitted }: Attempt): Promise<void> {
    const there = await readFiles(this.#submitted);
    const time = timeIn(there);
    there.delete(TIMESTAMP_FILE);
    if (there.size > 0 && hashOf(there, time) === hash) return;
    const files = await readFiles(folder);
    files.delete(TIMESTAMP_FILE);
    await replaceFolder(this.#submitted, (unfinished) => writeFiles(unfinished, files, submitted));
  }
}

async function writeFiles(
  folder: string,
  files: ReadonlyMap<string, Uint8Array>,
  submitted?: Date,
): Promise<void> {
  for (const [name, bytes] of files) await writeFileBeside(join(folder, name), bytes);
  if (submitted === undefined) return;
  await writeFileBeside(join(folder, TIMESTAMP_FILE), `${formatTimestamp(submitted)}\n`);
}

/** The plain files of a folder and of those in it; nothing if there is no such folder. */
async function readFiles(folder: string, within = ""): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  let entries: Deno.DirEntry[];
  try {
    entries = await Array.fromAsync(Deno.readDir(join(folder, within)));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return files;
    throw error;
  }
  for (const { name, isFile, isDirectory } of entries.sort((a, b) => a.name < b.name ? -1 : 1)) {
    if (name.startsWith(".")) continue;
    const path = within === "" ? name : `${within}/${name}`;
    if (isFile) files.set(path, await Deno.readFile(join(folder, path)));
    else if (isDirectory) { for (const one of await readFiles(folder, path)) files.set(...one); }
  }
  return files;
}

function timeIn(files: ReadonlyMap<string, Uint8Array>): Date | undefined {
  const bytes = files.get(TIMESTAMP_FILE);
  if (bytes === undefined) return undefined;
  try {
    return parseTimestamp(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}

function hashOf(files: ReadonlyMap<string, Uint8Array>, submitted?: Date): string {
  const hash = createHash("sha256").update(submitted?.toISOString() ?? "");
  for (const [name, bytes] of [...files].sort(([a], [b]) => a < b ? -1 : 1)) {
    hash.update(`\0${name}\0${bytes.length}\0`).update(bytes);
  }
  return hash.digest("hex");
}
