/**
 * Files that are either whole or absent: written beside their place, then renamed into it.
 *
 * @module
 */

import { basename } from "@std/path/basename";
import { dirname } from "@std/path/dirname";
import { join } from "@std/path/join";

/**
 * Writes a file beside its destination, flushes it to the disk and renames it into place.
 *
 * If `write` fails, or the process is killed, the destination is as it was before.
 *
 * @param path The destination; its directory must exist
 * @param write Writes the contents to the open file
 * @returns What `write` returned
 * @throws Whatever `write` or the file system throws; the unfinished file is removed
 */
export async function writeBeside<T>(
  path: string,
  write: (file: Deno.FsFile) => Promise<T>,
): Promise<T> {
  const unfinished = join(
    dirname(path),
    `.${basename(path)}.${crypto.randomUUID().slice(0, 8)}.unfinished`,
  );
  const file = await Deno.open(unfinished, { write: true, createNew: true });
  let result: T;
  try {
    try {
      result = await write(file);
      await file.syncData();
    } finally {
      file.close();
    }
    await Deno.rename(unfinished, path);
  } catch (error) {
    await Deno.remove(unfinished).catch(() => {});
    throw sayFull(error, path);
  }
  return result;
}

/**
 * Makes an error say which file a full disk has no room for, and what to do about it.
 *
 * @param error Any error
 * @param path The file that was being written
 * @returns The error, or one that says so
 */
export function sayFull(error: unknown, path: string): unknown {
  // ENOSPC and EDQUOT, as Deno writes them.
  if (!/\(os error (28|122)\)/.test(String(error))) return error;
  return new Error(
    `Cannot write "${path}": the disk is full; make room there, or write to another disk`,
    { cause: error },
  );
}

/**
 * Writes a small file whole or not at all; its folder is made where it is missing.
 *
 * @param path The destination
 * @param content Text (as UTF-8) or bytes
 */
export async function writeFileBeside(path: string, content: string | Uint8Array): Promise<void> {
  await Deno.mkdir(dirname(path), { recursive: true });
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  await writeBeside(path, (file) => writeAll(file, bytes));
}

/**
 * Makes a folder for files of one's own, where it is missing. A link in its place is refused: it leads where somebody
 * else chose.
 *
 * @param path The folder
 * @throws {Deno.errors.AlreadyExists} If something else than a folder is there
 */
export async function makeFolder(path: string): Promise<void> {
  const there = await Deno.lstat(path).catch(() => undefined);
  if (there !== undefined && !there.isDirectory) {
    throw new Deno.errors.AlreadyExists(
      `Cannot write into "${path}": it is ${there.isSymlink ? "a link" : "a file"}, not a folder`,
    );
  }
  await Deno.mkdir(path, { recursive: true });
}

/**
 * Writes all of a buffer; a single `write` may take only a part of it.
 *
 * @param file The open file
 * @param bytes What to write at the file's position
 */
export async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
}
