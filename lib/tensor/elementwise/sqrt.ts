/**
 * The square root: `y = √x`.
 *
 * @module
 */

import type { Tensor } from "../tensor.ts";
import { defineElementwise } from "./define.ts";

/**
 * Takes the square root of every element; NaN of negative ones.
 *
 * @param x Any shape.
 * @returns A tensor of the same shape.
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { sqrt, tensor } from "tunebook/tensor";
 *
 * assertEquals([...await sqrt(tensor([4, 9])).data()], [2, 3]);
 * ```
 */
export const sqrt: (x: Tensor) => Tensor = defineElementwise({
  name: "sqrt",
  inputs: ["x"],
  forward: "sqrt(x)",
  gradients: { x: "dy / (2.0 * y)" },
  test: { torch: "torch.sqrt(x)", domain: { x: [0.1, 5] } },
});
