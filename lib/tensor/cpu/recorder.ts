/**
 * What is recorded of work on the CPU: its kernels, the memory that is theirs, and how its inputs are made.
 *
 * @module
 */

import type { Access } from "../device.ts";
import type { RecordedCommand, RunCommand } from "./protocol.ts";

/** Data of the host. */
export type HostData = Float32Array | Int32Array;

/** A recording under way, or done. */
export class Recorder<B> {
  /** The kernels, in order. */
  readonly commands: RecordedCommand[] = [];
  /** Their names and operations, for profiles. */
  readonly kernels: { name: string; flops: number }[] = [];
  /** All memory that they use. */
  readonly buffers: Set<B> = new Set();
  /** What makes inputs again, by their memory. */
  readonly inputs: Map<B, () => HostData> = new Map();
  /** What was written and nothing makes again. */
  readonly constants: Map<B, { data: HostData; byteOffset: number }[]> = new Map();
  /**
   * Memory that was given back. It is not used again within the recording, for inputs are written before the first kernel
   * runs.
   */
  readonly released: B[] = [];
  /** What kernels since the last meeting of threads use, and what they write. */
  readonly #used = new Set<B>();
  readonly #written = new Set<B>();

  /**
   * Adds a kernel. Threads meet before it only if it depends on kernels since they last met, such as not between products
   * of the same rows with queries', keys' and values' weights.
   *
   * @param command The kernel.
   * @param buffers Its memory by name.
   * @param access What it does with each.
   */
  add(
    command: RunCommand,
    buffers: Readonly<Record<string, B>>,
    access: Readonly<Record<string, Access>>,
  ): void {
    const names = Object.keys(buffers);
    const meets = names.some((name) =>
      this.#written.has(buffers[name]) ||
      (access[name] !== "read" && this.#used.has(buffers[name]))
    );
    if (meets) {
      this.#used.clear();
      this.#written.clear();
    }
    for (const name of names) {
      this.buffers.add(buffers[name]);
      this.#used.add(buffers[name]);
      if (access[name] !== "read") this.#written.add(buffers[name]);
    }
    this.commands.push({ ...command, meets });
  }

  /** Notes data that was written. */
  write(buffer: B, data: HostData, byteOffset: number): void {
    const parts = this.constants.get(buffer) ?? [];
    this.constants.set(buffer, [...parts, { data: data.slice(), byteOffset }]);
  }

  /** Notes how the data of a buffer is made. */
  refill(buffer: B, make: () => HostData): void {
    this.constants.delete(buffer);
    this.inputs.set(buffer, make);
  }
}
