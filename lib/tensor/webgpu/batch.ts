/**
 * Commands that are collected and sent to the GPU together, with the scalars of all their kernels in one buffer.
 *
 * @module
 */

import { GpuProfiler } from "./profiler.ts";

/** Dispatches sent at a time: a submission costs a driver about as much as twenty of them. */
const MAX_DISPATCHES = 512;

/**
 * Floating-point operations sent at a time. A slow GPU takes a second for them, and some systems take one for hung that
 * does not answer for two.
 */
const MAX_FLOPS = 2e11;

/** Bytes of data that a batch can bring along. */
const UPLOAD_SIZE = 256 * 1024;

/** Bytes of a kernel's uniform struct at most; dynamic offsets are multiples of 256 everywhere. */
export const UNIFORM_SIZE = 256;

/** Collects commands. */
export class CommandBatch {
  /** Where the uniform structs of the batch lie. */
  readonly uniforms: GPUBuffer;
  readonly #device: GPUDevice;
  readonly #onSubmit: (labels: readonly string[], submit: () => void) => void;
  readonly #values = new ArrayBuffer(MAX_DISPATCHES * UNIFORM_SIZE);
  readonly #uploads: GPUBuffer;
  readonly #data = new Uint8Array(UPLOAD_SIZE);
  #dataLength = 0;
  #encoder: GPUCommandEncoder | undefined;
  #pass: GPUComputePassEncoder | undefined;
  #labels: string[] = [];
  #kernels: string[] = [];
  #flops = 0;
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
    this.#uploads = device.createBuffer({
      label: "uploads",
      size: UPLOAD_SIZE,
      usage: GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
    });
  }

  /** Number of the batch that is being collected. */
  get number(): number {
    return this.#number;
  }

  /**
   * Sends what was collected if a dispatch would make it too much; to be called before the dispatch's buffers are noted
   * as used by this batch.
   *
   * @param flops The dispatch's floating-point operations, as far as they are known.
   */
  makeRoom(flops: number): void {
    if (this.#flops > 0 && this.#flops + flops > MAX_FLOPS) this.flush();
    this.#flops += flops;
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
  copy(
    from: GPUBuffer,
    fromOffset: number,
    to: GPUBuffer,
    toOffset: number,
    byteLength: number,
  ): void {
    this.#endPass();
    this.#encoder ??= this.#device.createCommandEncoder();
    this.#encoder.copyBufferToBuffer(from, fromOffset, to, toOffset, byteLength);
  }

  /**
   * Adds a write of data, in its place among the dispatches, where the batch has room for it.
   *
   * @param to Where to.
   * @param toOffset From which byte on, a multiple of 4.
   * @param data The bytes, a multiple of 4; they may be changed afterwards.
   * @returns Whether there was room.
   */
  upload(to: GPUBuffer, toOffset: number, data: Uint8Array): boolean {
    const offset = this.#dataLength;
    if (offset + data.byteLength > UPLOAD_SIZE) return false;
    this.#data.set(data, offset);
    this.#dataLength += data.byteLength;
    this.#endPass();
    this.#encoder ??= this.#device.createCommandEncoder();
    this.#encoder.copyBufferToBuffer(this.#uploads, offset, to, toOffset, data.byteLength);
    return true;
  }

  /** Sends what was collected. */
  flush(): void {
    if (!this.#encoder) return;
    const encoder = this.#encoder;
    const labels = this.#labels;
    const kernels = this.#kernels;
    const uploaded = this.#dataLength;
    this.#onSubmit(labels, () => {
      this.#endPass();
      const sent = this.#profiler?.finish(encoder, kernels);
      // Writes are ordered with submissions, so one buffer of each kind serves every batch.
      const { queue } = this.#device;
      if (labels.length > 0) {
        queue.writeBuffer(this.uniforms, 0, this.#values, 0, labels.length * UNIFORM_SIZE);
      }
      if (uploaded > 0) queue.writeBuffer(this.#uploads, 0, this.#data, 0, uploaded);
      queue.submit([encoder.finish()]);
      sent?.();
    });
    this.#encoder = undefined;
    this.#labels = [];
    this.#kernels = [];
    this.#flops = 0;
    this.#dataLength = 0;
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
