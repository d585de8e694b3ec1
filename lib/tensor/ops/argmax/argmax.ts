/**
 * Where the largest element is.
 *
 * @module
 */

import { assertKnownOptions, type OptionNames } from "../../../options.ts";
import { defineKernel } from "../../device.ts";
import { readAxis } from "../../reductions/reduce.ts";
import type { ArgmaxOptions } from "../../options.ts";
import { assertTensors } from "../../shapes.ts";
import { formatShape, sizeOf, Tensor } from "../../tensor.ts";
import { fold, overRows } from "../../webgpu/plans.ts";
import { toFloats } from "../cast/cast.ts";
import wgsl from "./argmax.wgsl" with { type: "text" };

export const argmaxKernel = defineKernel({
  name: "argmax",
  buffers: { x: "read", y: "write" },
  params: { outer: "u32", length: "u32", inner: "u32" },
  webgpu: overRows({
    source: wgsl,
    rows: ({ outer }) => outer,
    widths: ({ length, inner }) => ({ x: length * inner, y: inner }),
    dispatch: ({ count }, { params: { inner } }) => ({
      params: { outer: count },
      workgroups: fold(count * inner),
    }),
  }),
});

const NAMES: OptionNames<ArgmaxOptions> = { axis: true, keepDims: true };

/**
 * Finds the index of the largest element; of equal ones the first, and of NaN, where there is any. There is no gradient.
 *
 * @param x Any shape.
 * @param options Which dimension, and whether it stays.
 * @returns Integers: a tensor of type `"i32"`.
 * @throws {RangeError} If there is no such dimension, or nothing to choose from.
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { argmax, tensor } from "tunebook/tensor";
 *
 * const best = argmax(tensor([[1, 3, 2], [6, 5, 4]]), { axis: -1 });
 * assertEquals([...await best.data()], [1, 0]);
 * ```
 */
export function argmax(x: Tensor, options: ArgmaxOptions = {}): Tensor {
  assertKnownOptions("find the largest element", options, NAMES);
  assertTensors("find the largest element of", x);
  const { axis, keepDims = false } = options;
  const shape = axis === undefined ? [x.size] : x.shape;
  const along = axis === undefined ? 0 : readAxis("find the largest element of", shape, axis);
  if (shape[along] === 0) {
    throw new RangeError(
      `Cannot find the largest element of a tensor of shape ${formatShape(x.shape)}: ` +
        "it has no elements there",
    );
  }
  const outer = sizeOf(shape.slice(0, along));
  const inner = sizeOf(shape.slice(along + 1));
  const kept = axis === undefined ? x.shape.map(() => 1) : shape.with(along, 1);
  const left = axis === undefined ? [] : shape.toSpliced(along, 1);
  const y = Tensor.empty(x.device, keepDims ? kept : left, "i32");
  if (y.size > 0) {
    const buffers = { x: toFloats(x).buffer, y: y.buffer };
    x.device.run(argmaxKernel, buffers, { outer, length: shape[along], inner });
  }
  return y;
}
