/**
 * Integers as floats.
 *
 * @module
 */

import { defineKernel } from "../../device.ts";
import { Tensor } from "../../tensor.ts";
import { elementwise } from "../../webgpu/plans.ts";
import wgsl from "./cast.wgsl" with { type: "text" };

export const castKernel = defineKernel({
  name: "cast",
  buffers: { x: "read", y: "write" },
  params: { size: "u32" },
  webgpu: elementwise({ source: wgsl, size: "size", buffers: ["x", "y"] }),
});

/**
 * Widens the integers of a tensor to floats, as operations do with what they are given.
 *
 * @param x A tensor of type `"f32"` or `"i32"`.
 * @returns The same tensor, or a new one.
 * @throws {TypeError} If it is packed.
 */
export function toFloats(x: Tensor): Tensor {
  if (x.dtype === "f32") return x;
  if (x.dtype !== "i32") {
    throw new TypeError(
      `Cannot compute with a tensor of type "${x.dtype}": use \`dequantize\` first`,
    );
  }
  const y = Tensor.empty(x.device, x.shape);
  if (x.size > 0) x.device.run(castKernel, { x: x.buffer, y: y.buffer }, { size: x.size });
  return y;
}
