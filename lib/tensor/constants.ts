/**
 * Numbers as tensors: the 2 of `x.mul(2)`. A number that is used again is on its device already.
 *
 * @module
 */

import type { Device } from "./device.ts";
import { Tensor } from "./tensor.ts";

/** Numbers that stay on a device; beyond these, as where each step has another, all are let go. */
const MOST = 1024;

const constants = new WeakMap<Device, Map<number | "-0", Tensor>>();

/**
 * Gives a number as a tensor that is never written to.
 *
 * @param device The device that stores it.
 * @param value The number.
 * @returns A tensor of no dimensions; the same for the same number.
 */
export function constantOn(device: Device, value: number): Tensor {
  const known = constantsOf(device);
  // A map takes −0 for 0.
  const key = Object.is(value, -0) ? "-0" : value;
  const found = known.get(key);
  if (found && !found.disposed) return found;
  if (known.size >= MOST) known.clear();
  // Kept beyond the scope that it happens to be used in first.
  const made = Tensor.from(device, [value], []).keep();
  known.set(key, made);
  return made;
}

/**
 * Finds the numbers that are on a device.
 *
 * @param device The device.
 * @returns Tensors by number.
 */
export function constantsOf(device: Device): Map<number | "-0", Tensor> {
  let known = constants.get(device);
  if (!known) constants.set(device, known = new Map());
  return known;
}
