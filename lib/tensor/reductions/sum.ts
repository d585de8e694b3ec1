/**
 * Sums over dimensions.
 *
 * @module
 */

import type { ReductionOptions } from "../options.ts";
import type { Tensor } from "../tensor.ts";
import { defineReduction } from "./define.ts";
import { sumFormulas } from "./sum_formulas.ts";

/**
 * Adds up elements.
 *
 * @param x Any shape.
 * @param options Which dimensions, all by default, and whether they stay.
 * @returns A tensor without these dimensions, or with length 1 there.
 * @throws {RangeError} If there is no such dimension.
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { sum, tensor } from "tunebook/tensor";
 *
 * const x = tensor([[1, 2], [3, 4]]);
 * assertEquals([...await sum(x, { axis: 1 }).data()], [3, 7]);
 * ```
 */
export const sum: (x: Tensor, options?: ReductionOptions) => Tensor = defineReduction({
  ...sumFormulas,
  gradient: "dy",
  test: { torch: "x.sum(dim, keepdim=keepdim)" },
});
