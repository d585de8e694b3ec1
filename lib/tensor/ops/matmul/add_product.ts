/**
 * Adding a product to a result where it is: what an adapter of low rank adds to a layer's output, which as a result of its
 * own would be as large, and would be written, read and added for nothing.
 *
 * @module
 */

import { record } from "../../recording.ts";
import { assertShape } from "../../shapes.ts";
import type { Tensor } from "../../tensor.ts";
import { matmulInto } from "./matmul.ts";

/**
 * Computes y + a · bᵀ in the memory of y.
 *
 * @param y (M, N). Its values are replaced, so that it must be the result of an op whose gradient does not read them, such
 * as a product, and nothing else may use it.
 * @param a (M, K).
 * @param b (N, K).
 * @returns (M, N).
 * @throws {TypeError} If the shapes do not fit.
 */
export function addProduct(y: Tensor, a: Tensor, b: Tensor): Tensor {
  const [m, n, k] = [y.rows, y.width, a.width];
  assertShape("a", a, [...y.shape.slice(0, -1), k]);
  assertShape("b", b, [n, k]);
  matmulInto(y, a, b, { m, n, k, transposeB: true, accumulate: 1 });
  const sum = y.alias();
  y.forget();
  return record(sum, [y, a, b], (dy, gradients) => {
    gradients.pass(y, dy);
    if (gradients.wants(a)) {
      const { gradient, accumulate } = gradients.into(a);
      matmulInto(gradient, dy, b, { m, n: k, k: n, accumulate });
    }
    if (gradients.wants(b)) {
      const { gradient, accumulate } = gradients.into(b);
      matmulInto(gradient, dy, a, { m: n, n: k, k: m, transposeA: true, accumulate });
    }
  });
}
