/**
 * The tensors of a model that is split over several files. As in transformers, a tensor is read from the file that holds it,
 * wherever the index says that it is.
 *
 * @module
 */

import { quote } from "./json.ts";
import type { StoredTensor } from "./tensor_file.ts";

/** The tensors of several files. */
export interface MergedShards<T> {
  /** Tensors by name. */
  readonly tensors: Map<string, T>;
  /** The file of each. */
  readonly shardOf: Map<string, string>;
  /** Tensors that the index names and no file holds, as of a tied head, and the files that it names for them. */
  readonly absent: Map<string, string>;
}

/**
 * Merges the tensors of several files.
 *
 * @param path The index, for messages.
 * @param index The file of each tensor, as the index has it.
 * @param shards The tensors of each file.
 * @param readBytes Reads a tensor of a file.
 * @returns The tensors by name.
 * @throws {SyntaxError} If files hold different tensors of the same name.
 */
export async function mergeShards<T extends StoredTensor>(
  path: string,
  index: ReadonlyMap<string, string>,
  shards: ReadonlyMap<string, ReadonlyMap<string, T>>,
  readBytes: (shard: string, name: string) => Promise<Uint8Array>,
): Promise<MergedShards<T>> {
  const tensors = new Map<string, T>();
  const shardOf = new Map<string, string>();
  for (const [shard, own] of shards) {
    for (const [name, info] of own) {
      const other = shardOf.get(name);
      if (other !== undefined) {
        const known = tensors.get(name)!;
        const isSame = known.dtype === info.dtype && known.shape.join() === info.shape.join() &&
          sameBytes(await readBytes(other, name), await readBytes(shard, name));
        if (!isSame) {
          throw new SyntaxError(
            `Cannot read the index "${path}": tensor ${
              quote(name)
            } is in "${other}" and, with other values, ` +
              `in "${shard}", expected one file to hold it`,
          );
        }
      }
      tensors.set(name, info);
      shardOf.set(name, shard);
    }
  }
  const absent = new Map([...index].filter(([name]) => !tensors.has(name)));
  return { tensors, shardOf, absent };
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
