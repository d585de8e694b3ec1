/**
 * Negation: `y = −x`.
 *
 * @module
 */

import type { Tensor } from "../tensor.ts";
import { defineElementwise } from "./define.ts";

/**
 * Negates every element.
 *
 * @param x Any shape.
 * @returns A tensor of the same shape.
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { neg, tensor } from "tunebook/tensor";
 *
 * assertEquals([...await neg(tensor([1, -2])).data()], [-1, 2]);
 * ```
 */
export const neg: (x: Tensor) => Tensor = defineElementwise({
  name: "neg",
  inputs: ["x"],
  forward: "-x",
  gradients: { x: "-dy" },
  test: { torch: "-x" },
});
