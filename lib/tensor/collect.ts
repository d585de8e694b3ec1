/**
 * Memory of a device that tensors hold, and how it returns from tensors that nobody can reach any more, such as those of
 * a notebook's cell that is run again. To JavaScript a tensor is a small object, whatever it holds on its device: left
 * to itself it would keep many models. So garbage is collected, and unreachable tensors are found, *before* a device's
 * tensors take more than they ever held, and at no other time: how much memory a program takes follows from what it does,
 * not from when V8 collects garbage.
 *
 * @module
 */

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Device, DeviceBuffer, MemoryUse } from "./device.ts";

const MIB = 1024 * 1024;

/** Bytes that tensors may take before garbage is collected for the first time: a program begins with no garbage. */
const FIRST_LIMIT = 256 * MIB;

/** Bytes that they may take beyond what the last collection left, at least. */
const LEAST_GROWTH = 64 * MIB;

/** What tensors hold of one kind of memory, which is used again for this kind alone. */
interface Held {
  bytes: number;
  /** Before more than this is held, garbage is collected. */
  limit: number;
}

/** What tensors of a device hold. */
interface Use {
  readonly values: Held;
  /** Packed weights and optimizers' state, which may be elsewhere. */
  readonly placed: Held;
  /** The owners of memory. */
  readonly claims: Map<Claim, Storage>;
}

/** Memory, shared by tensors that are views of one another. */
export interface Storage {
  readonly device: Device;
  readonly buffer: DeviceBuffer;
  /** What it counts towards. */
  readonly held: Held;
  /** Tensors that hold it. */
  references: number;
}

/** That a tensor holds memory; it does not keep the tensor. */
export type Claim = WeakRef<object>;

const uses = new WeakMap<Device, Use>();
let collectGarbage: (() => void) | undefined;

function useOf(device: Device): Use {
  let use = uses.get(device);
  if (!use) {
    const nothing = () => ({ bytes: 0, limit: FIRST_LIMIT });
    use = { values: nothing(), placed: nothing(), claims: new Map() };
    uses.set(device, use);
  }
  return use;
}

/**
 * Takes memory, after a collection of garbage where tensors would hold more than ever before.
 *
 * @param device Where.
 * @param byteLength How much is needed.
 * @param purpose What it is for.
 * @returns The memory, which nobody holds yet.
 */
export function allocateStorage(
  device: Device,
  byteLength: number,
  purpose?: MemoryUse,
): Storage {
  const use = useOf(device);
  const held = purpose === undefined ? use.values : use.placed;
  if (held.bytes + byteLength > held.limit) makeRoom(use, held, byteLength);
  const buffer = device.allocate(byteLength, purpose);
  held.bytes += buffer.byteLength;
  return { device, buffer, held, references: 0 };
}

/**
 * Lets a tensor hold memory until {@linkcode releaseStorage}, or until a collection finds that nobody can reach it.
 *
 * @param tensor The tensor.
 * @param storage The memory.
 * @returns What to release it with.
 */
export function holdStorage(tensor: object, storage: Storage): Claim {
  const claim = new WeakRef(tensor);
  storage.references++;
  useOf(storage.device).claims.set(claim, storage);
  return claim;
}

/**
 * Ends a tensor's hold on memory, which returns to the pool where no other tensor shares it.
 *
 * @param claim From {@linkcode holdStorage}.
 * @param storage The memory.
 */
export function releaseStorage(claim: Claim, storage: Storage): void {
  const use = useOf(storage.device);
  if (!use.claims.delete(claim) || --storage.references > 0) return;
  storage.held.bytes -= storage.buffer.byteLength;
  storage.device.release(storage.buffer);
}

/**
 * Collects garbage and raises the limit: by an eighth of what is left, or if little was found, as while a model is loaded,
 * by half of it, so that there are few collections.
 */
function makeRoom(use: Use, held: Held, byteLength: number): void {
  const before = held.bytes;
  collectGarbage ??= findCollector();
  collectGarbage();
  for (const [claim, storage] of use.claims) {
    if (claim.deref() === undefined) releaseStorage(claim, storage);
  }
  const found = before - held.bytes;
  const growth = held.bytes / (found > before / 16 ? 8 : 2);
  held.limit = Math.max(held.limit, held.bytes + byteLength + Math.max(LEAST_GROWTH, growth));
}

/** V8's `gc`, which contexts have that are made after the flag was set. */
function findCollector(): () => void {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc");
  setFlagsFromString("--no-expose-gc");
  return collect;
}
