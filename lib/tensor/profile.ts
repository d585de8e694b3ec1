/**
 * Where the time goes: how long each kernel of a device takes, and how close it comes to what the machine can do.
 *
 * @module
 */

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
  /** Operations a second of a 1024³ matrix product alone on this device, measured beside: what a share is a share of. */
  readonly peakFlops: number;
}

/** The product that the peak is measured with. */
const PEAK_SHAPE = { m: 1024, n: 1024, k: 1024 };

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
 * import { matmul, pick, profile, Tensor } from "tunebook";
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
 */
export async function startProfile(device: Device): Promise<RunningProfile> {
  await device.sync();
  const method = device.startProfile();
  const begin = performance.now();
  return {
    async stop() {
      const times = await device.stopProfile();
      const seconds = (performance.now() - begin) / 1000;
      const flops = 2 * PEAK_SHAPE.m * PEAK_SHAPE.n * PEAK_SHAPE.k;
      const peakFlops = flops / await timeMatmul(device, PEAK_SHAPE);
      const kernels = [...times].sort((a, b) => b.seconds - a.seconds);
      return { device: device.name, method, seconds, kernels, peakFlops };
    },
  };
}
