/**
 * Subtraction: `y = a − b`.
 *
 * @module
 */

import type { Operand, Tensor } from "../tensor.ts";
import { defineElementwise } from "./define.ts";

/**
 * Subtracts a tensor from another, element by element.
 *
 * @param a Any shape, or a number.
 * @param b A shape that broadcasts with it, or a number.
 * @returns A tensor of the shape that both are broadcast to.
 * @throws {TypeError} If the shapes do not broadcast, or no operand is a tensor.
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { sub, tensor } from "tunebook/tensor";
 *
 * assertEquals([...await sub(tensor([1, 2]), 10).data()], [-9, -8]);
 * ```
 */
export const sub: (a: Operand, b: Operand) => Tensor = defineElementwise({
  name: "sub",
  inputs: ["a", "b"],
  forward: "a - b",
  gradients: { a: "dy", b: "-dy" },
  test: { torch: "a - b" },
});
