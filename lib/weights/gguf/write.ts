/**
 * Writing GGUF: with one tensor in memory at a time, and the file either complete or absent.
 *
 * https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
 *
 * @module
 */

import { narrow, type WritableDtype } from "../dtype.ts";
import { quote } from "../json.ts";
import {
  assertLength,
  type NamedTensor,
  WRITE_PROGRESS,
  type WriteProgress,
  writeTensors,
  type WrittenFile,
} from "../write_tensors.ts";
import { formatMetadata, type GgufMetadata, HeaderBytes } from "./format.ts";
import { quantizeQ8_0 } from "./quantize.ts";
import { GGML_TYPE_BY_NAME, GGML_TYPES } from "./types.ts";
import { assertKnownOptions, type OptionNames } from "../../options.ts";

/** Tensor types that float32 values are written as. */
export type WritableGgmlType = WritableDtype | "Q8_0";

/** A tensor to be written. */
export interface GgufEntry extends NamedTensor {
  /** Its name, unique in the file: `blk.0.attn_q.weight`. */
  name: string;
  /** Its shape with the fastest axis last, as everywhere in this library: one to four axes. */
  shape: readonly number[];
  /** The type to store; F32 if absent. Rows of Q8_0 must be multiples of 32. */
  type?: WritableGgmlType;
}

/** Options of {@linkcode writeGguf}. */
export interface WriteGgufOptions extends WriteProgress {
  /** The file's metadata, in this order. */
  metadata?: GgufMetadata;
}

/** The names of {@linkcode WriteGgufOptions}. */
export const WRITE_GGUF_OPTIONS: OptionNames<WriteGgufOptions> = {
  ...WRITE_PROGRESS,
  metadata: true,
};

interface Planned {
  entry: GgufEntry;
  type: WritableGgmlType;
  count: number;
  start: number;
  bytes: number;
}

const ALIGNMENT = 32;
const VERSION = 3;
const MAX_AXES = 4;
/** ggml stores a name with its terminating zero in 64 bytes. */
const MAX_NAME = 63;
const TYPE_IDS = new Map(Array.from(GGML_TYPES, ([id, { name }]) => [name, id]));

/**
 * Writes a GGUF file.
 *
 * Tensors are in the order of `entries`, so equal calls give equal bytes.
 *
 * @param path The file; its directory must exist
 * @param entries The tensors
 * @param options Metadata, signal and progress
 * @returns The file's length and hash
 * @throws {TypeError} If a name repeats, or an entry or a metadata value is not as described
 * @throws {RangeError} If values and shape disagree, rows do not fill blocks, or a value is too
 * large for the type
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { openGguf, writeGguf } from "tunebook/weights";
 *
 * const path = await Deno.makeTempFile({ suffix: ".gguf" });
 * const entries = [{ name: "a", shape: [2], data: new Float32Array([1, 2]) }];
 * await writeGguf(path, entries, { metadata: { "general.name": "mine" } });
 * using file = await openGguf(path);
 * assertEquals([...await file.read("a")], [1, 2]);
 * await Deno.remove(path);
 * ```
 */
export async function writeGguf(
  path: string,
  entries: Iterable<GgufEntry>,
  options: WriteGgufOptions = {},
): Promise<WrittenFile> {
  assertKnownOptions("write tensors", options, WRITE_GGUF_OPTIONS);
  const planned = plan(entries, path);
  const header = formatHeader(planned, options.metadata ?? {}, path);
  const last = planned.at(-1);
  const total = header.length + (last === undefined ? 0 : last.start + last.bytes);
  return await writeTensors(path, total, options, async ({ put, putValues }) => {
    await put(header);
    for (const tensor of planned) {
      const { entry, type, count, bytes } = tensor;
      await putValues(entry, count, {
        type,
        bytesOf: (count) => bytesOf(type, count),
        encode: (values, into) =>
          type === "Q8_0" ? quantizeQ8_0(values, into) : narrow(values, type, into),
      });
      // Nothing may follow the last tensor: Ollama would read it as another file.
      if (tensor !== last) await put(new Uint8Array(padded(bytes) - bytes));
    }
  });
}

function bytesOf(type: WritableGgmlType, count: number): number {
  const { blockElements, blockBytes } = GGML_TYPE_BY_NAME.get(type)!;
  return count / blockElements * blockBytes;
}

function padded(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}

/** Checks the entries and assigns offsets. */
function plan(entries: Iterable<GgufEntry>, path: string): Planned[] {
  const planned: Planned[] = [];
  const names = new Set<string>();
  let start = 0;
  for (const entry of entries) {
    const { name, shape, type = "F32", data } = entry;
    const cannot = `Cannot write tensor ${quote(name)} to "${path}"`;
    if (names.has(name)) throw new TypeError(`${cannot}: the name occurs twice`);
    names.add(name);
    const length = new TextEncoder().encode(name).length;
    if (length > MAX_NAME) {
      throw new RangeError(`${cannot}: its name has ${length} bytes, expected at most ${MAX_NAME}`);
    }
    if (!["F32", "F16", "BF16", "Q8_0"].includes(type)) {
      throw new TypeError(`${cannot}: its type must be F32, F16, BF16 or Q8_0, got ${type}`);
    }
    const whole = shape.every((size) => Number.isSafeInteger(size) && size >= 1);
    if (!whole || shape.length < 1 || shape.length > MAX_AXES) {
      throw new TypeError(
        `${cannot}: its shape (${shape.join(", ")}) must be of 1 to ${MAX_AXES} positive integers`,
      );
    }
    const count = shape.reduce((a, b) => a * b, 1);
    if (!Number.isSafeInteger(count * 4)) {
      throw new RangeError(`${cannot}: its shape (${shape.join(", ")}) is too large`);
    }
    const { blockElements } = GGML_TYPE_BY_NAME.get(type)!;
    if (shape.at(-1)! % blockElements !== 0) {
      throw new RangeError(
        `${cannot} as ${type}: its rows of ${
          shape.at(-1)
        } values must be multiples of ${blockElements}`,
      );
    }
    if (data instanceof Float32Array) assertLength(data.length, count, entry, path);
    const bytes = bytesOf(type, count);
    planned.push({ entry, type, count, start, bytes });
    start += padded(bytes);
  }
  return planned;
}

function formatHeader(planned: Planned[], metadata: GgufMetadata, path: string): Uint8Array {
  if (Object.hasOwn(metadata, "general.alignment")) {
    throw new TypeError(
      `Cannot write metadata "general.alignment" to "${path}": it is always ${ALIGNMENT}`,
    );
  }
  const header = new HeaderBytes();
  header.bytes(new TextEncoder().encode("GGUF"));
  header.number("uint32", VERSION);
  header.number("uint64", planned.length);
  formatMetadata(header, metadata, path);
  for (const { entry: { name, shape }, type, start } of planned) {
    header.text(name);
    header.number("uint32", shape.length);
    for (const size of shape.toReversed()) header.number("uint64", size);
    header.number("uint32", TYPE_IDS.get(type)!);
    header.number("uint64", start);
  }
  return header.finish(ALIGNMENT);
}
