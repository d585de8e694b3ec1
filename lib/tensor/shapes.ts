/**
 * Checks that ops share.
 *
 * @module
 */

import { kindOf } from "../kind_of.ts";
import { formatShape, Tensor } from "./tensor.ts";

/**
 * Checks that arguments are tensors on one device.
 *
 * @param action What is being done, such as `"add"`.
 * @param values The arguments.
 * @throws {TypeError} If one is not a tensor, or they are on several devices.
 */
export function assertTensors(action: string, ...values: readonly unknown[]): void {
  for (const value of values) {
    if (!(value instanceof Tensor)) {
      throw new TypeError(
        `Cannot ${action} ${kindOf(value)}: expected a tensor${howToMake(value)}`,
      );
    }
  }
  const [first, ...others] = values as readonly Tensor[];
  for (const { device } of others) {
    if (device === first.device) continue;
    throw new TypeError(
      `Cannot ${action} tensors on "${first.device.name}" and "${device.name}": ` +
        "expected one device",
    );
  }
}

/**
 * Tells how to make a tensor of numbers that were given instead.
 *
 * @param value What was given.
 * @returns The end of an error.
 */
export function howToMake(value: unknown): string {
  const isNumbers = typeof value === "number" || Array.isArray(value) || ArrayBuffer.isView(value);
  return isNumbers ? "; make one with tensor()" : "";
}

/**
 * Checks that an argument is a shape.
 *
 * @param action What is being done, such as `"make a tensor"`.
 * @param shape The argument.
 * @throws {TypeError} If it is not an array of whole numbers from 0.
 */
export function assertLengths(action: string, shape: readonly number[]): void {
  const lengths = Array.isArray(shape) ? shape : [NaN];
  if (lengths.every((length) => Number.isInteger(length) && length >= 0)) return;
  const found = Array.isArray(shape) ? formatShape(shape) : JSON.stringify(shape);
  throw new TypeError(
    `Cannot ${action} of shape ${found}: expected an array of whole numbers from 0`,
  );
}

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
export function assertShape(
  name: string,
  tensor: Pick<Tensor, "shape">,
  shape: readonly number[],
): void {
  if (tensor.shape.length !== shape.length || shape.some((n, i) => n !== tensor.shape[i])) {
    throw new TypeError(
      `Cannot use "${name}" of shape ${formatShape(tensor.shape)}: expected ${formatShape(shape)}`,
    );
  }
}
