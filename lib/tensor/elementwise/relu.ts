/**
 * The rectifier: `y = max(x, 0)`.
 *
 * @module
 */

import type { Tensor } from "../tensor.ts";
import { defineElementwise } from "./define.ts";

/**
 * Sets negative elements to 0. At 0 the gradient is 0.
 *
 * @param x Any shape.
 * @returns A tensor of the same shape.
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { relu, tensor } from "tunebook/tensor";
 *
 * assertEquals([...await relu(tensor([-1, 2])).data()], [0, 2]);
 * ```
 */
export const relu: (x: Tensor) => Tensor = defineElementwise({
  name: "relu",
  inputs: ["x"],
  forward: "select(x, 0.0, x < 0.0)",
  gradients: { x: "select(0.0, dy, x > 0.0)" },
  test: { torch: "F.relu(x)" },
});
