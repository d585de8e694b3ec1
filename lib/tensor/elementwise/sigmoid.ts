/**
 * The logistic function: `y = 1 / (1 + e⁻ˣ)`.
 *
 * @module
 */

import type { Tensor } from "../tensor.ts";
import { defineElementwise } from "./define.ts";

/**
 * Applies the logistic function to every element.
 *
 * @param x Any shape.
 * @returns A tensor of the same shape.
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { sigmoid, tensor } from "tunebook/tensor";
 *
 * assertEquals([...await sigmoid(tensor([0])).data()], [0.5]);
 * ```
 */
export const sigmoid: (x: Tensor) => Tensor = defineElementwise({
  name: "sigmoid",
  inputs: ["x"],
  forward: "sigmoid(x)",
  gradients: { x: "dy * y * (1.0 - y)" },
  test: { torch: "torch.sigmoid(x)" },
});
