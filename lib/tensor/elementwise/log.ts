/**
 * The natural logarithm: `y = ln x`.
 *
 * @module
 */

import type { Tensor } from "../tensor.ts";
import { defineElementwise } from "./define.ts";

/**
 * Takes the natural logarithm of every element; NaN of negative ones.
 *
 * @param x Any shape.
 * @returns A tensor of the same shape.
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { log, tensor } from "tunebook/tensor";
 *
 * assertEquals([...await log(tensor([1])).data()], [0]);
 * ```
 */
export const log: (x: Tensor) => Tensor = defineElementwise({
  name: "log",
  inputs: ["x"],
  forward: "log(x)",
  gradients: { x: "dy / x" },
  test: { torch: "torch.log(x)", domain: { x: [0.1, 5] } },
});
