/**
 * Commands that are collected and sent to the GPU together, with the scalars of all their kernels in one buffer.
 *
 * @module
 */

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
  #number = 1;

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
   * @param label The kernel's name.
   * @param pipeline What to run.
   * @param bindGroup On what.
   * @param writeUniforms Writes the uniform struct; undefined where there is none.
   * @param workgroups How many workgroups.
   */
  dispatch(
    label: string,
    pipeline: GPUComputePipeline,
    bindGroup: GPUBindGroup,
    writeUniforms: ((view: DataView) => void) | undefined,
    workgroups: readonly [number, number?, number?],
  ): void {
    const slot = this.#labels.length;
    const offset = slot * UNIFORM_SIZE;
    writeUniforms?.(new DataView(this.#values, offset, UNIFORM_SIZE));
    this.#encoder ??= this.#device.createCommandEncoder();
    this.#pass ??= this.#encoder.beginComputePass();
    this.#pass.setPipeline(pipeline);
    this.#pass.setBindGroup(0, bindGroup, writeUniforms ? [offset] : []);
    this.#pass.dispatchWorkgroups(...workgroups);
    this.#labels.push(label);
    if (this.#labels.length === MAX_DISPATCHES) this.flush();
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
    this.#onSubmit(labels, () => {
      this.#endPass();
      if (labels.length > 0) {
        // Writes are ordered with submissions, so one buffer serves every batch.
        const { queue } = this.#device;
        queue.writeBuffer(this.uniforms, 0, this.#values, 0, labels.length * UNIFORM_SIZE);
      }
      this.#device.queue.submit([encoder.finish()]);
    });
    this.#encoder = undefined;
    this.#labels = [];
    this.#number++;
  }

  #endPass(): void {
    this.#pass?.end();
    this.#pass = undefined;
  }
}
