/**
 * Addition: `y = a + b`.
 *
 * @module
 */

import type { Operand, Tensor } from "../tensor.ts";
import { defineElementwise } from "./define.ts";

/**
 * Adds two tensors, element by element.
 *
 * @param a Any shape, or a number.
 * @param b A shape that broadcasts with it, or a number.
 * @returns A tensor of the shape that both are broadcast to.
 * @throws {TypeError} If the shapes do not broadcast, or no operand is a tensor.
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { add, tensor } from "tunebook/tensor";
 *
 * assertEquals([...await add(tensor([1, 2]), 10).data()], [11, 12]);
 * ```
 */
export const add: (a: Operand, b: Operand) => Tensor = defineElementwise({
  name: "add",
  inputs: ["a", "b"],
  forward: "a + b",
  gradients: { a: "dy", b: "dy" },
  test: { torch: "a + b" },
});
