/**
 * Gated activations: `y = act(gate) · up`, where act is SiLU (SwiGLU, of Llama) or GELU in its tanh approximation
 * (GeGLU, of Gemma). Both are x σ(slope (x + cubic x³)), so one kernel does for both.
 *
 * Shazeer, "GLU Variants Improve Transformer", 2020.
 *
 * @module
 */

import { defineKernel } from "../../device.ts";
import { assertSameShape, assertTensors } from "../../shapes.ts";
import { record } from "../../recording.ts";
import { Tensor } from "../../tensor.ts";
import { elementwise } from "../../webgpu/plans.ts";
import sigmoidGate from "../../webgpu/wgsl/sigmoid_gate.wgsl" with { type: "text" };
import backwardWgsl from "./backward.wgsl" with { type: "text" };
import forwardWgsl from "./forward.wgsl" with { type: "text" };

export const forwardKernel = defineKernel({
  name: "gated.forward",
  buffers: { gate: "read", up: "read", y: "write" },
  params: { size: "u32", slope: "f32", cubic: "f32" },
  webgpu: elementwise({
    source: sigmoidGate + forwardWgsl,
    size: "size",
    buffers: ["gate", "up", "y"],
  }),
});

export const backwardKernel = defineKernel({
  name: "gated.backward",
  buffers: { gate: "read", up: "read", dy: "read", dGate: "update", dUp: "update" },
  params: {
    size: "u32",
    slope: "f32",
    cubic: "f32",
    accumulateGate: "u32",
    accumulateUp: "u32",
  },
  webgpu: elementwise({
    source: sigmoidGate + backwardWgsl,
    size: "size",
    buffers: ["gate", "up", "dy", "dGate", "dUp"],
  }),
});

/** σ's argument, as a polynomial of the gate. */
const SILU = { slope: 1, cubic: 0 };
/** ½ (1 + tanh u) = σ(2u), with u = √(2/π) (x + 0.044715 x³). */
const GELU = { slope: 2 * Math.sqrt(2 / Math.PI), cubic: 0.044715 };

/**
 * Multiplies elements by gates through SiLU: `y = gate σ(gate) · up`.
 *
 * @param gate Any shape.
 * @param up The same shape.
 * @returns A tensor of that shape.
 * @throws {TypeError} If the shapes differ.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { swiglu, tensor } from "tunebook/tensor";
 *
 * assertEquals(await swiglu(tensor([[0]]), tensor([[5]])).item(), 0); // a closed gate
 * ```
 */
export function swiglu(gate: Tensor, up: Tensor): Tensor {
  return gated("gate with SiLU", gate, up, SILU);
}

/**
 * Multiplies elements by gates through GELU, tanh approximation: `y = ½ gate (1 + tanh(√(2/π) (gate + 0.044715 gate³))) · up`.
 *
 * @param gate Any shape.
 * @param up The same shape.
 * @returns A tensor of that shape.
 * @throws {TypeError} If the shapes differ.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { geglu, tensor } from "tunebook/tensor";
 *
 * assertEquals(await geglu(tensor([[0]]), tensor([[5]])).item(), 0); // a closed gate
 * ```
 */
export function geglu(gate: Tensor, up: Tensor): Tensor {
  return gated("gate with GELU", gate, up, GELU);
}

function gated(
  action: string,
  gate: Tensor,
  up: Tensor,
  activation: { slope: number; cubic: number },
): Tensor {
  assertTensors(action, gate, up);
  assertSameShape(action, gate, up);
  const { device, size } = gate;
  const y = Tensor.empty(device, gate.shape);
  const read = { gate: gate.buffer, up: up.buffer };
  device.run(forwardKernel, { ...read, y: y.buffer }, { size, ...activation });
  return record(y, [gate, up], (dy, gradients) => {
    const dGate = gradients.into(gate);
    const dUp = gradients.into(up);
    device.run(
      backwardKernel,
      {
        ...read,
        dy: dy.buffer,
        dGate: dGate.gradient.buffer,
        dUp: dUp.gradient.buffer,
      },
      {
        size,
        ...activation,
        accumulateGate: dGate.accumulate,
        accumulateUp: dUp.accumulate,
      },
    );
  });
}
