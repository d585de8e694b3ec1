/**
 * Choice: `y = a` where the condition is not 0, else `b`.
 *
 * @module
 */

import type { Operand, Tensor } from "../tensor.ts";
import { defineElementwise } from "./define.ts";

/**
 * Chooses elements from one tensor or another.
 *
 * @param condition Any shape; 0 counts as false.
 * @param a What is taken where it is true: a tensor or a number.
 * @param b What is taken where it is false: a tensor or a number.
 * @returns A tensor of the shape that all are broadcast to.
 * @throws {TypeError} If the shapes do not broadcast, or no operand is a tensor.
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { greater, tensor, where } from "tunebook/tensor";
 *
 * const x = tensor([-1, 2]);
 * assertEquals([...await where(greater(x, 0), x, 0).data()], [0, 2]);
 * ```
 */
export const where: (condition: Operand, a: Operand, b: Operand) => Tensor = defineElementwise({
  name: "where",
  inputs: ["condition", "a", "b"],
  forward: "select(a, b, condition == 0.0)",
  gradients: { a: "select(dy, 0.0, condition == 0.0)", b: "select(0.0, dy, condition == 0.0)" },
  test: { torch: "torch.where(condition != 0, a, b)", special: [0, NaN] },
});
