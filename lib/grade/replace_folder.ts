/**
 * Folders that are either whole or as they were before: written beside their place, then renamed into it.
 *
 * @module
 */

import { basename } from "@std/path/basename";
import { dirname } from "@std/path/dirname";
import { join } from "@std/path/join";

/**
 * Writes a folder beside its place and renames it there: it is whole, or as it was before.
 *
 * @param folder Its place; a folder that is there is replaced.
 * @param write Fills the folder that will be renamed.
 */
export async function replaceFolder(
  folder: string,
  write: (unfinished: string) => Promise<void>,
): Promise<void> {
  const parent = dirname(folder);
  await Deno.mkdir(parent, { recursive: true });
  const beside = (what: string) => join(parent, `.${basename(folder)}.${what}`);
  const [unfinished, before] = [beside("unfinished"), beside("before")];
  // What a killed process has left: the folder may have lost its name, and not have been replaced.
  if (!await isThere(folder) && await isThere(before)) await Deno.rename(before, folder);
  for (const path of [unfinished, before]) await removeIfThere(path);
  await Deno.mkdir(unfinished);
  await write(unfinished);
  if (await isThere(folder)) await Deno.rename(folder, before);
  await Deno.rename(unfinished, folder);
  await removeIfThere(before);
}

async function isThere(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Removes a file or folder, if there is one. */
export async function removeIfThere(path: string): Promise<void> {
  try {
    await Deno.remove(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
