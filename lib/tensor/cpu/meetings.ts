/**
 * Where threads must meet between kernels: only where one depends on another, such as not between products of the same rows
 * with queries', keys' and values' weights. A meeting waits for the slowest thread.
 *
 * @module
 */

import type { Access } from "../device.ts";

/** Kernels in their order, with the memory that they use since threads last met. */
export class Meetings<B> {
  readonly #used = new Set<B>();
  readonly #written = new Set<B>();

  /**
   * Adds a kernel.
   *
   * @param uses The memory that it uses, and what it does with it.
   * @returns Whether threads meet before it: it uses what a kernel since the last meeting wrote, or writes what one used.
   */
  before(uses: readonly (readonly [memory: B, access: Access])[]): boolean {
    const meets = uses.some(([memory, access]) =>
      this.#written.has(memory) || (access !== "read" && this.#used.has(memory))
    );
    if (meets) this.clear();
    for (const [memory, access] of uses) {
      this.#used.add(memory);
      if (access !== "read") this.#written.add(memory);
    }
    return meets;
  }

  /** Notes that threads meet for another reason. */
  clear(): void {
    this.#used.clear();
    this.#written.clear();
  }
}
