/**
 * GELU by the error function, as GPT-NeoX has it: `y = ½ x (1 + erf(x / √2))`. GPT-2's, which is `gelu`, approximates it.
 *
 * Hendrycks & Gimpel, "Gaussian Error Linear Units", 2016.
 *
 * @module
 */

import type { Tensor } from "../tensor.ts";
import { defineElementwise } from "./define.ts";

/**
 * Applies GELU, computed exactly, to every element.
 *
 * @param x Any shape.
 * @returns A tensor of the same shape.
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { geluErf, tensor } from "tunebook/tensor";
 *
 * assertEquals([...await geluErf(tensor([0, 10])).data()], [0, 10]);
 * ```
 */
export const geluErf: (x: Tensor) => Tensor = defineElementwise({
  name: "geluErf",
  inputs: ["x"],
  forward: "0.5 * x * (1.0 + erf(0.7071067811865476 * x))",
  gradients: {
    x: "dy * (0.5 * (1.0 + erf(0.7071067811865476 * x)) + " +
      "0.3989422804014327 * x * exp(-0.5 * x * x))",
  },
  test: { torch: "F.gelu(x)", special: [0.0, NaN] },
});
