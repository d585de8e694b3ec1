/**
 * The largest element over dimensions.
 *
 * @module
 */

import type { ReductionOptions } from "../options.ts";
import type { Tensor } from "../tensor.ts";
import { defineReduction } from "./define.ts";

/**
 * Takes the largest element; NaN where one is NaN. Equal largest ones share the gradient, as in `torch.amax`.
 *
 * @param x Any shape.
 * @param options Which dimensions, all by default, and whether they stay.
 * @returns A tensor without these dimensions, or with length 1 there.
 * @throws {RangeError} If there is no such dimension, or there is nothing to choose from.
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { max, tensor } from "tunebook/tensor";
 *
 * const x = tensor([[1, 2], [3, 4]]);
 * assertEquals([...await max(x, { axis: 1 }).data()], [2, 4]);
 * ```
 */
export const max: (x: Tensor, options?: ReductionOptions) => Tensor = defineReduction({
  name: "max",
  combine: "select(b, a, a > b || isNaN(a))",
  gradient: "select(0.0, dy / ties, x == y)",
  test: { torch: "torch.amax(x, dim, keepdim=keepdim)" },
});
