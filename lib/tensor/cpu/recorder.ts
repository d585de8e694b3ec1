/**
 * What is recorded of work on the CPU: its kernels, the memory that is theirs, and how its inputs are made.
 *
 * @module
 */

import type { Access } from "../device.ts";
import { Meetings } from "./meetings.ts";
import type { RunCommand, Scheduled } from "./protocol.ts";

/** Data of the host. */
export type HostData = Float32Array | Int32Array;

/** A recording under way, or done. */
export class Recorder<B> {
  /** The kernels, in order. */
  readonly commands: Scheduled<RunCommand>[] = [];
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
  readonly #meetings = new Meetings<B>();

  /**
   * Adds a kernel.
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
    const uses = Object.keys(buffers).map((name) => [buffers[name], access[name]] as const);
    for (const [buffer] of uses) this.buffers.add(buffer);
    const meets = this.#meetings.before(uses);
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
