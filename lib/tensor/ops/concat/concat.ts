/**
 * Tensors side by side.
 *
 * @module
 */

import { assertArray } from "../../../kind_of.ts";
import { readAxis } from "../../reductions/reduce.ts";
import { record } from "../../recording.ts";
import { assertTensors } from "../../shapes.ts";
import { formatShape, Tensor } from "../../tensor.ts";
import { reshape } from "../reshape/reshape.ts";
import { denseStrides, stridedCopy } from "../strided_copy/strided_copy.ts";

/**
 * Joins tensors along a dimension that they have.
 *
 * @param tensors At least one; their shapes differ in this dimension only.
 * @param axis The dimension, 0 by default; negative numbers count from the end.
 * @returns The joined tensor.
 * @throws {TypeError} If shapes do not fit, or there is no tensor.
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { concat, tensor } from "tunebook/tensor";
 *
 * assertEquals([...await concat([tensor([1, 2]), tensor([3])]).data()], [1, 2, 3]);
 * ```
 */
export function concat(tensors: readonly Tensor[], axis = 0): Tensor {
  assertArray("join", tensors, "tensors");
  const [first] = tensors;
  if (!first) throw new TypeError("Cannot join no tensors: expected at least one");
  assertTensors("join", ...tensors);
  const along = readAxis("join", first.shape, axis);
  for (const tensor of tensors) {
    const fits = tensor.shape.length === first.shape.length && tensor.dtype === first.dtype &&
      tensor.shape.every((length, i) => i === along || length === first.shape[i]);
    if (!fits) {
      throw new TypeError(
        `Cannot join tensors of shapes ${formatShape(first.shape)} and ` +
          `${formatShape(tensor.shape)} along axis ${axis}: other lengths and types must be equal`,
      );
    }
  }
  const total = tensors.reduce((sum, { shape }) => sum + shape[along], 0);
  const shape = first.shape.with(along, total);
  const y = Tensor.empty(first.device, shape, first.dtype);
  const strides = denseStrides(shape);
  let next = 0;
  const parts = tensors.map((tensor) => {
    const part = { tensor, inY: { offset: next * strides[along], strides } };
    next += tensor.shape[along];
    return part;
  });
  for (const { tensor, inY } of parts) {
    stridedCopy(tensor.shape, tensor, { strides: denseStrides(tensor.shape) }, y, inY);
  }
  return record(y, tensors, (dy, gradients) => {
    for (const { tensor, inY } of parts) {
      if (!gradients.wants(tensor)) continue;
      const { gradient, accumulate } = gradients.into(tensor);
      const own = { strides: denseStrides(tensor.shape) };
      stridedCopy(tensor.shape, dy, inY, gradient, own, accumulate);
    }
  });
}

/**
 * Joins tensors of one shape along a new dimension.
 *
 * @param tensors At least one.
 * @param axis Where the new dimension stands, first by default; negative numbers count from the end.
 * @returns The joined tensor, of one more dimension.
 * @throws {TypeError} If shapes differ, or there is no tensor.
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { stack, tensor } from "tunebook/tensor";
 *
 * assertEquals(stack([tensor([1, 2, 3]), tensor([4, 5, 6])]).shape, [2, 3]);
 * ```
 */
export function stack(tensors: readonly Tensor[], axis = 0): Tensor {
  assertArray("stack", tensors, "tensors");
  const [first] = tensors;
  if (!first) throw new TypeError("Cannot stack no tensors: expected at least one");
  assertTensors("stack", ...tensors);
  const along = readAxis("stack", [...first.shape, 1], axis);
  return concat(
    tensors.map((tensor) => {
      if (tensor.shape.join() !== first.shape.join()) {
        throw new TypeError(
          `Cannot stack tensors of shapes ${formatShape(first.shape)} and ` +
            `${formatShape(tensor.shape)}: shapes must be equal`,
        );
      }
      return reshape(tensor, tensor.shape.toSpliced(along, 0, 1));
    }),
    along,
  );
}
