/**
 * The logarithm of the logistic function: `y = −ln(1 + e⁻ˣ)`.
 *
 * @module
 */

import type { Tensor } from "../tensor.ts";
import { defineElementwise } from "./define.ts";

/**
 * Applies the logarithm of the logistic function to every element, without overflow.
 *
 * @param x Any shape.
 * @returns A tensor of the same shape.
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { logSigmoid, tensor } from "tunebook/tensor";
 *
 * assertEquals([...await logSigmoid(tensor([100])).data()], [0]);
 * ```
 */
export const logSigmoid: (x: Tensor) => Tensor = defineElementwise({
  name: "logSigmoid",
  inputs: ["x"],
  forward: "min(x, 0.0) - log(1.0 + exp(-abs(x)))",
  gradients: { x: "dy * sigmoid(-x)" },
  test: { torch: "F.logsigmoid(x)" },
});
