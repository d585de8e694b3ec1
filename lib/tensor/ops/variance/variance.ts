/**
 * How far elements are from their mean, made of the small operations.
 *
 * @module
 */

import { assertKnownOptions, type OptionNames } from "../../../options.ts";
import { mul } from "../../elementwise/mul.ts";
import { sub } from "../../elementwise/sub.ts";
import { mean } from "../../reductions/mean.ts";
import { readAxes } from "../../reductions/reduce.ts";
import { sum } from "../../reductions/sum.ts";
import type { VarianceOptions } from "../../options.ts";
import { assertTensors } from "../../shapes.ts";
import type { Tensor } from "../../tensor.ts";

const NAMES: OptionNames<VarianceOptions> = { axis: true, keepDims: true, correction: true };

/**
 * Takes the variance of elements: the mean of the squares of their differences from their mean.
 *
 * @param x Any shape.
 * @param options Which dimensions, all by default; whether they stay; what to divide by.
 * @returns A tensor without these dimensions, or with length 1 there.
 * @throws {RangeError} If there is no such dimension.
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { tensor, variance } from "tunebook/tensor";
 *
 * assertEquals(await variance(tensor([1, 3])).item(), 1);
 * assertEquals(await variance(tensor([1, 3]), { correction: 1 }).item(), 2);
 * ```
 */
export function variance(x: Tensor, options: VarianceOptions = {}): Tensor {
  assertKnownOptions("take the variance", options, NAMES);
  assertTensors("take the variance of", x);
  const { axis, keepDims, correction = 0 } = options;
  const axes = readAxes("take the variance of", x.shape, axis);
  const count = axes.reduce((product, one) => product * x.shape[one], 1);
  const centered = sub(x, mean(x, { axis, keepDims: true }));
  return mul(sum(mul(centered, centered), { axis, keepDims }), 1 / (count - correction));
}
