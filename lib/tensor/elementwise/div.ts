/**
 * Division: `y = a / b`.
 *
 * @module
 */

import type { Operand, Tensor } from "../tensor.ts";
import { defineElementwise } from "./define.ts";

/**
 * Divides a tensor by another, element by element.
 *
 * @param a Any shape, or a number.
 * @param b A shape that broadcasts with it, or a number.
 * @returns A tensor of the shape that both are broadcast to.
 * @throws {TypeError} If the shapes do not broadcast, or no operand is a tensor.
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { div, tensor } from "tunebook/tensor";
 *
 * assertEquals([...await div(tensor([1, 2]), 2).data()], [0.5, 1]);
 * ```
 */
export const div: (a: Operand, b: Operand) => Tensor = defineElementwise({
  name: "div",
  inputs: ["a", "b"],
  forward: "a / b",
  gradients: { a: "dy / b", b: "-dy * (a / b) / b" },
  test: { torch: "a / b", domain: { b: [0.5, 3] } },
});
