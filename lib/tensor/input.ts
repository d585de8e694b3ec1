/**
 * Tensors made from data of the host that a recorded computation makes again for each of its runs.
 *
 * @module
 */

import type { Device } from "./device.ts";
import { Tensor } from "./tensor.ts";

/**
 * Makes a tensor from data, and again each time that work runs in which this is recorded.
 *
 * @param device The device that stores it.
 * @param make Makes the data, always of the same length.
 * @param shape Lengths of its dimensions; one dimension by default.
 * @returns The tensor.
 */
export function inputTensor(
  device: Device,
  make: () => Float32Array | Int32Array,
  shape?: readonly number[],
): Tensor {
  const tensor = Tensor.from(device, make(), shape);
  device.refill?.(tensor.buffer, make);
  return tensor;
}
