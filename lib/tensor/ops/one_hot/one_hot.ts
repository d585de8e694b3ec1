/**
 * Indices as rows with a single 1.
 *
 * @module
 */

import { equal } from "../../elementwise/equal.ts";
import { assertTensors } from "../../shapes.ts";
import { Tensor } from "../../tensor.ts";
import { reshape } from "../reshape/reshape.ts";

/**
 * Writes each index as a row of zeros with a 1 at this place. An index out of range gives zeros only. There is no
 * gradient.
 *
 * @param indices Integers of any shape.
 * @param classes The length of the rows.
 * @returns (…, classes).
 * @throws {RangeError} If there is not at least one class.
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { oneHot, tensor } from "tunebook/tensor";
 *
 * const rows = oneHot(tensor([2, 0], { dtype: "i32" }), 3);
 * assertEquals([...await rows.data()], [0, 0, 1, 1, 0, 0]);
 * ```
 */
export function oneHot(indices: Tensor, classes: number): Tensor {
  assertTensors("write as rows", indices);
  if (!Number.isInteger(classes) || classes < 1 || classes > 2 ** 24) {
    throw new RangeError(
      `Cannot write indices as rows of ${classes}: expected a whole number from 1 to ${2 ** 24}`,
    );
  }
  const numbers = Float32Array.from({ length: classes }, (_, i) => i);
  const all = Tensor.from(indices.device, numbers);
  return equal(reshape(indices, [...indices.shape, 1]), all);
}
