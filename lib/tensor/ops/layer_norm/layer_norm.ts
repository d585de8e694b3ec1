/**
 * Layer normalisation over the last dimension: `y = weight · (x − mean) / √(variance + epsilon) + bias`.
 *
 * Ba, Kiros & Hinton, "Layer Normalization", 2016.
 *
 * @module
 */

import { defineKernel } from "../../device.ts";
import { assertShape, assertTensors } from "../../shapes.ts";
import { record } from "../../recording.ts";
import { Tensor } from "../../tensor.ts";
import { normGradients } from "../../webgpu/norm_gradients.ts";
import { fold, overRows } from "../../webgpu/plans.ts";
import rowGroups from "../../webgpu/wgsl/row_groups.wgsl" with { type: "text" };
import sumOverGroup from "../../webgpu/wgsl/sum_over_group.wgsl" with { type: "text" };
import backwardWgsl from "./backward.wgsl" with { type: "text" };
import forwardWgsl from "./forward.wgsl" with { type: "text" };

/** `statistics` is (rows, 2): mean and 1/√(variance + epsilon), saved for the gradient. */
export const forwardKernel = defineKernel({
  name: "layerNorm.forward",
  buffers: { x: "read", weight: "read", bias: "read", y: "write", statistics: "write" },
  params: { rows: "u32", width: "u32", epsilon: "f32" },
  webgpu: overRows({
    source: sumOverGroup + rowGroups + forwardWgsl,
    rows: ({ rows }) => rows,
    widths: ({ width }) => ({ x: width, y: width, statistics: 2 }),
    dispatch: ({ count }) => ({ params: { rows: count }, workgroups: fold(count) }),
  }),
});

/** The gradients that are wanted; see {@linkcode normGradients}. */
export const backwardKernel = defineKernel({
  name: "layerNorm.backward",
  buffers: {
    x: "read",
    weight: "read",
    statistics: "read",
    dy: "read",
    dx: "update",
    dWeight: "update",
    dBias: "update",
  },
  params: {
    rows: "u32",
    width: "u32",
    wantsInput: "u32",
    wantsWeights: "u32",
    accumulate: "u32",
    accumulateWeight: "u32",
    accumulateBias: "u32",
  },
  webgpu: normGradients({
    source: backwardWgsl,
    saved: { statistics: 2 },
    weights: { dWeight: "accumulateWeight", dBias: "accumulateBias" },
  }),
});

/**
 * Normalises every row.
 *
 * @param x (…, C).
 * @param weight (C).
 * @param bias (C).
 * @param epsilon Added to the variance; GPT-2 has 1e-5.
 * @returns (…, C).
 * @throws {TypeError} If weight or bias do not have one element a column.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { layerNorm, ones, tensor, zeros } from "tunebook/tensor";
 *
 * const y = await layerNorm(tensor([[1, 3]]), ones([2]), zeros([2])).data();
 * assertEquals([...y].map(Math.round), [-1, 1]);
 * ```
 */
export function layerNorm(x: Tensor, weight: Tensor, bias: Tensor, epsilon = 1e-5): Tensor {
  assertTensors("normalise", x, weight, bias);
  const { rows, width, device } = x;
  assertShape("weight", weight, [width]);
  assertShape("bias", bias, [width]);
  const y = Tensor.empty(device, x.shape);
  const statistics = Tensor.empty(device, [rows, 2]);
  device.run(
    forwardKernel,
    {
      x: x.buffer,
      weight: weight.buffer,
      bias: bias.buffer,
      y: y.buffer,
      statistics: statistics.buffer,
    },
    { rows, width, epsilon },
  );
  return record(y, [x, weight, bias], (dy, gradients) => {
    const wantsInput = gradients.wants(x);
    const wantsWeights = gradients.wants(weight) || gradients.wants(bias);
    if (wantsInput || wantsWeights) {
      // Weight and bias come together; what nobody wants goes with the scope.
      const into = (input: Tensor) =>
        gradients.wants(input) ? gradients.into(input) : unwanted(input);
      const dWeight = wantsWeights ? into(weight) : notComputed(dy);
      const dBias = wantsWeights ? into(bias) : notComputed(dy);
      const dx = wantsInput ? gradients.into(x) : notComputed(dy);
      device.run(
        backwardKernel,
        {
          x: x.buffer,
          weight: weight.buffer,
          statistics: statistics.buffer,
          dy: dy.buffer,
          dx: dx.gradient.buffer,
          dWeight: dWeight.gradient.buffer,
          dBias: dBias.gradient.buffer,
        },
        {
          rows,
          width,
          wantsInput: Number(wantsInput),
          wantsWeights: Number(wantsWeights),
          accumulate: dx.accumulate,
          accumulateWeight: dWeight.accumulate,
          accumulateBias: dBias.accumulate,
        },
      );
    }
    statistics.dispose();
  });
}

/** A tensor in the place of a gradient that the kernel does not compute. */
function notComputed(gradient: Tensor): { gradient: Tensor; accumulate: 0 | 1 } {
  return { gradient, accumulate: 0 };
}

function unwanted({ device, shape }: Tensor): { gradient: Tensor; accumulate: 0 | 1 } {
  return { gradient: Tensor.empty(device, shape), accumulate: 0 };
}
