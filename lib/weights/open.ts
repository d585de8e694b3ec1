/**
 * Opens a model's weights, whatever files they are in.
 *
 * @module
 */

import { dirname } from "@std/path/dirname";
import { join } from "@std/path/join";
import { findWeights } from "./find.ts";
import { openStateDict } from "./pytorch/read.ts";
import { parseShardIndex } from "./safetensors/index_file.ts";
import { openSafetensors } from "./safetensors/read.ts";
import { type MergedShards, mergeShards } from "./shards.ts";
import { findTensor, type StoredTensor, type TensorFile } from "./tensor_file.ts";

/**
 * Opens safetensors or PyTorch's state dicts.
 *
 * @param path A file, the index of several, or a model's directory.
 * @returns Its tensors; close it after use, or declare it with `using`.
 * @throws {Deno.errors.NotFound} If there is no such file, or the directory holds no weights.
 * @throws {SyntaxError} If a file is damaged, or holds anything but tensors.
 */
export async function openWeights(path: string): Promise<TensorFile> {
  const found = await findWeights(path);
  if (found.endsWith(".bin.index.json")) return await openStateDicts(found);
  return found.endsWith(".bin") ? await openStateDict(found) : await openSafetensors(found);
}

/** Several state dicts with an index. */
async function openStateDicts(path: string): Promise<TensorFile> {
  const { shardOf, shards } = parseShardIndex(await Deno.readFile(path), path);
  const files = new Map<string, TensorFile>();
  const close = () => files.forEach((file) => file.close());
  let merged: MergedShards<StoredTensor>;
  try {
    for (const shard of shards) files.set(shard, await openStateDict(join(dirname(path), shard)));
    const tensors = new Map(Array.from(files, ([shard, file]) => [shard, file.tensors]));
    const readBytes = async (shard: string, name: string) =>
      await files.get(shard)!.readBytes(name);
    merged = await mergeShards(path, shardOf, tensors, readBytes);
  } catch (error) {
    close();
    throw error;
  }
  const info = (name: string) => findTensor({ path, tensors: merged.tensors }, name);
  const of = (name: string) => (info(name), files.get(merged.shardOf.get(name)!)!);
  return {
    path,
    tensors: merged.tensors,
    info,
    read: async (name, options) => await of(name).read(name, options),
    readBytes: async (name) => await of(name).readBytes(name),
    close,
    [Symbol.dispose]: close,
  };
}
