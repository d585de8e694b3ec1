/**
 * SiLU, also called swish: `y = x σ(x)`.
 *
 * @module
 */

import type { Tensor } from "../tensor.ts";
import { defineElementwise } from "./define.ts";

/**
 * Multiplies every element by its logistic function.
 *
 * @param x Any shape.
 * @returns A tensor of the same shape.
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { silu, tensor } from "tunebook/tensor";
 *
 * assertEquals([...await silu(tensor([0])).data()], [0]);
 * ```
 */
export const silu: (x: Tensor) => Tensor = defineElementwise({
  name: "silu",
  inputs: ["x"],
  forward: "x * sigmoid(x)",
  gradients: { x: "dy * sigmoid(x) * (1.0 + x * (1.0 - sigmoid(x)))" },
  test: { torch: "F.silu(x)", special: [0, NaN] },
});
