/**
 * Elements chosen by indices along a dimension.
 *
 * @module
 */

import { defineKernel } from "../../device.ts";
import { readAxis } from "../../reductions/reduce.ts";
import { record } from "../../recording.ts";
import { assertTensors } from "../../shapes.ts";
import { formatShape, sizeOf, Tensor } from "../../tensor.ts";
import { fold, overRows } from "../../webgpu/plans.ts";
import { fill } from "../fill/fill.ts";
import gatherWgsl from "./gather.wgsl" with { type: "text" };
import scatterWgsl from "./scatter.wgsl" with { type: "text" };

export const gatherKernel = defineKernel({
  name: "gather.forward",
  buffers: { x: "read", index: "read", y: "write" },
  params: { outer: "u32", length: "u32", count: "u32", inner: "u32" },
  webgpu: overRows({
    source: gatherWgsl,
    rows: ({ outer }) => outer,
    widths: ({ length, count, inner }) => ({
      x: length * inner,
      index: count * inner,
      y: count * inner,
    }),
    dispatch: ({ count: rows }, { params: { count, inner } }) => ({
      params: { outer: rows },
      workgroups: fold(Math.ceil(rows * count * inner / 256)),
    }),
  }),
});

export const scatterKernel = defineKernel({
  name: "gather.backward",
  buffers: { index: "read", dy: "read", dx: "update" },
  params: { outer: "u32", length: "u32", count: "u32", inner: "u32" },
  webgpu: overRows({
    source: scatterWgsl,
    rows: ({ outer }) => outer,
    widths: ({ length, count, inner }) => ({
      index: count * inner,
      dy: count * inner,
      dx: length * inner,
    }),
    dispatch: ({ count: rows }, { params: { inner } }) => ({
      params: { outer: rows },
      workgroups: fold(Math.ceil(rows * inner / 256)),
    }),
  }),
});

/**
 * Chooses elements along a dimension by their indices, as `torch.gather` and NumPy's `take_along_axis` do. For whole rows
 * of a table there is `embedding`.
 *
 * @param x Any shape of at least one dimension.
 * @param index Integers, type `"i32"`; the same shape but for this dimension. What is out of range gives NaN.
 * @param axis The dimension, the last by default; negative numbers count from the end.
 * @returns A tensor of the shape of `index`.
 * @throws {TypeError} If the shapes do not fit or the indices are not integers.
 * @example What a model gave to the right answers
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { gather, tensor } from "tunebook/tensor";
 *
 * const scores = tensor([[1, 2, 3], [4, 5, 6]]);
 * const answers = tensor([[2], [0]], { dtype: "i32" });
 * assertEquals([...await gather(scores, answers).data()], [3, 4]);
 * ```
 */
export function gather(x: Tensor, index: Tensor, axis = -1): Tensor {
  assertTensors("gather from", x, index);
  const along = readAxis("gather from", x.shape, axis);
  if (index.dtype !== "i32") {
    throw new TypeError(`Cannot gather by indices of type "${index.dtype}": expected "i32"`);
  }
  const fits = index.shape.length === x.shape.length &&
    index.shape.every((length, i) => i === along || length === x.shape[i]);
  if (!fits) {
    throw new TypeError(
      `Cannot gather from a tensor of shape ${formatShape(x.shape)} by indices of shape ` +
        `${formatShape(index.shape)}: lengths must be equal but along axis ${axis}`,
    );
  }
  const params = {
    outer: sizeOf(x.shape.slice(0, along)),
    length: x.shape[along],
    count: index.shape[along],
    inner: sizeOf(x.shape.slice(along + 1)),
  };
  const y = Tensor.empty(x.device, index.shape);
  if (y.size > 0) {
    x.device.run(gatherKernel, { x: x.buffer, index: index.buffer, y: y.buffer }, params);
  }
  return record(y, [x], (dy, gradients) => {
    const { gradient, accumulate } = gradients.into(x);
    if (!accumulate) fill(gradient, 0);
    if (y.size === 0) return;
    const buffers = { index: index.buffer, dy: dy.buffer, dx: gradient.buffer };
    x.device.run(scatterKernel, buffers, params);
  });
}
