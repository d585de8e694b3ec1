/**
 * Hashes of files, read in chunks.
 *
 * @module
 */

import { createHash, type Hash } from "node:crypto";
import type { OptionNames } from "../options.ts";

/** How a long read reports progress and is stopped. */
export interface StreamOptions {
  /** Stops the work: the call rejects with the signal's reason. */
  signal?: AbortSignal;
  /** Called after each chunk with the bytes done so far and the total. */
  onProgress?: (done: number, total: number) => void;
}

/** The names of {@linkcode StreamOptions}. */
export const STREAM_OPTIONS: OptionNames<StreamOptions> = { signal: true, onProgress: true };

const PIECE = 4 << 20;

/**
 * SHA-256 of a file, in bounded memory.
 *
 * @param path The file
 * @param options Signal and progress
 * @returns The hash in lowercase hexadecimal
 * @throws {Deno.errors.NotFound} If there is no such file
 */
export async function sha256File(path: string, options: StreamOptions = {}): Promise<string> {
  return await sha256Files([path], options);
}

/**
 * SHA-256 of files, one after another, in bounded memory.
 *
 * @param paths The files
 * @param options Signal and progress, per file
 * @returns The hash in lowercase hexadecimal
 * @throws {Deno.errors.NotFound} If one is missing
 */
export async function sha256Files(
  paths: readonly string[],
  options: StreamOptions = {},
): Promise<string> {
  const hash = createHash("sha256");
  for (const path of paths) await updateFromFile(path, [hash], options);
  return hash.digest("hex");
}

/**
 * Feeds a file's bytes to hashes.
 *
 * @param path The file
 * @param hashes Each is updated with every byte, in order
 * @param options Signal and progress
 * @returns How many bytes were read
 */
export async function updateFromFile(
  path: string,
  hashes: Hash[],
  options: StreamOptions = {},
): Promise<number> {
  using file = await Deno.open(path);
  const total = (await file.stat()).size;
  const piece = new Uint8Array(Math.min(PIECE, Math.max(total, 1)));
  let done = 0;
  for (;;) {
    options.signal?.throwIfAborted();
    const read = await file.read(piece);
    if (read === null) return done;
    for (const hash of hashes) hash.update(piece.subarray(0, read));
    done += read;
    options.onProgress?.(done, total);
  }
}
