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
 * A tensor's values in row-major order, or a function that returns them when they are written, so
 * that only one tensor is in memory.
 */
export type TensorData = Float32Array | (() => Float32Array | Promise<Float32Array>);

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
      const data = typeof tensor.data === "function" ? await tensor.data() : tensor.data;
      const cannot = `Cannot write tensor ${quote(tensor.name)} to "${path}"`;
      if (!(data instanceof Float32Array)) {
        throw new TypeError(`${cannot}: its values must be a Float32Array`);
      }
      assertLength(data, count, tensor, path);
      for (let start = 0; start < count; start += PIECE_ELEMENTS) {
        const part = data.subarray(start, start + PIECE_ELEMENTS);
        const bytes = piece.subarray(0, encoding.bytesOf(part.length));
        const misfit = encoding.encode(part, bytes);
        if (misfit >= 0) {
          const value = part[misfit];
          throw new RangeError(
            `${cannot} as ${encoding.type}: value ${value} at index ${start + misfit} is ${
              Number.isFinite(value) ? "too large" : "not finite"
            }`,
          );
        }
        await put(bytes);
      }
    };
    await write({ put, putValues });
  });
  return { path, bytes: total, sha256: hash.digest("hex") };
}

/**
 * Checks a tensor's values against its shape.
 *
 * @param data The values.
 * @param count The number of values in its shape.
 * @param tensor The tensor.
 * @param path The file, for messages.
 * @throws {RangeError} If there are more or fewer.
 */
export function assertLength(
  data: Float32Array,
  count: number,
  { name, shape }: NamedTensor,
  path: string,
): void {
  if (data.length !== count) {
    throw new RangeError(
      `Cannot write tensor ${quote(name)} to "${path}": its shape (${shape.join(", ")}) needs ` +
        `${count} values and it has ${data.length}`,
    );
  }
}
