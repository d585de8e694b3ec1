/**
 * Normalisation by the root mean square: `y = (offset + weight) · x / √(mean(x²) + epsilon)`.
 *
 * Zhang & Sennrich, "Root Mean Square Layer Normalization", 2019. Gemma stores weights minus 1,
 * which is `offset`.
 *
 * @module
 */

import { defineKernel } from "../../device.ts";
import { record } from "../../recording.ts";
import { assertTensors } from "../../shapes.ts";
import { formatShape, Tensor } from "../../tensor.ts";
import { normGradients } from "../../webgpu/norm_gradients.ts";
import { fold, overRows } from "../../webgpu/plans.ts";
import rowGroups from "../../webgpu/wgsl/row_groups.wgsl" with { type: "text" };
import sumOverGroup from "../../webgpu/wgsl/sum_over_group.wgsl" with { type: "text" };
import backwardWgsl from "./backward.wgsl" with { type: "text" };
import forwardWgsl from "./forward.wgsl" with { type: "text" };
import { assertKnownOptions, type OptionNames } from "../../../options.ts";

/** `inverses` is (rows): 1/√(mean(x²) + epsilon), saved for the gradient. */
export const forwardKernel = defineKernel({
  name: "rmsNorm.forward",
  buffers: { x: "read", weight: "read", y: "write", inverses: "write" },
  params: { rows: "u32", width: "u32", epsilon: "f32", offset: "f32" },
  webgpu: overRows({
    source: sumOverGroup + rowGroups + forwardWgsl,
    rows: ({ rows }) => rows,
    widths: ({ width }) => ({ x: width, y: width, inverses: 1 }),
    dispatch: ({ count }) => ({ params: { rows: count }, workgroups: fold(count) }),
  }),
});

/** The gradients that are wanted; see {@linkcode normGradients}. */
export const backwardKernel = defineKernel({
  name: "rmsNorm.backward",
  buffers: {
    x: "read",
    weight: "read",
    inverses: "read",
    dy: "read",
    dx: "update",
    dWeight: "update",
  },
  params: {
    rows: "u32",
    width: "u32",
    offset: "f32",
    wantsInput: "u32",
    wantsWeights: "u32",
    accumulate: "u32",
    accumulateWeight: "u32",
  },
  webgpu: normGradients({
    source: backwardWgsl,
    saved: { inverses: 1 },
    weights: { dWeight: "accumulateWeight" },
  }),
});

/** Options of {@linkcode rmsNorm}. */
export interface RmsNormOptions {
  /** Added to the mean square. 1e-5 by default. */
  readonly epsilon?: number;
  /** Added to every weight: 1 for Gemma's. 0 by default. */
  readonly offset?: number;
}

const RMS_NORM_OPTIONS: OptionNames<RmsNormOptions> = { epsilon: true, offset: true };

/**
 * Normalises every row, or every part of a row that is as wide as the weight, such as each head of queries.
 *
 * @param x (…, n · C).
 * @param weight (C).
 * @param options Epsilon and offset.
 * @returns (…, n · C).
 * @throws {TypeError} If the weight is not a vector whose length divides that of the rows.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * import { pick, Tensor } from "tunebook";
 * import { rmsNorm } from "tunebook/tensor";
 *
 * const device = await pick({ device: "cpu" });
 * const x = Tensor.from(device, [3, 4], [1, 2]);
 * const y = await rmsNorm(x, Tensor.from(device, [1, 2]), { epsilon: 0 }).data();
 * assertAlmostEquals(y[0], 3 / Math.sqrt(12.5), 1e-6);
 * assertAlmostEquals(y[1], 8 / Math.sqrt(12.5), 1e-6);
 * ```
 */
export function rmsNorm(x: Tensor, weight: Tensor, options: RmsNormOptions = {}): Tensor {
  assertKnownOptions("normalise", options, RMS_NORM_OPTIONS);
  assertTensors("normalise", x, weight);
  const { epsilon = 1e-5, offset = 0 } = options;
  const { device } = x;
  const width = weight.size;
  if (weight.shape.length !== 1 || x.width % width !== 0) {
    throw new TypeError(
      `Cannot normalise rows of a tensor of shape ${formatShape(x.shape)} with a weight of shape ` +
        `${formatShape(weight.shape)}: its length must divide the rows'`,
    );
  }
  const rows = x.size / width;
  const y = Tensor.empty(device, x.shape);
  const inverses = Tensor.empty(device, [rows]);
  device.run(
    forwardKernel,
    { x: x.buffer, weight: weight.buffer, y: y.buffer, inverses: inverses.buffer },
    { rows, width, epsilon, offset },
  );
  return record(y, [x, weight], (dy, gradients) => {
    const wantsInput = gradients.wants(x);
    const wantsWeights = gradients.wants(weight);
    if (wantsInput || wantsWeights) {
      const notComputed = { gradient: dy, accumulate: 0 };
      const dWeight = wantsWeights ? gradients.into(weight) : notComputed;
      const dx = wantsInput ? gradients.into(x) : notComputed;
      device.run(
        backwardKernel,
        {
          x: x.buffer,
          weight: weight.buffer,
          inverses: inverses.buffer,
          dy: dy.buffer,
          dx: dx.gradient.buffer,
          dWeight: dWeight.gradient.buffer,
        },
        {
          rows,
          width,
          offset,
          wantsInput: Number(wantsInput),
          wantsWeights: Number(wantsWeights),
          accumulate: dx.accumulate,
          accumulateWeight: dWeight.accumulate,
        },
      );
    }
    inverses.dispose();
  });
}
