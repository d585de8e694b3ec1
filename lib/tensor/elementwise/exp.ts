/**
 * The exponential function: `y = eˣ`.
 *
 * @module
 */

import type { Tensor } from "../tensor.ts";
import { defineElementwise } from "./define.ts";

/**
 * Raises e to every element.
 *
 * @param x Any shape.
 * @returns A tensor of the same shape.
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { exp, tensor } from "tunebook/tensor";
 *
 * assertEquals([...await exp(tensor([0])).data()], [1]);
 * ```
 */
export const exp: (x: Tensor) => Tensor = defineElementwise({
  name: "exp",
  inputs: ["x"],
  forward: "exp(x)",
  gradients: { x: "dy * y" },
  test: { torch: "torch.exp(x)" },
});
