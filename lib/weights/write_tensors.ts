/**
 * The writer of all tensor formats: holds one tensor in memory at a time, encodes it in pieces,
 * hashes the file on the way, and leaves it either complete or absent.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { writeAll, writeBeside } from "../write_beside.ts";
import { quote } from "./json.ts";
import type { OptionNames } from "../options.ts";

/**
 * A tensor's values in row-major order, or a function that returns them when they are written, so that only one tensor is in
 * memory, or only a part of it: an iterable gives parts, each but the last a multiple of 256 values, and may use their memory
 * again for the next.
 */
export type TensorData =
  | Float32Array
  | (() => Float32Array | Promise<Float32Array> | AsyncIterable<Float32Array>);

/** How writing a file is stopped and reports progress. */
export interface WriteProgress {
  /** Stops the writing: the call rejects with the signal's reason and no file is left. */
  signal?: AbortSignal;
  /** Called while bytes are written, with the bytes done so far and the total. */
  onProgress?: (done: number, total: number) => void;
}

/** The names of {@linkcode WriteProgress}. */
export const WRITE_PROGRESS: OptionNames<WriteProgress> = { signal: true, onProgress: true };

/** A written file. */
export interface WrittenFile {
  /** The file. */
  path: string;
  /** Its length in bytes. */
  bytes: number;
  /** Its SHA-256 in hexadecimal, computed while writing. */
  sha256: string;
}

/** A tensor as an entry of a file. */
export interface NamedTensor {
  /** Its name. */
  name: string;
  /** Its shape. */
  shape: readonly number[];
  /** Its values. */
  data: TensorData;
}

/** How values are stored. */
export interface Encoding {
  /** The stored type, for messages: `"F16"`. */
  readonly type: string;
  /**
   * The number of bytes for a number of values.
   *
   * @param count A multiple of the number encoded at once.
   * @returns Bytes.
   */
  bytesOf(count: number): number;
  /**
   * Encodes values.
   *
   * @param values A part of a tensor's values.
   * @param bytes Receives them.
   * @returns The index of a value that does not fit the type, or -1.
   */
  encode(values: Float32Array, bytes: Uint8Array): number;
}

/** A file being written. */
export interface TensorSink {
  /**
   * Writes bytes unchanged.
   *
   * @param bytes The bytes.
   */
  put(bytes: Uint8Array): Promise<void>;
  /**
   * Gets a tensor's values and writes them in pieces.
   *
   * @param tensor The tensor.
   * @param count The number of values in its shape.
   * @param encoding How to store them.
   * @throws {TypeError} If the values are not a Float32Array.
   * @throws {RangeError} If there are more or fewer, or one does not fit the type.
   */
  putValues(tensor: NamedTensor, count: number, encoding: Encoding): Promise<void>;
}

/** Values encoded at once: a multiple of every type's block. */
const PIECE_ELEMENTS = 1 << 18;
/** Values of the largest block of a type. */
const BLOCK_ELEMENTS = 256;

/**
 * Writes a file of tensors.
 *
 * @param path The file; its directory must exist.
 * @param total Its length in bytes.
 * @param options Signal and progress.
 * @param write Writes the content.
 * @returns The file's length and hash.
 */
export async function writeTensors(
  path: string,
  total: number,
  { signal, onProgress }: WriteProgress,
  write: (sink: TensorSink) => Promise<void>,
): Promise<WrittenFile> {
  const hash = createHash("sha256");
  let done = 0;
  await writeBeside(path, async (file) => {
    const put = async (bytes: Uint8Array) => {
      signal?.throwIfAborted();
      hash.update(bytes);
      await writeAll(file, bytes);
      done += bytes.length;
      onProgress?.(done, total);
    };
    const piece = new Uint8Array(PIECE_ELEMENTS * 4);
    const putValues = async (tensor: NamedTensor, count: number, encoding: Encoding) => {
      signal?.throwIfAborted();
      for await (const { first, values } of valuesOf(tensor, count, path)) {
        for (let start = 0; start < values.length; start += PIECE_ELEMENTS) {
          const part = values.subarray(start, start + PIECE_ELEMENTS);
          const bytes = piece.subarray(0, encoding.bytesOf(part.length));
          const misfit = encoding.encode(part, bytes);
          if (misfit >= 0) {
            const value = part[misfit];
            throw new RangeError(
              `Cannot write tensor ${
                quote(tensor.name)
              } to "${path}" as ${encoding.type}: value ${value} at index ${
                first + start + misfit
              } is ${Number.isFinite(value) ? "too large" : "not finite"}`,
            );
          }
          await put(bytes);
        }
      }
    };
    await write({ put, putValues });
  });
  return { path, bytes: total, sha256: hash.digest("hex") };
}

/**
 * Gets a tensor's values, in the parts that it comes in.
 *
 * @param tensor The tensor.
 * @param count The number of values in its shape.
 * @param path The file, for messages.
 * @returns Each part with the index of its first value.
 * @throws {TypeError} If the values are not a Float32Array, or several.
 * @throws {RangeError} If there are more or fewer than the shape has, or a part is not a multiple of the largest block.
 */
async function* valuesOf(
  tensor: NamedTensor,
  count: number,
  path: string,
): AsyncGenerator<{ first: number; values: Float32Array }, void, void> {
  const cannot = `Cannot write tensor ${quote(tensor.name)} to "${path}"`;
  const data = typeof tensor.data === "function" ? await tensor.data() : tensor.data;
  const parts = isIterable(data) ? data : [data];
  let length = 0;
  for await (const values of parts) {
    if (!(values instanceof Float32Array)) {
      throw new TypeError(`${cannot}: its values must be a Float32Array`);
    }
    const first = length;
    if (first % BLOCK_ELEMENTS !== 0) {
      throw new RangeError(
        `${cannot}: a part begins at value ${first}, expected a multiple of ${BLOCK_ELEMENTS}`,
      );
    }
    length += values.length;
    if (length > count) break;
    yield { first, values };
  }
  assertLength(length, count, tensor, path);
}

/**
 * Gets all values of a tensor.
 *
 * @param tensor The tensor.
 * @returns Its values, those of its parts one after another.
 */
export async function allValues({ data }: NamedTensor): Promise<Float32Array> {
  const values = typeof data === "function" ? await data() : data;
  if (!isIterable(values)) return values;
  const parts = await Array.fromAsync(values, (part) => part.slice());
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function isIterable(data: unknown): data is AsyncIterable<Float32Array> {
  return typeof (data as Partial<AsyncIterable<unknown>> | undefined)?.[Symbol.asyncIterator] ===
    "function";
}

/**
 * Checks a tensor's values against its shape.
 *
 * @param length How many values there are.
 * @param count The number of values in its shape.
 * @param tensor The tensor.
 * @param path The file, for messages.
 * @throws {RangeError} If there are more or fewer.
 */
export function assertLength(
  length: number,
  count: number,
  { name, shape }: NamedTensor,
  path: string,
): void {
  if (length !== count) {
    throw new RangeError(
      `Cannot write tensor ${quote(name)} to "${path}": its shape (${shape.join(", ")}) needs ` +
        `${count} values and it has ${length}`,
    );
  }
}
