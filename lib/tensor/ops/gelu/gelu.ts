/**
 * GELU in its tanh approximation, as GPT-2 has it: `y = ½ x (1 + tanh(√(2/π) (x + 0.044715 x³)))`.
 *
 * Hendrycks & Gimpel, "Gaussian Error Linear Units", 2016.
 *
 * @module
 */

import { defineKernel } from "../../device.ts";
import { record } from "../../recording.ts";
import { assertTensors } from "../../shapes.ts";
import { Tensor } from "../../tensor.ts";
import { elementwise } from "../../webgpu/plans.ts";
import sigmoidGate from "../../webgpu/wgsl/sigmoid_gate.wgsl" with { type: "text" };
import backwardWgsl from "./backward.wgsl" with { type: "text" };
import forwardWgsl from "./forward.wgsl" with { type: "text" };

export const forwardKernel = defineKernel({
  name: "gelu.forward",
  buffers: { x: "read", y: "write" },
  params: { size: "u32" },
  webgpu: elementwise({ source: sigmoidGate + forwardWgsl, size: "size", buffers: ["x", "y"] }),
});

export const backwardKernel = defineKernel({
  name: "gelu.backward",
  buffers: { x: "read", dy: "read", dx: "update" },
  params: { size: "u32", accumulate: "u32" },
  webgpu: elementwise({
    source: sigmoidGate + backwardWgsl,
    size: "size",
    buffers: ["x", "dy", "dx"],
  }),
});

/**
 * Applies GELU to every element.
 *
 * @param x Any shape.
 * @returns A tensor of the same shape.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { gelu, tensor } from "tunebook/tensor";
 *
 * const y = await gelu(tensor([-10, 0, 10])).data();
 * assertEquals([...y].map(Math.round).map((value) => value + 0), [0, 0, 10]);
 * ```
 */
export function gelu(x: Tensor): Tensor {
  assertTensors("apply GELU to", x);
  const y = Tensor.empty(x.device, x.shape);
  x.device.run(forwardKernel, { x: x.buffer, y: y.buffer }, { size: x.size });
  return record(y, [x], (dy, gradients) => {
    const { gradient, accumulate } = gradients.into(x);
    x.device.run(
      backwardKernel,
      { x: x.buffer, dy: dy.buffer, dx: gradient.buffer },
      { size: x.size, accumulate },
    );
  });
}
