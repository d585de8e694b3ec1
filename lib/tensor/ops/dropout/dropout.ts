/**
 * Dropout: each element is zero with some probability, the others are scaled up to keep the mean.
 *
 * Srivastava et al., "Dropout", 2014. The mask is never stored: element i of stream `seed` is dropped where
 * `hash(seed, i)`, a 32-bit integer hash, is below a threshold, so the gradient finds the same mask again, on any device.
 *
 * @module
 */

import { defineKernel } from "../../device.ts";
import { record } from "../../recording.ts";
import { assertTensors } from "../../shapes.ts";
import { Tensor } from "../../tensor.ts";
import { elementwise } from "../../webgpu/plans.ts";
import { batchRows } from "./batch_rows.ts";
import wgsl from "./dropout.wgsl" with { type: "text" };

/**
 * y = 0 where hash(seed, offset + i) < threshold, else x · factor; added to y where `accumulate` is 1. The hash, on u32
 * with wrapping arithmetic ("lowbias32", Wellons 2018, twice): mix(z) = z ^= z >> 16; z *= 0x7feb352d; z ^= z >> 15;
 * z *= 0x846ca68b; z ^= z >> 16. hash(seed, i) = mix(mix(i + 0x9e3779b9) ^ seed).
 */
export const dropoutKernel = defineKernel({
  name: "dropout",
  buffers: { x: "read", y: "update" },
  params: {
    size: "u32",
    seed: "u32",
    threshold: "u32",
    factor: "f32",
    offset: "u32",
    accumulate: "u32",
  },
  webgpu: elementwise({
    source: wgsl,
    size: "size",
    buffers: ["x", "y"],
    uniforms: { first: "u32" },
    values: (first) => ({ first }),
  }),
});

/** Which elements are dropped, for kernels. */
export interface DropoutParams {
  readonly seed: number;
  /** Elements whose hash is below are dropped. */
  readonly threshold: number;
  /** What the others are multiplied by. */
  readonly factor: number;
}

/**
 * Puts a probability into numbers for kernels.
 *
 * @param options Probability and seed; nothing is dropped without.
 * @returns Seed, threshold, factor.
 * @throws {RangeError} If the probability is out of range.
 */
export function dropoutParams(
  { probability, seed }: { readonly probability: number; readonly seed: number } = {
    probability: 0,
    seed: 0,
  },
): DropoutParams {
  if (!(probability >= 0 && probability < 1)) {
    throw new RangeError(
      `Cannot drop with probability ${probability}: expected a number from 0 up to, but not including, 1`,
    );
  }
  return {
    seed: seed >>> 0,
    threshold: Math.floor(probability * 2 ** 32),
    factor: 1 / (1 - probability),
  };
}

/**
 * Drops elements at random.
 *
 * @param x Any shape.
 * @param probability Of dropping an element, from 0 up to but not including 1.
 * @param seed Chooses the mask: a 32-bit unsigned integer, another for each use.
 * @returns A tensor of the same shape; `x` itself where the probability is 0.
 * @throws {RangeError} If the probability is out of range.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { dropout, ones } from "tunebook/tensor";
 *
 * const dropped = await dropout(ones([1000]), 0.5, 1).data();
 * assertEquals(new Set(dropped), new Set([0, 2])); // what stays counts twice
 * ```
 */
export function dropout(x: Tensor, probability: number, seed: number): Tensor {
  assertTensors("drop elements of", x);
  const offset = (batchRows(x.rows).first * x.width) >>> 0;
  const params = { size: x.size, ...dropoutParams({ probability, seed }), offset };
  if (probability === 0) return x;
  const y = Tensor.empty(x.device, x.shape);
  x.device.run(dropoutKernel, { x: x.buffer, y: y.buffer }, { ...params, accumulate: 0 });
  return record(y, [x], (dy, gradients) => {
    const { gradient, accumulate } = gradients.into(x);
    x.device.run(dropoutKernel, { x: dy.buffer, y: gradient.buffer }, { ...params, accumulate });
  });
}
