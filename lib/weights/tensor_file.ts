/**
 * What all files of weights have in common, whatever their format: tensors by name.
 *
 * @module
 */

import { similarName } from "../similar_name.ts";
import { quote } from "./json.ts";
import type { ReadOptions } from "./rows.ts";

/** A tensor in a file. */
export interface StoredTensor {
  /** The type of its elements: `"BF16"`, `"F8_E4M3"`, `"NF4"`, … */
  readonly dtype: string;
  /** Its shape. */
  readonly shape: readonly number[];
  /** The path of the file that holds it. */
  readonly file: string;
  /** Whether bitsandbytes packed it, for which all matrices are (out, in). */
  readonly isBlocked?: boolean;
  /** The first byte of its data in the file and one past the last, where it stands there as it is. */
  readonly byteOffsets?: readonly [start: number, end: number];
}

/** An open file of weights, or several that belong together. */
export interface TensorFile extends Disposable {
  /** The file or index that was opened. */
  readonly path: string;
  /** The tensors by name. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** Describes a tensor; throws a RangeError if there is none of this name. */
  info(name: string): StoredTensor;
  /** Reads a tensor, or some of its rows, as float32, in row-major order. */
  read(name: string, options?: ReadOptions): Promise<Float32Array>;
  /** Reads a tensor's bytes as they are stored, in row-major order. */
  readBytes(name: string): Promise<Uint8Array<ArrayBuffer>>;
  /** Closes the files. */
  close(): void;
}

/**
 * Finds a tensor.
 *
 * @param file The file.
 * @param name The tensor's name.
 * @returns Its description.
 * @throws {RangeError} If there is no such tensor; the message suggests the nearest name.
 */
export function findTensor<T extends StoredTensor>(
  file: { readonly path: string; readonly tensors: ReadonlyMap<string, T> },
  name: string,
): T {
  const info = file.tensors.get(name);
  if (info !== undefined) return info;
  // A comparison takes microseconds, and a hostile header may hold a million names.
  const names = [...file.tensors.keys()];
  const near = names.length <= 5000 ? similarName(name, names) : undefined;
  throw new RangeError(
    `Cannot find tensor ${quote(name)} in "${file.path}", which holds ${names.length}${
      near === undefined ? "" : `: did you mean ${quote(near)}`
    }`,
  );
}
