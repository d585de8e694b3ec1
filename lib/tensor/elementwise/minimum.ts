/**
 * The smaller of two: `y = min(a, b)`.
 *
 * @module
 */

import type { Operand, Tensor } from "../tensor.ts";
import { defineElementwise } from "./define.ts";

/**
 * Takes the smaller of two elements; NaN where one is NaN. Where both are equal, each has half of the gradient.
 *
 * @param a Any shape, or a number.
 * @param b A shape that broadcasts with it, or a number.
 * @returns A tensor of the shape that both are broadcast to.
 * @throws {TypeError} If the shapes do not broadcast, or no operand is a tensor.
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { minimum, tensor } from "tunebook/tensor";
 *
 * assertEquals([...await minimum(tensor([-1, 2]), 0).data()], [-1, 0]);
 * ```
 */
export const minimum: (a: Operand, b: Operand) => Tensor = defineElementwise({
  name: "minimum",
  inputs: ["a", "b"],
  forward: "select(b, a, a < b || isNaN(a))",
  gradients: {
    a: "select(select(0.0, 0.5 * dy, a == b), dy, a < b)",
    b: "select(select(0.0, 0.5 * dy, a == b), dy, b < a)",
  },
  test: { torch: "torch.minimum(a, b)" },
});
