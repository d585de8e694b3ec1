/**
 * PyTorch state dicts: the files that `torch.load(path, weights_only=True)` reads.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { assertKnownOptions } from "../../options.ts";
import { writeAll, writeBeside } from "../../write_beside.ts";
import { DTYPE_BITS, narrow, type WritableDtype } from "../dtype.ts";
import { quote } from "../json.ts";
import {
  allValues,
  assertLength,
  type NamedTensor,
  WRITE_PROGRESS,
  type WriteProgress,
  type WrittenFile,
} from "../write_tensors.ts";
import { type PickledTensor, pickleStateDict } from "./pickle.ts";

/** A tensor of a state dict. */
export interface StateDictEntry extends NamedTensor {
  /** How its values are stored. F32 by default. */
  readonly dtype?: WritableDtype;
  /** Other names of the same tensor, as of an output head that is the token embedding. */
  readonly aliases?: readonly string[];
}

/** The same tensors give the same file. */
const TIME = new Date(1980, 0, 1);
/** Values encoded at once. */
const PIECE = 1 << 18;

/**
 * Writes a PyTorch state dict, atomically.
 *
 * @param path The file; its directory must exist.
 * @param entries The tensors, in the dictionary's order.
 * @param options Signal and progress.
 * @returns The file's length and hash.
 * @throws {RangeError} If values and shape disagree, or a finite value is too large for its type.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { readStateDict, writeStateDict } from "tunebook/weights";
 *
 * const path = await Deno.makeTempFile({ suffix: ".pth" });
 * await writeStateDict(path, [{ name: "a", shape: [2], data: new Float32Array([1, 2]) }]);
 * for await (const { name, data } of readStateDict(path)) assertEquals([name, ...data], ["a", 1, 2]);
 * await Deno.remove(path);
 * ```
 */
export async function writeStateDict(
  path: string,
  entries: readonly StateDictEntry[],
  options: WriteProgress = {},
): Promise<WrittenFile> {
  assertKnownOptions("write tensors", options, WRITE_PROGRESS);
  const { signal, onProgress } = options;
  const names = entries.flatMap(({ name, aliases = [] }) => [name, ...aliases]);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) {
    throw new TypeError(`Cannot write tensor ${quote(twice)} to "${path}": the name occurs twice`);
  }
  const sizes = entries.map(({ shape }) => shape.reduce((a, b) => a * b, 1));
  const total = entries.reduce(
    (sum, { dtype = "F32" }, i) => sum + sizes[i] * DTYPE_BITS[dtype] / 8,
    0,
  );
  const { Uint8ArrayReader, ZipWriter } = await import("@zip.js/zip.js"); // when it is needed
  const hash = createHash("sha256");
  let bytes = 0;
  await writeBeside(path, async (file) => {
    const sink = new WritableStream<Uint8Array>({
      async write(chunk) {
        hash.update(chunk);
        await writeAll(file, chunk);
        bytes += chunk.length;
      },
    });
    const zip = new ZipWriter(sink, {
      level: 0, // PyTorch maps tensors from the file
      lastModDate: TIME,
      extendedTimestamp: false,
      useWebWorkers: false,
      keepOrder: true,
    });
    const add = (name: string, content: Uint8Array) =>
      zip.add(`archive/${name}`, new Uint8ArrayReader(content));
    await add("data.pkl", pickleStateDict(entries.flatMap((entry, i) => describe(entry, i))));
    await add("byteorder", new TextEncoder().encode("little"));
    let done = 0;
    for (const [i, entry] of entries.entries()) {
      signal?.throwIfAborted();
      await zip.add(
        `archive/data/${i}`,
        valuesOf(entry, sizes[i], path, (count) => {
          signal?.throwIfAborted();
          onProgress?.(done += count, total);
        }),
      );
    }
    await add("version", new TextEncoder().encode("3\n"));
    await zip.close();
  });
  return { path, bytes, sha256: hash.digest("hex") };
}

/** The entry of a tensor in the dictionary, under each of its names. */
function describe(
  { name, shape, dtype = "F32", aliases = [] }: StateDictEntry,
  index: number,
): PickledTensor[] {
  const strides = shape.map((_, i) => shape.slice(i + 1).reduce((a, b) => a * b, 1));
  const storageSize = shape.reduce((a, b) => a * b, 1);
  const storage = String(index);
  return [name, ...aliases].map((name) => (
    { name, shape, dtype, storage, storageSize, offset: 0, strides }
  ));
}

/** A tensor's bytes, in pieces. */
function valuesOf(
  entry: StateDictEntry,
  count: number,
  path: string,
  onPiece: (bytes: number) => void,
): ReadableStream<Uint8Array> {
  const { name, dtype = "F32" } = entry;
  async function* pieces(): AsyncGenerator<Uint8Array, void, void> {
    const values = await allValues(entry);
    assertLength(values.length, count, entry, path);
    for (let start = 0; start < count; start += PIECE) {
      const part = values.subarray(start, start + PIECE);
      const bytes = new Uint8Array(part.length * DTYPE_BITS[dtype] / 8);
      const misfit = narrow(part, dtype, bytes);
      if (misfit >= 0) {
        throw new RangeError(
          `Cannot write tensor ${quote(name)} to "${path}" as ${dtype}: value ${
            part[misfit]
          } at index ${start + misfit} is too large`,
        );
      }
      onPiece(bytes.length);
      yield bytes;
    }
  }
  return ReadableStream.from(pieces());
}
