/**
 * Checks that ops share.
 *
 * @module
 */

import { formatShape, type Tensor } from "./tensor.ts";

/**
 * Checks that two tensors have the same shape.
 *
 * @param action What is being done, such as `"add"`.
 * @param a One tensor.
 * @param b The other.
 * @throws {TypeError} If the shapes differ.
 */
export function assertSameShape(action: string, a: Tensor, b: Tensor): void {
  if (a.shape.length !== b.shape.length || a.shape.some((length, i) => length !== b.shape[i])) {
    throw new TypeError(
      `Cannot ${action} tensors of shapes ${formatShape(a.shape)} and ${formatShape(b.shape)}: ` +
        "shapes must be equal",
    );
  }
}

/**
 * Checks the shape of one argument.
 *
 * @param name The argument, such as `"weight"`.
 * @param tensor The tensor given.
 * @param shape The shape that is needed.
 * @throws {TypeError} If it has another shape.
 */
export function assertShape(name: string, tensor: Tensor, shape: readonly number[]): void {
  if (tensor.shape.length !== shape.length || shape.some((n, i) => n !== tensor.shape[i])) {
    throw new TypeError(
      `Cannot use "${name}" of shape ${formatShape(tensor.shape)}: expected ${formatShape(shape)}`,
    );
  }
}
