/**
 * Parts of a tensor.
 *
 * @module
 */

import type { SliceRange } from "../../options.ts";
import { record } from "../../recording.ts";
import { assertTensors } from "../../shapes.ts";
import { formatShape, Tensor } from "../../tensor.ts";
import { fill } from "../fill/fill.ts";
import { denseStrides, stridedCopy } from "../strided_copy/strided_copy.ts";

/**
 * Takes a part of a tensor. Elements are copied.
 *
 * @param x Any shape.
 * @param ranges What to take of the first dimension, the second and so on; all of those that are not named.
 * @returns The part. As with arrays' `slice`, ends beyond the dimension stand for its end.
 * @throws {RangeError} If there are more ranges than dimensions, an index is out of range, or a step is not positive.
 * @example Python's `x[0]`, `x[:, 1:]` and `x[-1, ::2]`
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { slice, tensor } from "tunebook/tensor";
 *
 * const x = tensor([[1, 2, 3], [4, 5, 6]]);
 * assertEquals([...await slice(x, 0).data()], [1, 2, 3]);
 * assertEquals([...await slice(x, [], [1]).data()], [2, 3, 5, 6]);
 * assertEquals([...await slice(x, -1, [0, 3, 2]).data()], [4, 6]);
 * ```
 */
export function slice(x: Tensor, ...ranges: SliceRange[]): Tensor {
  assertTensors("slice", x);
  if (ranges.length > x.shape.length) {
    throw new RangeError(
      `Cannot slice a tensor of shape ${formatShape(x.shape)} by ${ranges.length} ranges: ` +
        `expected at most ${x.shape.length}`,
    );
  }
  const own = denseStrides(x.shape);
  const shape: number[] = [];
  const strides: number[] = [];
  let offset = 0;
  x.shape.forEach((length, axis) => {
    const range = ranges[axis] ?? [];
    if (typeof range === "number") {
      const index = range < 0 ? range + length : range;
      if (!Number.isInteger(index) || index < 0 || index >= length) {
        throw new RangeError(
          `Cannot take index ${range} of dimension ${axis} of a tensor of shape ` +
            `${formatShape(x.shape)}: expected ${-length} to ${length - 1}`,
        );
      }
      offset += index * own[axis];
      return;
    }
    if (!Array.isArray(range)) {
      throw new TypeError(
        `Cannot slice dimension ${axis} by ${JSON.stringify(range)}: expected an index, or ` +
          "[start, end, step]",
      );
    }
    const [start = 0, end = length, step = 1] = range as Exclude<SliceRange, number>;
    if (!Number.isInteger(step) || step < 1 || !Number.isInteger(start) || Number.isNaN(end)) {
      throw new RangeError(
        `Cannot slice dimension ${axis} by [${range.join(", ")}]: expected whole numbers and a ` +
          "positive step",
      );
    }
    const low = Math.max(0, Math.min(length, start < 0 ? start + length : start));
    const high = Math.max(low, Math.min(length, end < 0 ? end + length : end));
    offset += low * own[axis];
    strides.push(own[axis] * step);
    shape.push(Math.ceil((high - low) / step));
  });
  const y = Tensor.empty(x.device, shape, x.dtype);
  const inX = { offset, strides };
  const inY = { strides: denseStrides(shape) };
  stridedCopy(shape, x, inX, y, inY);
  return record(y, [x], (dy, gradients) => {
    const { gradient, accumulate } = gradients.into(x);
    if (!accumulate) fill(gradient, 0);
    stridedCopy(shape, dy, inY, gradient, inX, 1);
  });
}
