/**
 * Which part of a tensor is read, and where it goes.
 *
 * @module
 */

import { quote } from "./json.ts";
import type { OptionNames } from "../options.ts";

/** Which part of a tensor is read, and where it goes. */
export interface ReadOptions {
  /**
   * Receives the values; created if absent. It may be in a `SharedArrayBuffer`. Its length must be
   * the number of elements read.
   */
  into?: Float32Array;
  /** First row and one past the last row along the first axis; all rows if absent. */
  rows?: readonly [start: number, end: number];
  /** Stops the reading: the call rejects with the signal's reason. */
  signal?: AbortSignal;
}

/** The names of {@linkcode ReadOptions}. */
export const READ_OPTIONS: OptionNames<ReadOptions> = { into: true, rows: true, signal: true };

/**
 * Converts a range of rows to a range of elements and provides the array for them.
 *
 * @param tensor The tensor
 * @param options Rows and destination
 * @returns The index of the first element, and the array that receives the values
 * @throws {RangeError} If the tensor has no such rows, or the destination's length differs
 */
export function rowRange(
  tensor: { name: string; shape: readonly number[]; file: string },
  { rows, into }: ReadOptions,
): { first: number; values: Float32Array } {
  const { name, shape, file } = tensor;
  const [start, end] = rows ?? [0, shape[0] ?? 1];
  const whole = Number.isInteger(start) && Number.isInteger(end);
  if (rows && (shape.length === 0 || !whole || start < 0 || end < start || end > shape[0])) {
    throw new RangeError(
      `Cannot read rows ${start} to ${end} of tensor ${quote(name)} of "${file}" with shape (${
        shape.join(", ")
      })`,
    );
  }
  const width = shape.slice(1).reduce((a, b) => a * b, 1);
  const count = (end - start) * width;
  if (into !== undefined && into.length !== count) {
    throw new RangeError(
      `Cannot read ${count} elements of tensor ${quote(name)} of "${file}" with shape (${
        shape.join(", ")
      }) into an array of ${into.length}`,
    );
  }
  return { first: start * width, values: into ?? new Float32Array(count) };
}
