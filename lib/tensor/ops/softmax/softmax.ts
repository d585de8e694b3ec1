/**
 * Scores as probabilities, made of the small operations: `softmax(x) = eˣ / Σ eˣ`.
 *
 * @module
 */

import { div } from "../../elementwise/div.ts";
import { exp } from "../../elementwise/exp.ts";
import { log } from "../../elementwise/log.ts";
import { mul } from "../../elementwise/mul.ts";
import { sub } from "../../elementwise/sub.ts";
import { max } from "../../reductions/max.ts";
import { readAxis } from "../../reductions/reduce.ts";
import { sum } from "../../reductions/sum.ts";
import { noGrad, record } from "../../recording.ts";
import { scope } from "../../scope.ts";
import { assertTensors } from "../../shapes.ts";
import type { Tensor } from "../../tensor.ts";

/**
 * Makes probabilities of scores along a dimension: positive numbers that add up to 1.
 *
 * @param x Any shape of at least one dimension.
 * @param axis The dimension, the last by default; negative numbers count from the end.
 * @returns A tensor of the same shape.
 * @throws {RangeError} If there is no such dimension.
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { softmax, tensor } from "tunebook/tensor";
 *
 * assertEquals([...await softmax(tensor([5, 5])).data()], [0.5, 0.5]);
 * ```
 */
export function softmax(x: Tensor, axis = -1): Tensor {
  assertTensors("take the softmax of", x);
  const over = { axis: readAxis("take the softmax of", x.shape, axis), keepDims: true };
  if (x.size === 0) return record(x.alias(), [x], (dy, gradients) => gradients.pass(x, dy));
  const y = noGrad(() =>
    scope(() => {
      const powers = exp(sub(x, max(x, over)));
      return div(powers, sum(powers, over));
    })
  );
  // dx = y (dy − Σ dy y)
  return record(
    y,
    [x],
    (dy, gradients) => gradients.pass(x, mul(y, sub(dy, sum(mul(dy, y), over)))),
  );
}

/**
 * Takes the logarithm of the softmax along a dimension, without overflow: log-probabilities.
 *
 * @param x Any shape of at least one dimension.
 * @param axis The dimension, the last by default; negative numbers count from the end.
 * @returns A tensor of the same shape.
 * @throws {RangeError} If there is no such dimension.
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { exp, logSoftmax, tensor } from "tunebook/tensor";
 *
 * assertEquals([...await logSoftmax(tensor([1000, 0])).data()], [0, -1000]);
 * ```
 */
export function logSoftmax(x: Tensor, axis = -1): Tensor {
  assertTensors("take the softmax of", x);
  const over = { axis: readAxis("take the softmax of", x.shape, axis), keepDims: true };
  if (x.size === 0) return record(x.alias(), [x], (dy, gradients) => gradients.pass(x, dy));
  const y = noGrad(() =>
    scope(() => {
      const shifted = sub(x, max(x, over));
      return sub(shifted, log(sum(exp(shifted), over)));
    })
  );
  // dx = dy − softmax(x) Σ dy
  return record(
    y,
    [x],
    (dy, gradients) => gradients.pass(x, sub(dy, mul(exp(y), sum(dy, over)))),
  );
}
