// What tests of ops share: tensors with gradients, and the gradient of an op's result for any upstream gradient.

import { backward } from "../../lib/tensor/tape.ts";
import { type Device, scope, sizeOf, Tensor } from "../../lib/tensor/mod.ts";
import { record } from "../../lib/tensor/recording.ts";

/** An array with a shape, such as a golden tensor. */
export interface ArrayLike {
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array;
}

/** A tensor whose gradient is kept. */
export function parameter(device: Device, { data, shape }: ArrayLike): Tensor {
  const tensor = Tensor.from(device, data, shape);
  tensor.requiresGrad = true;
  return tensor;
}

/** A loss whose gradient with respect to `y` is `upstream`; its own value means nothing. */
export function lossWithGradient(y: Tensor, upstream: Float32Array | Int32Array): Tensor {
  const gradient = Tensor.from(y.device, upstream, y.shape);
  return record(
    Tensor.from(y.device, [0], []),
    [y],
    (_, gradients) => gradients.pass(y, gradient),
  );
}

/**
 * Runs an op and differentiates it.
 *
 * @param device The device.
 * @param inputs Tensors by name, all of which want gradients.
 * @param upstream Gradient of the op's result.
 * @param forward The op.
 * @returns The result's elements as `output`, and the gradient of input `name` as `nameGrad`.
 */
export async function differentiate(
  device: Device,
  inputs: Readonly<Record<string, ArrayLike>>,
  upstream: Float32Array | Int32Array,
  forward: (tensors: Record<string, Tensor>) => Tensor,
): Promise<Record<string, Float32Array | Int32Array>> {
  const tensors: Record<string, Tensor> = {};
  for (const [name, input] of Object.entries(inputs)) tensors[name] = parameter(device, input);
  const output = scope(() => {
    const y = forward(tensors);
    if (y.node) backward(lossWithGradient(y, upstream));
    // The tape disposes of what it made; the values are still to be read.
    return y.disposed ? undefined : y;
  }) ?? scope(() => forward(tensors));
  const results: Record<string, Float32Array | Int32Array> = { output: await output.data() };
  for (const [name, tensor] of Object.entries(tensors)) {
    if (tensor.grad) results[`${name}Grad`] = await tensor.grad.data();
    tensor.grad?.dispose();
    tensor.dispose();
  }
  output.dispose();
  return results;
}

/** Numbers from −1 to 1 that are the same each time. */
export function numbers(shape: readonly number[], seed = 1): ArrayLike & { data: Float32Array } {
  let state = seed >>> 0;
  const data = Float32Array.from({ length: sizeOf(shape) }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
  return { shape, data };
}
