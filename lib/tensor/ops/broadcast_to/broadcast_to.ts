/**
 * Repeats dimensions of length 1.
 *
 * @module
 */

import { broadcastShapes, stridesIn } from "../../broadcast.ts";
import { record } from "../../recording.ts";
import { assertLengths, assertTensors } from "../../shapes.ts";
import { formatShape, Tensor } from "../../tensor.ts";
import { sumTo } from "../../reductions/reduce.ts";
import { denseStrides, stridedCopy } from "../strided_copy/strided_copy.ts";

/**
 * Repeats a tensor to a larger shape. Elementwise operations do so by themselves, without a copy.
 *
 * @param x Any shape.
 * @param shape A shape that it broadcasts to.
 * @returns A tensor of this shape.
 * @throws {TypeError} If it does not broadcast to it.
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { broadcastTo, tensor } from "tunebook/tensor";
 *
 * assertEquals([...await broadcastTo(tensor([1, 2]), [2, 2]).data()], [1, 2, 1, 2]);
 * ```
 */
export function broadcastTo(x: Tensor, shape: readonly number[]): Tensor {
  assertTensors("broadcast", x);
  assertLengths("broadcast to a tensor", shape);
  if (broadcastShapes("broadcast", [x.shape, shape]).join() !== shape.join()) {
    throw new TypeError(
      `Cannot broadcast a tensor of shape ${formatShape(x.shape)} to ${formatShape(shape)}`,
    );
  }
  const y = Tensor.empty(x.device, shape, x.dtype);
  stridedCopy(shape, x, { strides: stridesIn(x.shape, shape) }, y, {
    strides: denseStrides(shape),
  });
  return record(y, [x], (dy, gradients) => gradients.pass(x, sumTo(dy, x.shape)));
}
