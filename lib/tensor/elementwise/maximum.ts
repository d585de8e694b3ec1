/**
 * The larger of two: `y = max(a, b)`.
 *
 * @module
 */

import type { Operand, Tensor } from "../tensor.ts";
import { defineElementwise } from "./define.ts";

/**
 * Takes the larger of two elements; NaN where one is NaN. Where both are equal, each has half of the gradient.
 *
 * @param a Any shape, or a number.
 * @param b A shape that broadcasts with it, or a number.
 * @returns A tensor of the shape that both are broadcast to.
 * @throws {TypeError} If the shapes do not broadcast, or no operand is a tensor.
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { maximum, tensor } from "tunebook/tensor";
 *
 * assertEquals([...await maximum(tensor([-1, 2]), 0).data()], [0, 2]);
 * ```
 */
export const maximum: (a: Operand, b: Operand) => Tensor = defineElementwise({
  name: "maximum",
  inputs: ["a", "b"],
  forward: "select(b, a, a > b || isNaN(a))",
  gradients: {
    a: "select(select(0.0, 0.5 * dy, a == b), dy, a > b)",
    b: "select(select(0.0, 0.5 * dy, a == b), dy, b > a)",
  },
  test: { torch: "torch.maximum(a, b)" },
});
