/**
 * Garbage collection when much device memory is in use. To JavaScript a tensor is a small object, whatever it holds on
 * its device: left to itself it would keep many models that nobody can reach any more, such as those of a notebook's
 * cell that is run again.
 *
 * @module
 */

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Device } from "./device.ts";

/** Collecting takes some tens of milliseconds: not for less than this. */
const LEAST_GROWTH = 64 * 1024 * 1024;

/** Nor more often than this, in milliseconds: each takes long where much is loaded. */
const LEAST_PAUSE = 250;

/** A program that has just begun has no garbage: so many milliseconds it has to load its model. */
const START_UP = 1750;

/** Bytes of a device that tensors have, those that nobody can reach included. */
interface Use {
  bytes: number;
  /** With more than this, garbage is collected. */
  limit: number;
}

const uses = new WeakMap<Device, Use>();
let collectGarbage: (() => void) | undefined;
let notBefore = performance.now() + START_UP;

function useOf(device: Device): Use {
  let use = uses.get(device);
  if (!use) uses.set(device, use = { bytes: 0, limit: LEAST_GROWTH });
  return use;
}

/**
 * Counts memory that a tensor took, and collects garbage if tensors have an eighth more than what was left of them at
 * the last collection. What is found goes back a moment later, when the program next waits for something.
 *
 * @param device Whose memory it is.
 * @param byteLength How much.
 */
export function countTaken(device: Device, byteLength: number): void {
  const use = useOf(device);
  use.bytes += byteLength;
  if (use.bytes <= use.limit || performance.now() < notBefore) return;
  use.limit = use.bytes + Math.max(LEAST_GROWTH, use.bytes / 8);
  collectGarbage ??= findCollector();
  collectGarbage();
  notBefore = performance.now() + LEAST_PAUSE;
}

/**
 * Counts memory that was given back.
 *
 * @param device Whose memory it is.
 * @param byteLength How much.
 * @param garbage Whether a collection found it: then it was no part of what is needed.
 */
export function countReturned(device: Device, byteLength: number, garbage: boolean): void {
  const use = useOf(device);
  use.bytes -= byteLength;
  if (garbage) use.limit = Math.max(use.limit - byteLength, LEAST_GROWTH);
}

/** V8's `gc`, which contexts have that are made after the flag was set. */
function findCollector(): () => void {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc");
  setFlagsFromString("--no-expose-gc");
  return collect;
}
