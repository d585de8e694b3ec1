/**
 * The index of a model that is split over several files: `model.safetensors.index.json` or
 * `pytorch_model.bin.index.json`, as Hugging Face's transformers writes it.
 *
 * @module
 */

import { isObject, parseStrictJson, quote } from "../json.ts";

/** A parsed index. */
export interface ShardIndex {
  /** The file name (no directory) of the shard that holds each tensor. */
  shardOf: Map<string, string>;
  /** The shards' file names, each once, sorted. */
  shards: string[];
  /** The content of `metadata`, usually `total_size`. */
  metadata: Record<string, unknown>;
}

const MAX_INDEX_BYTES = 100_000_000;

/**
 * Parses an index.
 *
 * @param bytes The JSON document
 * @param path The file, for error messages
 * @returns Which shard holds which tensor
 * @throws {SyntaxError} If it is not an index, or a shard is outside the directory
 */
export function parseShardIndex(bytes: Uint8Array, path: string): ShardIndex {
  const extension = path.endsWith(".bin.index.json") ? ".bin" : ".safetensors";
  const fail = (reason: string): never => {
    throw new SyntaxError(`Cannot read the index "${path}": ${reason}`);
  };
  if (bytes.length > MAX_INDEX_BYTES) {
    return fail(`it has ${bytes.length} bytes and at most ${MAX_INDEX_BYTES} are allowed`);
  }
  const parsed = parseStrictJson(bytes, `index "${path}"`);
  if (!isObject(parsed) || !isObject(parsed.weight_map)) {
    return fail(`it must be an object with a "weight_map"`);
  }
  const shardOf = new Map<string, string>();
  for (const [name, shard] of Object.entries(parsed.weight_map)) {
    if (typeof shard !== "string" || !/^[^/\\]+$/.test(shard) || !shard.endsWith(extension)) {
      return fail(
        `tensor ${quote(name)} must be in a ${extension} file of the same directory, not in ${
          quote(String(shard))
        }`,
      );
    }
    shardOf.set(name, shard);
  }
  if (shardOf.size === 0) return fail(`its "weight_map" names no tensor`);
  return {
    shardOf,
    shards: [...new Set(shardOf.values())].sort(),
    metadata: isObject(parsed.metadata) ? parsed.metadata : {},
  };
}
