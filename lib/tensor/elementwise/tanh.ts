/**
 * The hyperbolic tangent: `y = tanh x`.
 *
 * @module
 */

import type { Tensor } from "../tensor.ts";
import { defineElementwise } from "./define.ts";

/**
 * Applies the hyperbolic tangent to every element.
 *
 * @param x Any shape.
 * @returns A tensor of the same shape.
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { tanh, tensor } from "tunebook/tensor";
 *
 * assertEquals([...await tanh(tensor([0])).data()], [0]);
 * ```
 */
export const tanh: (x: Tensor) => Tensor = defineElementwise({
  name: "tanh",
  inputs: ["x"],
  forward: "tanh(x)",
  gradients: { x: "dy * (1.0 - y * y)" },
  test: { torch: "torch.tanh(x)" },
});
