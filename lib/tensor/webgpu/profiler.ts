/**
 * How long kernels take on a GPU: from its own clock if it has one (`timestamp-query`), otherwise
 * from the time of its completion.
 *
 * @module
 */

import type { KernelTime } from "../device.ts";
import { KernelTimes } from "../kernel_times.ts";

/** Bytes of a timestamp: nanoseconds in 64 bits. */
const TIMESTAMP_BYTES = 8;

/** Takes a profile of one GPU. */
export class GpuProfiler {
  /** How kernels are timed, in words. */
  readonly method: string;
  readonly #device: GPUDevice;
  readonly #queries: GPUQuerySet | undefined;
  readonly #times = new KernelTimes();
  readonly #pending: Promise<void>[] = [];
  #lastDone = performance.now();

  /**
   * @param device The GPU.
   * @param mostDispatches How many dispatches are sent at a time.
   */
  constructor(device: GPUDevice, mostDispatches: number) {
    this.#device = device;
    const timestamps = device.features.has("timestamp-query");
    this.#queries = timestamps
      ? device.createQuerySet({ type: "timestamp", count: 2 * mostDispatches })
      : undefined;
    this.method = timestamps
      ? "the GPU's clock, a pass for each kernel"
      : "a submission for each kernel and when it is done, which adds milliseconds: the GPU has no clock to ask";
  }

  /** Whether each dispatch must be sent by itself. */
  get sendsEach(): boolean {
    return this.#queries === undefined;
  }

  /**
   * Counts a call of a kernel; its dispatches add their times.
   *
   * @param kernel The kernel's name.
   * @param flops Its operations, 0 where unknown.
   */
  count(kernel: string, flops: number): void {
    this.#times.add(kernel, 0, flops);
  }

  /**
   * Where a pass with one dispatch notes its times.
   *
   * @param slot Which dispatch of the batch it is.
   * @returns For the pass.
   */
  passDescriptor(slot: number): GPUComputePassDescriptor {
    return this.#queries
      ? {
        timestampWrites: {
          querySet: this.#queries,
          beginningOfPassWriteIndex: 2 * slot,
          endOfPassWriteIndex: 2 * slot + 1,
        },
      }
      : {};
  }

  /**
   * Adds to a batch what brings its times back.
   *
   * @param encoder The batch's commands.
   * @param kernels The kernels of its dispatches.
   * @returns To be called when the batch is sent.
   */
  finish(encoder: GPUCommandEncoder, kernels: readonly string[]): () => void {
    if (kernels.length === 0) return () => {};
    if (!this.#queries) {
      return () => this.#pending.push(this.#watch(kernels));
    }
    const size = 2 * kernels.length * TIMESTAMP_BYTES;
    const { COPY_SRC, COPY_DST, QUERY_RESOLVE, MAP_READ } = GPUBufferUsage;
    const resolved = this.#device.createBuffer({ size, usage: QUERY_RESOLVE | COPY_SRC });
    const staging = this.#device.createBuffer({ size, usage: COPY_DST | MAP_READ });
    encoder.resolveQuerySet(this.#queries, 0, 2 * kernels.length, resolved, 0);
    encoder.copyBufferToBuffer(resolved, 0, staging, 0, size);
    return () => this.#pending.push(this.#read(kernels, resolved, staging));
  }

  /** Waits for all times. */
  async stop(): Promise<KernelTime[]> {
    await Promise.all(this.#pending);
    this.#queries?.destroy();
    return this.#times.all;
  }

  async #read(kernels: readonly string[], resolved: GPUBuffer, staging: GPUBuffer): Promise<void> {
    await staging.mapAsync(GPUMapMode.READ);
    const times = new BigUint64Array(staging.getMappedRange().slice(0));
    kernels.forEach((kernel, i) =>
      this.#times.add(kernel, Number(times[2 * i + 1] - times[2 * i]) / 1e9, 0, 0)
    );
    staging.destroy();
    resolved.destroy();
  }

  async #watch(kernels: readonly string[]): Promise<void> {
    await this.#device.queue.onSubmittedWorkDone();
    const now = performance.now();
    for (const kernel of kernels) {
      this.#times.add(kernel, (now - this.#lastDone) / 1000 / kernels.length, 0, 0);
    }
    this.#lastDone = now;
  }
}
