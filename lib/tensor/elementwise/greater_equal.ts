/**
 * Comparison: 1 where `a ≥ b`, else 0.
 *
 * @module
 */

import type { Operand, Tensor } from "../tensor.ts";
import { defineElementwise } from "./define.ts";

/**
 * Tells which elements are greater or equal: 1 where they are, 0 where not. There is no gradient.
 *
 * @param a Any shape, or a number.
 * @param b A shape that broadcasts with it, or a number.
 * @returns A tensor of the shape that both are broadcast to.
 * @throws {TypeError} If the shapes do not broadcast, or no operand is a tensor.
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { greaterEqual, tensor } from "tunebook/tensor";
 *
 * assertEquals([...await greaterEqual(tensor([1, 2, 3]), 2).data()], [0, 1, 1]);
 * ```
 */
export const greaterEqual: (a: Operand, b: Operand) => Tensor = defineElementwise({
  name: "greaterEqual",
  inputs: ["a", "b"],
  forward: "select(0.0, 1.0, a >= b)",
  gradients: {},
  test: { torch: "a >= b" },
});
