/**
 * Powers: `y = aᵇ`.
 *
 * @module
 */

import type { Operand, Tensor } from "../tensor.ts";
import { defineElementwise } from "./define.ts";

/**
 * Raises elements to a power. A negative number has whole powers only; others are NaN.
 *
 * @param a Any shape, or a number.
 * @param b A shape that broadcasts with it, or a number.
 * @returns A tensor of the shape that both are broadcast to.
 * @throws {TypeError} If the shapes do not broadcast, or no operand is a tensor.
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { pow, tensor } from "tunebook/tensor";
 *
 * assertEquals([...await pow(tensor([1, -2, 3]), 2).data()], [1, 4, 9]);
 * ```
 */
export const pow: (a: Operand, b: Operand) => Tensor = defineElementwise({
  name: "pow",
  inputs: ["a", "b"],
  forward: "pow(a, b)",
  gradients: {
    a: "select(dy * b * pow(a, b - 1.0), 0.0, b == 0.0)",
    b: "select(dy * y * log(a), 0.0, a == 0.0 && b >= 0.0)",
  },
  test: { torch: "torch.pow(a, b)", domain: { a: [0.2, 3] } },
});
