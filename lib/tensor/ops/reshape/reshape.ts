/**
 * Another shape for the same elements.
 *
 * @module
 */

import { record } from "../../recording.ts";
import { assertTensors } from "../../shapes.ts";
import { formatShape, sizeOf, type Tensor } from "../../tensor.ts";

/**
 * Gives a tensor another shape. Nothing is copied: both share their memory.
 *
 * @param x Any shape.
 * @param shape The lengths of the new dimensions; one of them may be −1, for what is left.
 * @returns The tensor in this shape.
 * @throws {TypeError} If it has not as many elements.
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { arange, reshape } from "tunebook/tensor";
 *
 * assertEquals(reshape(arange(6), [2, -1]).shape, [2, 3]);
 * ```
 */
export function reshape(x: Tensor, shape: readonly number[]): Tensor {
  assertTensors("reshape", x);
  if (!Array.isArray(shape)) {
    throw new TypeError(
      `Cannot reshape a tensor to ${JSON.stringify(shape)}: expected an array of lengths`,
    );
  }
  const free = shape.filter((length) => length === -1).length;
  const known = sizeOf(shape.filter((length) => length !== -1));
  const left = free === 1 && known > 0 ? x.size / known : NaN;
  const lengths = shape.map((length) => length === -1 ? left : length);
  const valid = lengths.every((length) => Number.isInteger(length) && length >= 0);
  if (!valid || sizeOf(lengths) !== x.size) {
    throw new TypeError(
      `Cannot reshape a tensor of shape ${formatShape(x.shape)} to ${formatShape(shape)}: ` +
        `it has ${x.size} elements`,
    );
  }
  const y = x.alias(lengths);
  return record(y, [x], (dy, gradients) => gradients.pass(x, dy));
}
