/**
 * Running sums.
 *
 * @module
 */

import { defineKernel } from "../../device.ts";
import { readAxis } from "../../reductions/reduce.ts";
import { record } from "../../recording.ts";
import { assertTensors } from "../../shapes.ts";
import { sizeOf, Tensor } from "../../tensor.ts";
import { fold, overRows } from "../../webgpu/plans.ts";
import { toFloats } from "../cast/cast.ts";
import wgsl from "./cumulative_sum.wgsl" with { type: "text" };

export const cumulativeSumKernel = defineKernel({
  name: "cumulativeSum",
  buffers: { x: "read", y: "update" },
  params: { outer: "u32", length: "u32", inner: "u32", reversed: "u32", accumulate: "u32" },
  webgpu: overRows({
    source: wgsl,
    rows: ({ outer }) => outer,
    widths: ({ length, inner }) => ({ x: length * inner, y: length * inner }),
    dispatch: ({ count }, { params: { inner } }) => ({
      params: { outer: count },
      workgroups: fold(count * inner),
    }),
  }),
});

/**
 * Sums each element and all before it along a dimension.
 *
 * @param x Any shape of at least one dimension.
 * @param axis The dimension, the last by default; negative numbers count from the end.
 * @returns A tensor of the same shape.
 * @throws {RangeError} If there is no such dimension.
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { cumulativeSum, tensor } from "tunebook/tensor";
 *
 * assertEquals([...await cumulativeSum(tensor([1, 2, 3])).data()], [1, 3, 6]);
 * ```
 */
export function cumulativeSum(x: Tensor, axis = -1): Tensor {
  assertTensors("sum", x);
  const along = readAxis("sum", x.shape, axis);
  const input = toFloats(x);
  const y = Tensor.empty(x.device, x.shape);
  const run = (from: Tensor, to: Tensor, reversed: 0 | 1, accumulate: 0 | 1) => {
    if (to.size === 0) return;
    x.device.run(cumulativeSumKernel, { x: from.buffer, y: to.buffer }, {
      outer: sizeOf(x.shape.slice(0, along)),
      length: x.shape[along],
      inner: sizeOf(x.shape.slice(along + 1)),
      reversed,
      accumulate,
    });
  };
  run(input, y, 0, 0);
  return record(y, [input], (dy, gradients) => {
    const { gradient, accumulate } = gradients.into(input);
    run(dy, gradient, 1, accumulate);
  });
}
