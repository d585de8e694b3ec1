/**
 * Sets every element to a number.
 *
 * @module
 */

import { defineKernel } from "../../device.ts";
import type { Tensor } from "../../tensor.ts";
import { elementwise } from "../../webgpu/plans.ts";
import wgsl from "./fill.wgsl" with { type: "text" };

export const fillKernel = defineKernel({
  name: "fill",
  buffers: { y: "write" },
  params: { size: "u32", value: "f32" },
  webgpu: elementwise({ source: wgsl, size: "size", buffers: ["y"] }),
});

/**
 * Overwrites every element, in place. Not recorded.
 *
 * @param target What to overwrite.
 * @param value The number.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { fill, zeros } from "tunebook/tensor";
 *
 * const x = zeros([2]);
 * fill(x, 7);
 * assertEquals([...await x.data()], [7, 7]);
 * ```
 */
export function fill(target: Tensor, value: number): void {
  target.device.run(fillKernel, { y: target.buffer }, { size: target.size, value });
}
