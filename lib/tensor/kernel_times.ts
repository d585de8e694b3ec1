/**
 * What kernels took, summed by name: how devices keep a profile.
 *
 * @module
 */

import type { KernelTime } from "./device.ts";

/** Sums times by kernel. */
export class KernelTimes {
  readonly #times = new Map<string, { calls: number; seconds: number; flops: number }>();

  /**
   * Adds a call, or a part of one.
   *
   * @param name The kernel.
   * @param seconds How long it took.
   * @param flops Its operations, 0 where unknown.
   * @param calls 0 where this is a further part of a call.
   */
  add(name: string, seconds: number, flops: number, calls = 1): void {
    const time = this.#times.get(name) ?? { calls: 0, seconds: 0, flops: 0 };
    time.calls += calls;
    time.seconds += seconds;
    time.flops += flops;
    this.#times.set(name, time);
  }

  /** What was added, by kernel. */
  get all(): KernelTime[] {
    return [...this.#times].map(([name, time]) => ({ name, ...time }));
  }
}
