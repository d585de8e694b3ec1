/**
 * Names files of a Git repository that were never fetched: Git LFS leaves a few lines in the place of each.
 *
 * @module
 */

/** More bytes than a pointer has, by its specification. */
export const LARGEST_POINTER = 1024;

const FIRST_LINE = "version https://git-lfs.github.com/spec/";

/**
 * Refuses what stands in the place of a large file where Git LFS has not fetched it.
 *
 * @param bytes The file's first bytes.
 * @param path The file, for the message.
 * @throws {SyntaxError} If they are a pointer; the message says how to fetch the file.
 */
export function assertNoPointer(bytes: Uint8Array, path: string): void {
  const start = new TextDecoder().decode(bytes.subarray(0, FIRST_LINE.length));
  if (start !== FIRST_LINE) return;
  throw new SyntaxError(
    `Cannot read "${path}": it is a pointer of Git LFS, not the file itself; "git lfs pull" in its repository fetches it`,
  );
}
