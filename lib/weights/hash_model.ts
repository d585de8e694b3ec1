/**
 * The hash of a model's weights, by which a report says which model it was.
 *
 * @module
 */

import { partsOf } from "./gguf/parts.ts";
import type { ResolvedModel } from "./resolved.ts";
import { openSafetensors } from "./safetensors/read.ts";
import { sha256Files } from "./sha256.ts";

/** Hashes of this process, by the files, their sizes and times: a notebook may load a model many times. */
const known = new Map<string, string>();

/**
 * SHA-256 of the files with a model's weights, one after another.
 *
 * @param source The model's files.
 * @param options Stops the reading.
 * @returns The hash in hexadecimal; undefined if the hub's commit says what the files are.
 */
export async function hashModel(
  source: ResolvedModel,
  { signal }: { signal?: AbortSignal } = {},
): Promise<string | undefined> {
  if (source.commit !== undefined) return undefined;
  // Ollama names its files by their hashes.
  const blob = source.source === "ollama" ? /sha256-([0-9a-f]{64})$/.exec(source.weights) : null;
  if (blob !== null) return blob[1];
  const files = await filesOf(source);
  const stamps = await Promise.all(files.map(async (file) => {
    const { size, mtime } = await Deno.stat(file);
    return [file, size, mtime?.getTime()];
  }));
  const key = JSON.stringify(stamps);
  const before = known.get(key);
  if (before !== undefined) return before;
  const sha256 = await sha256Files(files, signal ? { signal } : {});
  known.set(key, sha256);
  return sha256;
}

async function filesOf(source: ResolvedModel): Promise<readonly string[]> {
  if (source.kind === "gguf") return partsOf(source.weights);
  if (source.weights.endsWith(".safetensors")) return [source.weights];
  using opened = await openSafetensors(source.weights);
  return opened.files;
}
