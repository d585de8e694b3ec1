/**
 * Where the time goes: how long each kernel of a device takes, and how close it comes to what the machine can do.
 *
 * @module
 */

import { kindOf } from "../kind_of.ts";
import type { Device, KernelTime } from "./device.ts";
import { timeMatmul } from "./webgpu/tuning.ts";

/** What a computation spent, kernel by kernel. */
export interface Profile {
  /** The device's name. */
  readonly device: string;
  /** How the kernels were timed. */
  readonly method: string;
  /** Seconds from the first to the last moment, waiting and the main thread's work included. */
  readonly seconds: number;
  /** Kernels, those that took longest first. */
  readonly kernels: readonly KernelTime[];
  /** Operations a second of the best matrix product on this device, measured beside: what a share is a share of. */
  readonly peakFlops: number;
}

/** Sizes of the square products that the peak is looked for with, while a larger one is faster and takes less than this. */
const PEAK_SIZES = [512, 1024, 2048, 4096];
const PEAK_SECONDS = 0.1;

/**
 * Measures how long each kernel takes while something is computed. On the CPU a thread notes the time between kernels,
 * which costs nothing that could be measured; on a GPU each kernel gets a pass of its own, which costs a little.
 *
 * @param device The device that computes; nothing else should use it meanwhile.
 * @param compute What is measured.
 * @returns What it returned, and the profile. {@linkcode profileView} shows it.
 *
 * @example Where the time of a matrix product goes
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { pick, Tensor } from "tunebook";
 * import { matmul, profile } from "tunebook/tensor";
 *
 * const device = await pick({ device: "cpu" });
 * const x = Tensor.from(device, new Float32Array(64 * 64), [64, 64]);
 * const { profile: measured } = await profile(device, async () => await matmul(x, x).data());
 * assertEquals(measured.kernels.map(({ name, calls, flops }) => ({ name, calls, flops })), [
 *   { name: "matmul", calls: 1, flops: 2 * 64 ** 3 },
 * ]);
 * ```
 */
export async function profile<T>(
  device: Device,
  compute: () => T | Promise<T>,
): Promise<{ result: T; profile: Profile }> {
  const running = await startProfile(device);
  const result = await compute();
  return { result, profile: await running.stop() };
}

/** A profile that is being taken. */
export interface RunningProfile {
  /** Ends it, and tells what it found. */
  stop(): Promise<Profile>;
}

/**
 * Begins to measure, like {@linkcode profile}, where the computation is not one function.
 *
 * @param device The device that computes.
 * @returns What ends it.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { ones, pick, startProfile } from "tunebook/tensor";
 *
 * const device = await pick({ device: "cpu" });
 * const running = await startProfile(device);
 * ones([64, 64], { device }).mul(2);
 * const { kernels } = await running.stop();
 * assertEquals(kernels.length > 0, true);
 * device.close();
 * ```
 */
export async function startProfile(device: Device): Promise<RunningProfile> {
  if (typeof device?.sync !== "function") {
    throw new TypeError(`Cannot take a profile of ${kindOf(device)}: expected a device first`);
  }
  await device.sync();
  const method = device.startProfile();
  const begin = performance.now();
  return {
    async stop() {
      const times = await device.stopProfile();
      const seconds = (performance.now() - begin) / 1000;
      const peakFlops = await measurePeak(device);
      const kernels = [...times].sort((a, b) => b.seconds - a.seconds);
      return { device: device.name, method, seconds, kernels, peakFlops };
    },
  };
}

async function measurePeak(device: Device): Promise<number> {
  let peak = 0;
  for (const size of PEAK_SIZES) {
    const seconds = await timeMatmul(device, { m: size, n: size, k: size });
    const rate = 2 * size ** 3 / seconds;
    const better = rate > 1.1 * peak;
    peak = Math.max(peak, rate);
    if (!better || seconds > PEAK_SECONDS) break;
  }
  return peak;
}
