/**
 * Commands that are collected and sent to the GPU together, with the scalars of all their kernels in one buffer.
 *
 * @module
 */

import { GpuProfiler } from "./profiler.ts";

/**
 * Dispatches sent at a time. Fewer would make sending costly; many more would let the GPU idle while the first are
 * collected, and on a slow one could outlast the seconds that some systems let a single submission take.
 */
const MAX_DISPATCHES = 64;

/** Bytes of a kernel's uniform struct at most; dynamic offsets are multiples of 256 everywhere. */
export const UNIFORM_SIZE = 256;

/** Collects commands. */
export class CommandBatch {
  /** Where the uniform structs of the batch lie. */
  readonly uniforms: GPUBuffer;
  readonly #device: GPUDevice;
  readonly #onSubmit: (labels: readonly string[], submit: () => void) => void;
  readonly #values = new ArrayBuffer(MAX_DISPATCHES * UNIFORM_SIZE);
  #encoder: GPUCommandEncoder | undefined;
  #pass: GPUComputePassEncoder | undefined;
  #labels: string[] = [];
  #kernels: string[] = [];
  #number = 1;
  #profiler: GpuProfiler | undefined;

  /**
   * @param device The GPU.
   * @param onSubmit Called with the kernels' names and the function that sends them, to watch for errors.
   */
  constructor(
    device: GPUDevice,
    onSubmit: (labels: readonly string[], submit: () => void) => void,
  ) {
    this.#device = device;
    this.#onSubmit = onSubmit;
    this.uniforms = device.createBuffer({
      label: "uniforms",
      size: this.#values.byteLength,
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    });
  }

  /** Number of the batch that is being collected. */
  get number(): number {
    return this.#number;
  }

  /**
   * Adds a dispatch.
   *
   * @param label The kernel's name, and which part of it.
   * @param kernel The kernel's name.
   * @param pipeline What to run.
   * @param bindGroup On what.
   * @param writeUniforms Writes the uniform struct; undefined where there is none.
   * @param workgroups How many workgroups.
   */
  dispatch(
    label: string,
    kernel: string,
    pipeline: GPUComputePipeline,
    bindGroup: GPUBindGroup,
    writeUniforms: ((view: DataView) => void) | undefined,
    workgroups: readonly [number, number?, number?],
  ): void {
    const slot = this.#labels.length;
    const offset = slot * UNIFORM_SIZE;
    writeUniforms?.(new DataView(this.#values, offset, UNIFORM_SIZE));
    this.#encoder ??= this.#device.createCommandEncoder();
    this.#pass ??= this.#encoder.beginComputePass(this.#profiler?.passDescriptor(slot));
    this.#pass.setPipeline(pipeline);
    this.#pass.setBindGroup(0, bindGroup, writeUniforms ? [offset] : []);
    this.#pass.dispatchWorkgroups(...workgroups);
    this.#labels.push(label);
    this.#kernels.push(kernel);
    if (this.#profiler) this.#endPass();
    if (this.#labels.length === MAX_DISPATCHES || this.#profiler?.sendsEach) this.flush();
  }

  /** Adds a copy from one buffer to another. */
  copy(from: GPUBuffer, fromOffset: number, to: GPUBuffer, byteLength: number): void {
    this.#endPass();
    this.#encoder ??= this.#device.createCommandEncoder();
    this.#encoder.copyBufferToBuffer(from, fromOffset, to, 0, byteLength);
  }

  /** Sends what was collected. */
  flush(): void {
    if (!this.#encoder) return;
    const encoder = this.#encoder;
    const labels = this.#labels;
    const kernels = this.#kernels;
    this.#onSubmit(labels, () => {
      this.#endPass();
      const sent = this.#profiler?.finish(encoder, kernels);
      if (labels.length > 0) {
        // Writes are ordered with submissions, so one buffer serves every batch.
        const { queue } = this.#device;
        queue.writeBuffer(this.uniforms, 0, this.#values, 0, labels.length * UNIFORM_SIZE);
      }
      this.#device.queue.submit([encoder.finish()]);
      sent?.();
    });
    this.#encoder = undefined;
    this.#labels = [];
    this.#kernels = [];
    this.#number++;
  }

  /**
   * Times every dispatch from now on.
   *
   * @returns Who does.
   */
  startProfile(): GpuProfiler {
    this.flush();
    return this.#profiler = new GpuProfiler(this.#device, MAX_DISPATCHES);
  }

  /** Ends timing. */
  stopProfile(): void {
    this.flush();
    this.#profiler = undefined;
  }

  #endPass(): void {
    this.#pass?.end();
    this.#pass = undefined;
  }
}
