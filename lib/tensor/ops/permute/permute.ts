/**
 * Dimensions in another order.
 *
 * @module
 */

import { record } from "../../recording.ts";
import { assertTensors } from "../../shapes.ts";
import { formatShape, Tensor } from "../../tensor.ts";
import { readAxis } from "../../reductions/reduce.ts";
import { denseStrides, stridedCopy } from "../strided_copy/strided_copy.ts";

/**
 * Puts the dimensions of a tensor into another order. Elements are copied.
 *
 * @param x Any shape.
 * @param axes Which dimension of `x` becomes the first, the second and so on; negative numbers count from the end.
 * @returns The tensor with its dimensions in this order.
 * @throws {RangeError} If there is no such dimension.
 * @throws {TypeError} If not every dimension is named once.
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { permute, zeros } from "tunebook/tensor";
 *
 * assertEquals(permute(zeros([2, 3, 4]), [2, 0, 1]).shape, [4, 2, 3]);
 * ```
 */
export function permute(x: Tensor, axes: readonly number[]): Tensor {
  assertTensors("permute", x);
  if (!Array.isArray(axes)) {
    throw new TypeError(
      `Cannot permute a tensor by ${JSON.stringify(axes)}: expected an array of axes`,
    );
  }
  const order = axes.map((axis) => readAxis("permute", x.shape, axis));
  if (new Set(order).size !== x.shape.length || order.length !== x.shape.length) {
    throw new TypeError(
      `Cannot permute a tensor of shape ${formatShape(x.shape)} by [${axes.join(", ")}]: ` +
        "expected every dimension once",
    );
  }
  const shape = order.map((axis) => x.shape[axis]);
  const y = Tensor.empty(x.device, shape, x.dtype);
  const own = denseStrides(x.shape);
  const inX = { strides: order.map((axis) => own[axis]) };
  const inY = { strides: denseStrides(shape) };
  stridedCopy(shape, x, inX, y, inY);
  return record(y, [x], (dy, gradients) => {
    const { gradient, accumulate } = gradients.into(x);
    stridedCopy(shape, dy, inY, gradient, inX, accumulate);
  });
}

/**
 * Exchanges two dimensions of a tensor, the last two by default: the transpose of a matrix. Elements are copied.
 *
 * @param x At least two dimensions.
 * @param axis One dimension; negative numbers count from the end.
 * @param other The other.
 * @returns The tensor with both exchanged.
 * @throws {RangeError} If there is no such dimension.
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { tensor, transpose } from "tunebook/tensor";
 *
 * assertEquals([...await transpose(tensor([[1, 2], [3, 4]])).data()], [1, 3, 2, 4]);
 * ```
 */
export function transpose(x: Tensor, axis = -2, other = -1): Tensor {
  assertTensors("transpose", x);
  const first = readAxis("transpose", x.shape, axis);
  const second = readAxis("transpose", x.shape, other);
  const order = x.shape.map((_, i) => i === first ? second : i === second ? first : i);
  return permute(x, order);
}
