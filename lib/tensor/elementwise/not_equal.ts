/**
 * Comparison: 1 where `a ≠ b`, else 0.
 *
 * @module
 */

import type { Operand, Tensor } from "../tensor.ts";
import { defineElementwise } from "./define.ts";

/**
 * Tells which elements differ: 1 where they do, 0 where not. There is no gradient.
 *
 * @param a Any shape, or a number.
 * @param b A shape that broadcasts with it, or a number.
 * @returns A tensor of the shape that both are broadcast to.
 * @throws {TypeError} If the shapes do not broadcast, or no operand is a tensor.
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { notEqual, tensor } from "tunebook/tensor";
 *
 * assertEquals([...await notEqual(tensor([1, 2, 3]), 2).data()], [1, 0, 1]);
 * ```
 */
export const notEqual: (a: Operand, b: Operand) => Tensor = defineElementwise({
  name: "notEqual",
  inputs: ["a", "b"],
  forward: "select(1.0, 0.0, a == b)",
  gradients: {},
  test: { torch: "a != b" },
});
