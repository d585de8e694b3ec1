/**
 * Multiplication by a number: `y = factor · x`.
 *
 * @module
 */

import { defineKernel } from "../../device.ts";
import { record } from "../../recording.ts";
import { assertTensors } from "../../shapes.ts";
import { formatShape, Tensor } from "../../tensor.ts";
import { elementwise } from "../../webgpu/plans.ts";
import wgsl from "./scale.wgsl" with { type: "text" };

/** y = factor · x, or y + factor · x where `accumulate` is 1. */
export const scaleKernel = defineKernel({
  name: "scale",
  buffers: { x: "read", y: "update" },
  params: { size: "u32", factor: "f32", accumulate: "u32" },
  webgpu: elementwise({ source: wgsl, size: "size", buffers: ["x", "y"] }),
});

/**
 * Multiplies every element by a number.
 *
 * @param x Any shape.
 * @param factor The number.
 * @returns A tensor of the same shape.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { scale, tensor } from "tunebook/tensor";
 *
 * assertEquals([...await scale(tensor([1, 2]), 3).data()], [3, 6]);
 * ```
 */
export function scale(x: Tensor, factor: number): Tensor {
  assertTensors("scale", x);
  const y = Tensor.empty(x.device, x.shape);
  scaleInto(y, x, factor, 0);
  return record(y, [x], (dy, gradients) => {
    const { gradient, accumulate } = gradients.into(x);
    scaleInto(gradient, dy, factor, accumulate);
  });
}

/**
 * Copies or adds a multiple of one tensor to another, in place: `target = accumulate · target + factor · source`.
 * Not recorded; what gradients are summed with.
 *
 * @param target Overwritten or added to.
 * @param source As many elements as the target.
 * @param factor What the source is multiplied by.
 * @param accumulate 1 to add to the target, 0 to overwrite it.
 * @throws {TypeError} If the sizes differ.
 */
export function scaleInto(target: Tensor, source: Tensor, factor: number, accumulate: 0 | 1): void {
  if (target.size !== source.size) {
    throw new TypeError(
      `Cannot add a tensor of shape ${formatShape(source.shape)} to one of shape ` +
        `${formatShape(target.shape)}: sizes must be equal`,
    );
  }
  target.device.run(
    scaleKernel,
    { x: source.buffer, y: target.buffer },
    { size: target.size, factor, accumulate },
  );
}
