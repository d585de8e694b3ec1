/**
 * Writing safetensors: with one tensor in memory at a time, and the file either complete or absent.
 *
 * @module
 */

import { DTYPE_BITS, narrow, type WritableDtype } from "../dtype.ts";
import { quote } from "../json.ts";
import {
  assertLength,
  type NamedTensor,
  WRITE_PROGRESS,
  type WriteProgress,
  writeTensors,
  type WrittenFile,
} from "../write_tensors.ts";
import { HEADER_START, MAX_HEADER_BYTES } from "./header.ts";
import { assertKnownOptions, type OptionNames } from "../../options.ts";

/** A tensor to be written. */
export interface TensorEntry extends NamedTensor {
  /** Its name, unique in the file. */
  name: string;
  /** Its shape; empty for a scalar. */
  shape: readonly number[];
  /** The type to store; F32 if absent. */
  dtype?: WritableDtype;
}

/** Options of {@linkcode writeSafetensors}. */
export interface WriteOptions extends WriteProgress {
  /**
   * A map of strings kept under `__metadata__`; by default `{format: "pt"}`, which transformers
   * requires.
   */
  metadata?: Readonly<Record<string, string>>;
}

/** The names of {@linkcode WriteOptions}. */
export const WRITE_OPTIONS: OptionNames<WriteOptions> = { ...WRITE_PROGRESS, metadata: true };

interface Planned {
  entry: TensorEntry;
  dtype: WritableDtype;
  count: number;
  offsets: [number, number];
}

/**
 * Writes a safetensors file.
 *
 * Tensors are sorted by descending element size, then by name, as in safetensors' own library. So
 * each is aligned, and equal contents give equal bytes regardless of the order of `entries`.
 *
 * @param path The file; its directory must exist
 * @param entries The tensors
 * @param options Metadata, signal and progress
 * @returns The file's length and hash
 * @throws {TypeError} If a name repeats or an entry is not as described
 * @throws {RangeError} If values and shape disagree, or a finite value is too large for F16 or BF16
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { openSafetensors, writeSafetensors } from "tunebook/weights";
 *
 * const path = await Deno.makeTempFile({ suffix: ".safetensors" });
 * await writeSafetensors(path, [{ name: "a", shape: [2], data: new Float32Array([1, 2]) }]);
 * using file = await openSafetensors(path);
 * assertEquals([...await file.read("a")], [1, 2]);
 * await Deno.remove(path);
 * ```
 */
export async function writeSafetensors(
  path: string,
  entries: Iterable<TensorEntry>,
  options: WriteOptions = {},
): Promise<WrittenFile> {
  assertKnownOptions("write tensors", options, WRITE_OPTIONS);
  const planned = plan(entries, path);
  const header = formatHeader(planned, options.metadata ?? { format: "pt" }, path);
  const total = header.length + (planned.at(-1)?.offsets[1] ?? 0);
  return await writeTensors(path, total, options, async ({ put, putValues }) => {
    await put(header);
    for (const { entry, dtype, count } of planned) {
      await putValues(entry, count, {
        type: dtype,
        bytesOf: (count) => count * DTYPE_BITS[dtype] / 8,
        encode: (values, bytes) => narrow(values, dtype, bytes),
      });
    }
  });
}

/** Checks the entries and assigns offsets. */
function plan(entries: Iterable<TensorEntry>, path: string): Planned[] {
  const planned: Planned[] = [];
  const names = new Set<string>();
  for (const entry of entries) {
    const { name, shape, dtype = "F32", data } = entry;
    const cannot = `Cannot write tensor ${quote(name)} to "${path}"`;
    if (name === "__metadata__") throw new TypeError(`${cannot}: the format reserves this name`);
    if (names.has(name)) throw new TypeError(`${cannot}: the name occurs twice`);
    names.add(name);
    if (dtype !== "F32" && dtype !== "F16" && dtype !== "BF16") {
      throw new TypeError(`${cannot}: its dtype must be F32, F16 or BF16, got ${dtype}`);
    }
    if (!shape.every((size) => Number.isSafeInteger(size) && size >= 0)) {
      throw new TypeError(`${cannot}: its shape (${shape.join(", ")}) must be of whole numbers`);
    }
    const count = shape.reduce((a, b) => a * b, 1);
    if (!Number.isSafeInteger(count * 4)) {
      throw new RangeError(`${cannot}: its shape (${shape.join(", ")}) is too large`);
    }
    if (data instanceof Float32Array) assertLength(data.length, count, entry, path);
    planned.push({ entry, dtype, count, offsets: [0, 0] });
  }
  // The library's order: by descending rank of the dtype in its own list, in which BF16 follows
  // F16.
  const rank = { F32: 0, BF16: 1, F16: 2 };
  planned.sort((a, b) =>
    rank[a.dtype] - rank[b.dtype] || compareByCodePoint(a.entry.name, b.entry.name)
  );
  let end = 0;
  for (const tensor of planned) {
    tensor.offsets = [end, end += tensor.count * DTYPE_BITS[tensor.dtype] / 8];
  }
  return planned;
}

function compareByCodePoint(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function formatHeader(
  planned: Planned[],
  metadata: Readonly<Record<string, string>>,
  path: string,
): Uint8Array<ArrayBuffer> {
  for (const [key, value] of Object.entries(metadata)) {
    if (typeof value !== "string") {
      throw new TypeError(
        `Cannot write metadata ${quote(key)} to "${path}": it must be a string`,
      );
    }
  }
  const members: string[] = [];
  if (Object.keys(metadata).length > 0) {
    members.push(`"__metadata__":${JSON.stringify(metadata)}`);
  }
  // Joined by hand, because a plain object would put names that look like array indices first.
  for (const { entry, dtype, offsets } of planned) {
    const description = { dtype, shape: entry.shape, data_offsets: offsets };
    members.push(`${JSON.stringify(entry.name)}:${JSON.stringify(description)}`);
  }
  const json = new TextEncoder().encode(`{${members.join(",")}}`);
  const length = Math.ceil(json.length / 8) * 8; // padded with spaces, so that tensors are aligned
  if (length > MAX_HEADER_BYTES) {
    throw new RangeError(
      `Cannot write "${path}": the header needs ${length} bytes and at most ${MAX_HEADER_BYTES} are allowed`,
    );
  }
  const header = new Uint8Array(HEADER_START + length).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(length), true);
  header.set(json, HEADER_START);
  return header;
}
