/**
 * Means over dimensions.
 *
 * @module
 */

import type { ReductionOptions } from "../options.ts";
import type { Tensor } from "../tensor.ts";
import { defineReduction } from "./define.ts";

/**
 * Takes the mean of elements; NaN where there are none.
 *
 * @param x Any shape.
 * @param options Which dimensions, all by default, and whether they stay.
 * @returns A tensor without these dimensions, or with length 1 there.
 * @throws {RangeError} If there is no such dimension.
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { mean, tensor } from "tunebook/tensor";
 *
 * const x = tensor([[1, 2], [3, 4]]);
 * assertEquals([...await mean(x, { axis: 1 }).data()], [1.5, 3.5]);
 * ```
 */
export const mean: (x: Tensor, options?: ReductionOptions) => Tensor = defineReduction({
  name: "mean",
  identity: "0.0",
  combine: "a + b",
  finish: "total / count",
  gradient: "dy / count",
  test: { torch: "x.mean(dim, keepdim=keepdim)" },
});
