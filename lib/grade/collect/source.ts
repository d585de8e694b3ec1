/**
 * Where submissions come from: a folder or a zip.
 *
 * @module
 */

import { openArchive } from "./archive.ts";
import { openFolder } from "./folder.ts";
import type { Source } from "./source_file.ts";

/**
 * Opens a folder or a zip.
 *
 * @param path The folder or file.
 * @param maxFiles The most files that are listed.
 * @returns Its files; close it when they are read.
 * @throws {Error} If it is neither, or cannot be read.
 */
export async function openSource(path: string, maxFiles: number): Promise<Source> {
  const info = await Deno.stat(path).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Deno.errors.NotFound(
      `Cannot collect from "${path}": there is no such file or folder`,
    );
  });
  return info.isDirectory ? await openFolder(path, maxFiles) : await openArchive(path, maxFiles);
}
