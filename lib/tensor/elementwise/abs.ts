/**
 * The absolute value: `y = |x|`.
 *
 * @module
 */

import type { Tensor } from "../tensor.ts";
import { defineElementwise } from "./define.ts";

/**
 * Takes the absolute value of every element. At 0 the gradient is 0.
 *
 * @param x Any shape.
 * @returns A tensor of the same shape.
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { abs, tensor } from "tunebook/tensor";
 *
 * assertEquals([...await abs(tensor([1, -2])).data()], [1, 2]);
 * ```
 */
export const abs: (x: Tensor) => Tensor = defineElementwise({
  name: "abs",
  inputs: ["x"],
  forward: "abs(x)",
  gradients: { x: "dy * (select(0.0, 1.0, x > 0.0) - select(0.0, 1.0, x < 0.0))" },
  test: { torch: "torch.abs(x)" },
});
