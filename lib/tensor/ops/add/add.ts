/**
 * Elementwise addition: `y = a + b`.
 *
 * @module
 */

import { defineKernel } from "../../device.ts";
import { assertSameShape } from "../../shapes.ts";
import { record, Tensor } from "../../tensor.ts";
import { elementwise } from "../../webgpu/plans.ts";
import wgsl from "./add.wgsl" with { type: "text" };

const addKernel = defineKernel({
  name: "add",
  buffers: { a: "read", b: "read", y: "write" },
  params: { size: "u32" },
  webgpu: elementwise({ source: wgsl, size: "size", buffers: ["a", "b", "y"] }),
});

/**
 * Adds two tensors.
 *
 * @param a Any shape.
 * @param b The same shape.
 * @returns Their sum.
 * @throws {TypeError} If the shapes differ.
 */
export function add(a: Tensor, b: Tensor): Tensor {
  assertSameShape("add", a, b);
  const y = Tensor.empty(a.device, a.shape);
  a.device.run(addKernel, { a: a.buffer, b: b.buffer, y: y.buffer }, { size: y.size });
  return record(y, [a, b], (dy, gradients) => {
    gradients.pass(a, dy);
    gradients.pass(b, dy);
  });
}
