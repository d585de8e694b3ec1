/**
 * Where submissions come from: a folder or a zip, as a list of files that are read one at a time, each within a limit.
 * What must not be read (links, encrypted entries, paths that lead elsewhere) stays in the list with the reason.
 *
 * @module
 */

import { openArchive } from "./archive.ts";
import { openFolder } from "./folder.ts";

/** A file of a source. */
export interface SourceFile {
  /** The components of its path, as the source has them. */
  readonly path: readonly string[];
  /** Its size in bytes, as the source says. */
  readonly size: number;
  /** When it was changed, as the source says. */
  readonly modified?: Date;
  /** Why it must not be read; undefined if it may. */
  readonly fault?: string;
  /**
   * Reads it whole.
   *
   * @param limit The most bytes that are read.
   * @throws {RangeError} If it holds more.
   * @throws {Error} If it cannot be read, or is not what the source says.
   */
  read(limit: number): Promise<Uint8Array<ArrayBuffer>>;
}

/** A folder or an archive. */
export interface Source extends AsyncDisposable {
  /** Its files. */
  readonly files: readonly SourceFile[];
}

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
