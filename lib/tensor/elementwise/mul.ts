/**
 * Multiplication: `y = a · b`.
 *
 * @module
 */

import type { Operand, Tensor } from "../tensor.ts";
import { defineElementwise } from "./define.ts";

/**
 * Multiplies two tensors, element by element. For the product of matrices there is `matmul`.
 *
 * @param a Any shape, or a number.
 * @param b A shape that broadcasts with it, or a number.
 * @returns A tensor of the shape that both are broadcast to.
 * @throws {TypeError} If the shapes do not broadcast, or no operand is a tensor.
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { mul, tensor } from "tunebook/tensor";
 *
 * assertEquals([...await mul(tensor([1, 2]), tensor([3, 4])).data()], [3, 8]);
 * ```
 */
export const mul: (a: Operand, b: Operand) => Tensor = defineElementwise({
  name: "mul",
  inputs: ["a", "b"],
  forward: "a * b",
  gradients: { a: "dy * b", b: "dy * a" },
  test: { torch: "a * b" },
});
