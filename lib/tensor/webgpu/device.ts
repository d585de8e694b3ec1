/**
 * A GPU as a device, through WebGPU: kernels are collected and sent in batches, memory is pooled.
 *
 * @module
 */

import type { Device, DeviceBuffer, Kernel, KernelTime, ParamType } from "../device.ts";
import { Pool, sizeClass } from "../pool.ts";
import { adapterKey, describeAdapter, findAdapter, INSTALL_HINT, isSoftware } from "./adapter.ts";
import { CommandBatch, UNIFORM_SIZE } from "./batch.ts";
import { findMaxBufferSize } from "./buffer_size.ts";
import { Faults } from "./faults.ts";
import { type Binding, PipelineCache } from "./pipelines.ts";
import type { GpuProfiler } from "./profiler.ts";
import type { Dispatch, Range } from "./program.ts";
import { type GpuBuffer, type Section, sectionsOf, type Segment } from "./segments.ts";
import { Staging } from "./staging.ts";
import { loadTuning, timeMatmul, tune, type Tuning, tuningIsOff } from "./tuning.ts";

/** Options of {@linkcode WebGpuDevice.open}. */
export interface WebGpuDeviceOptions {
  /** The adapter; by default the best there is. */
  readonly adapter?: GPUAdapter;
  /** Whether a software adapter will do where there is no hardware. By default no. */
  readonly software?: boolean;
  /**
   * The most bytes of a buffer that a kernel may see at once, from 262,144; by default as much as the adapter can, or
   * what `TUNEBOOK_MAX_BINDING` says. Smaller values are for tests.
   */
  readonly maxBindingSize?: number;
  /**
   * The most bytes of one of the GPU's buffers, from 262,144; larger tensors lie in several. By default what was found sound,
   * and as much as the adapter can on a software one. Smaller values are for tests.
   */
  readonly maxBufferSize?: number;
  /** Tilings by op instead of those measured on this adapter. `{}` is what is usual for such adapters. */
  readonly tuning?: Tuning;
}

/** Blocks of the global norm, 65,536 elements, must fit a binding. */
const LEAST_MAX_BINDING = 262_144;

/** Bytes of a tensor at most: kernels count elements with 32 bits. */
const MAX_TENSOR_SIZE = 2 ** 34;

/** The WebGPU device. Made by {@linkcode WebGpuDevice.open}. */
export class WebGpuDevice implements Device {
  readonly kind = "webgpu";
  readonly name: string;
  readonly maxBindingSize: number;
  readonly maxKernelBuffers: number;
  /** The most bytes of one of the GPU's buffers; larger tensors lie in several. */
  readonly maxBufferSize: number;

  readonly #device: GPUDevice;
  readonly #faults: Faults;
  readonly #batch: CommandBatch;
  readonly #pipelines: PipelineCache;
  readonly #staging: Staging;
  readonly #software: boolean;
  readonly #offsetAlignment: number;
  readonly #adapterFacts: Readonly<Record<string, string | number | boolean>>;
  #tuning: Tuning;
  /** Apart, so that what must fit one binding never gets a buffer that does not. */
  readonly #smallPool = new Pool<GpuBuffer>();
  readonly #largePool = new Pool<GpuBuffer>();
  #allocatedBytes = 0;
  #nextId = 0;
  #profiler: GpuProfiler | undefined;

  private constructor(
    adapter: GPUAdapter,
    device: GPUDevice,
    { maxBufferSize, maxBindingSize }: { maxBufferSize: number; maxBindingSize: number },
    tuning: Tuning,
  ) {
    const { name, software, vendor, architecture } = describeAdapter(adapter);
    this.name = `WebGPU, ${name}${software ? " (software)" : ""}`;
    this.#adapterFacts = { vendor, architecture, description: name, isFallback: software };
    this.#software = software;
    this.#tuning = tuning;
    this.#device = device;
    this.#faults = new Faults(device, name);
    this.#batch = new CommandBatch(device, (labels, submit) => {
      this.#faults.sent(labels);
      const kernels = [...new Set(labels)].map((label) => `"${label}"`).join(", ");
      this.#faults.watch(() => `cannot run ${kernels || "a copy"}`, submit);
    });
    this.#pipelines = new PipelineCache(
      device,
      this.#faults,
      this.#batch.uniforms,
      UNIFORM_SIZE,
    );
    this.#staging = new Staging(device, this.#batch, this.#faults);
    this.#offsetAlignment = Number(device.limits.minStorageBufferOffsetAlignment);
    this.maxBufferSize = maxBufferSize;
    this.maxBindingSize = maxBindingSize;
    this.maxKernelBuffers = Number(device.limits.maxStorageBuffersPerShaderStage);
  }

  /**
   * Opens a GPU. The first time on an adapter this measures which tilings are fast on it (a few seconds) and whether it
   * holds large buffers, unless it is a software one.
   *
   * @param options Which GPU and how.
   * @returns The device.
   * @throws {TypeError} If there is no adapter.
   * @throws {RangeError} If a limit that is asked for is out of range.
   * @throws {Error} If the GPU can run no tiling.
   */
  static async open(options: WebGpuDeviceOptions = {}): Promise<WebGpuDevice> {
    const adapter = options.adapter ?? await findAdapter({ software: options.software });
    if (!adapter) {
      throw new TypeError(`Cannot use WebGPU: no adapter was found; ${INSTALL_HINT}`);
    }
    const { limits } = adapter;
    const device = await adapter.requestDevice({
      // Deno gives some limits as bigint, and takes numbers.
      // For profiles, where it is offered.
      requiredFeatures: adapter.features.has("timestamp-query") ? ["timestamp-query"] : [],
      requiredLimits: {
        maxBufferSize: Number(limits.maxBufferSize),
        maxStorageBufferBindingSize: Number(limits.maxStorageBufferBindingSize),
        minStorageBufferOffsetAlignment: Number(limits.minStorageBufferOffsetAlignment),
        maxStorageBuffersPerShaderStage: Number(limits.maxStorageBuffersPerShaderStage),
      },
    });
    const key = adapterKey(adapter);
    const maxBufferSize = await chooseMaxBuffer(options.maxBufferSize, adapter, device);
    const most = Math.min(Number(device.limits.maxStorageBufferBindingSize), maxBufferSize);
    const maxBindingSize = chooseMaxBinding(options.maxBindingSize, most);
    const { tuning } = options;
    const known = tuning ?? (tuningIsOff() ? {} : await loadTuning(key));
    const opened = new WebGpuDevice(
      adapter,
      device,
      { maxBufferSize, maxBindingSize },
      known ?? {},
    );
    if (!known && !opened.#software) {
      try {
        const byClock = device.features.has("timestamp-query");
        await tune(key, opened, (trial) => opened.#retune(trial), {
          time: (one, shape) => timeMatmul(one, shape, { byClock }),
        });
      } catch (error) {
        opened.close();
        throw error;
      }
    }
    return opened;
  }

  get facts(): Readonly<Record<string, string | number | boolean>> {
    const tilings = Object.entries(this.#tuning).map(([op, tiling]) => `${op}: ${tiling}`);
    return {
      device: "webgpu",
      ...this.#adapterFacts,
      maxBindingSize: this.maxBindingSize,
      tiling: tilings.join("; ") || "usual",
    };
  }

  get hasFailed(): boolean {
    return this.#faults.hasFailed;
  }

  get allocatedBytes(): number {
    return this.#allocatedBytes;
  }

  allocate(byteLength: number): DeviceBuffer {
    this.#faults.throwIfFailed();
    if (byteLength > MAX_TENSOR_SIZE) {
      throw new RangeError(
        `Cannot allocate ${byteLength} bytes on "${this.name}": ` +
          `a tensor has at most ${MAX_TENSOR_SIZE}`,
      );
    }
    const small = byteLength <= this.maxBindingSize;
    const most = small
      ? this.maxBindingSize
      : byteLength <= this.maxBufferSize
      ? this.maxBufferSize
      : Infinity;
    const size = Math.min(sizeClass(byteLength), Math.floor(most / 4) * 4);
    const pooled = (small ? this.#smallPool : this.#largePool).take(size);
    if (pooled) return pooled;
    const segmentSize = Math.min(size, this.maxBufferSize);
    const segments = this.#faults.watch(
      () => `cannot allocate ${size} bytes beside ${this.#allocatedBytes - size}`,
      () =>
        Array.from({ length: Math.ceil(size / segmentSize) }, (_, index) => ({
          handle: this.#device.createBuffer({
            size: Math.min(segmentSize, size - index * segmentSize),
            usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
          }),
          id: this.#nextId++,
        })),
    );
    this.#allocatedBytes += size;
    const buffer: GpuBuffer = { byteLength: size, segments, segmentSize, lastBatch: 0 };
    return buffer;
  }

  release(buffer: DeviceBuffer): void {
    const pool = buffer.byteLength <= this.maxBindingSize ? this.#smallPool : this.#largePool;
    pool.put(buffer.byteLength, buffer as GpuBuffer);
  }

  write(buffer: DeviceBuffer, data: Float32Array | Int32Array, byteOffset = 0): void {
    this.#faults.throwIfFailed();
    const target = buffer as GpuBuffer;
    for (const { handle, offset, size, at } of sectionsOf(target, byteOffset, data.byteLength)) {
      const bytes = new Uint8Array(data.buffer, data.byteOffset + at, size);
      // The queue takes a write at once: what is collected and uses the buffer must go first, or take the write along.
      if (target.lastBatch === this.#batch.number) {
        if (this.#batch.upload(handle, offset, bytes)) continue;
        this.#batch.flush();
      }
      this.#staging.write(handle, bytes, offset);
    }
  }

  async read(
    buffer: DeviceBuffer,
    byteOffset: number,
    byteLength: number,
  ): Promise<ArrayBuffer> {
    this.#faults.throwIfFailed();
    const sections = sectionsOf(this.#use(buffer as GpuBuffer), byteOffset, byteLength);
    const reads = sections.map(({ handle, offset, size }) =>
      this.#staging.read(handle, offset, size)
    );
    this.#sortPools();
    const parts = await Promise.all(reads);
    if (parts.length === 1) return parts[0];
    const bytes = new Uint8Array(byteLength);
    for (const [i, { at }] of sections.entries()) bytes.set(new Uint8Array(parts[i]), at);
    return bytes.buffer;
  }

  run<B extends string, P extends string>(
    kernel: Kernel<B, P>,
    buffers: { [name in B]: DeviceBuffer },
    params: { [name in P]: number },
    flops = kernel.flops?.(params) ?? 0,
  ): void {
    this.#faults.throwIfFailed();
    this.#profiler?.count(kernel.name, flops);
    const program = kernel.webgpu;
    const byteLengths = {} as Record<B, number>;
    for (const name in buffers) byteLengths[name] = buffers[name].byteLength;
    const dispatches = program.plan({
      params,
      byteLengths,
      maxBindingSize: this.maxBindingSize,
      offsetAlignment: this.#offsetAlignment,
      software: this.#software,
      tuning: this.#tuning,
    });
    const scratchBytes = Math.max(...dispatches.map((dispatch) => dispatch.scratchBytes ?? 0));
    const scratch = scratchBytes > 0 ? this.allocate(scratchBytes) as GpuBuffer : undefined;
    const plain = kernel as unknown as Kernel;
    for (const dispatch of dispatches) {
      this.#dispatch(plain, buffers as Record<string, DeviceBuffer>, params, dispatch, {
        scratch,
        flops: flops / dispatches.length,
      });
    }
    if (scratch) this.release(scratch);
  }

  async sync(): Promise<void> {
    this.#faults.throwIfFailed();
    this.#sortPools();
    await this.#staging.sync();
  }

  submit(): void {
    this.#faults.throwIfFailed();
    this.#sortPools();
    this.#batch.flush();
  }

  startProfile(): string {
    this.#profiler = this.#batch.startProfile();
    return this.#profiler.method;
  }

  async stopProfile(): Promise<KernelTime[]> {
    this.#batch.stopProfile();
    const times = await this.#profiler?.stop() ?? [];
    this.#profiler = undefined;
    return times;
  }

  trim(): void {
    this.#batch.flush();
    this.#pipelines.forgetBindGroups();
    this.#staging.trim();
    for (const buffer of [...this.#smallPool.drain(), ...this.#largePool.drain()]) {
      for (const { handle } of buffer.segments) handle.destroy();
      this.#allocatedBytes -= buffer.byteLength;
    }
  }

  close(): void {
    this.#faults.close();
    this.#pipelines.forgetBindGroups();
    this.#device.destroy();
  }

  /**
   * Bind groups are kept by their buffers: steps of a training, and tokens of an answer, that take the same ones need no new
   * group. A token ends with a read, a step with what it submits.
   */
  #sortPools(): void {
    for (const pool of [this.#smallPool, this.#largePool]) {
      pool.sort((a, b) => a.segments[0].id - b.segments[0].id);
    }
  }

  /** Uses a tuning, and lets go of what failed with the last one. */
  async #retune(tuning: Tuning): Promise<void> {
    this.#batch.flush();
    await this.#faults.forgive();
    this.#tuning = tuning;
  }

  #dispatch(
    kernel: Kernel,
    buffers: Record<string, DeviceBuffer>,
    params: Record<string, number>,
    dispatch: Dispatch,
    { scratch, flops }: { scratch: GpuBuffer | undefined; flops: number },
  ): void {
    this.#batch.makeRoom(flops);
    const pipeline = this.#pipelines.pipeline(kernel, dispatch);
    const bindings: Binding[] = [];
    const bind = (binding: number, { handle, id }: Segment, offset: number, size: number) =>
      bindings.push({ binding, buffer: handle, id, offset, size });
    const joined: Joined[] = [];
    const names = Object.keys(kernel.buffers);
    names.forEach((name, binding) => {
      if (dispatch.buffers && !dispatch.buffers.includes(name)) return;
      const buffer = this.#use(buffers[name] as GpuBuffer);
      const { offset, size } = visible(
        dispatch.ranges?.[name],
        buffer.byteLength,
        this.maxBindingSize,
      );
      if (size > this.maxBindingSize) {
        throw new RangeError(
          `Cannot run the kernel "${kernel.name}": it needs ${size} bytes of "${name}" at once, ` +
            `and "${this.name}" shows ${this.maxBindingSize}`,
        );
      }
      const sections = sectionsOf(buffer, offset, size);
      if (sections.length === 1) {
        bind(binding, sections[0], sections[0].offset, size);
      } else {
        const copy = this.#join(sections, size);
        joined.push({ buffer, sections, copy, written: kernel.buffers[name] !== "read" });
        bind(binding, copy.segments[0], 0, size);
      }
    });
    if (dispatch.scratchBytes !== undefined) {
      const { segments, byteLength } = this.#use(scratch!);
      bind(names.length + 1, segments[0], 0, byteLength);
    }
    const writeUniforms = (view: DataView) => {
      let at = 0;
      const put = (types: Readonly<Record<string, ParamType>>, values: Record<string, number>) => {
        for (const name in types) setters[types[name]](view, 4 * at++, values[name] ?? 0);
      };
      put(kernel.params, { ...params, ...dispatch.params } as Record<string, number>);
      put(kernel.webgpu.uniforms ?? {}, dispatch.uniforms ?? {});
    };
    this.#batch.dispatch(
      pipeline.label,
      kernel.name,
      pipeline.pipeline,
      this.#pipelines.bindGroup(pipeline, bindings, names.length),
      pipeline.hasUniforms ? writeUniforms : undefined,
      dispatch.workgroups,
    );
    for (const one of joined) this.#separate(one);
  }

  /** Copies sections into a buffer of their own. */
  #join(sections: readonly Section[], byteLength: number): GpuBuffer {
    const copy = this.#use(this.allocate(byteLength) as GpuBuffer);
    for (const { handle, offset, size, at } of sections) {
      this.#batch.copy(handle, offset, copy.segments[0].handle, at, size);
    }
    return copy;
  }

  /** Copies joined sections back if they were written. */
  #separate({ buffer, sections, copy, written }: Joined): void {
    if (written) {
      // The dispatch may have been sent.
      this.#use(buffer);
      this.#use(copy);
      for (const { handle, offset, size, at } of sections) {
        this.#batch.copy(copy.segments[0].handle, at, handle, offset, size);
      }
    }
    this.release(copy);
  }

  #use(buffer: GpuBuffer): GpuBuffer {
    buffer.lastBatch = this.#batch.number;
    return buffer;
  }
}

/** Sections of a buffer that a dispatch sees as one. */
interface Joined {
  readonly buffer: GpuBuffer;
  readonly sections: readonly Section[];
  /** What the dispatch sees. */
  readonly copy: GpuBuffer;
  readonly written: boolean;
}

const setters: Record<ParamType, (view: DataView, offset: number, value: number) => void> = {
  u32: (view, offset, value) => view.setUint32(offset, value, true),
  i32: (view, offset, value) => view.setInt32(offset, value, true),
  f32: (view, offset, value) => view.setFloat32(offset, value, true),
};

/**
 * The part of a buffer that a dispatch is shown. A part at its beginning is widened to the whole buffer where that fits,
 * so that batches of other sizes need no other bind group; kernels know by their parameters where to end.
 */
function visible(range: Range | undefined, byteLength: number, maxBindingSize: number): Range {
  if (range && (range.offset > 0 || byteLength > maxBindingSize)) return range;
  return { offset: 0, size: byteLength };
}

/** Chooses how many bytes a buffer may have: a software adapter's memory is the CPU's, and needs no probe. */
async function chooseMaxBuffer(
  option: number | undefined,
  adapter: GPUAdapter,
  device: GPUDevice,
): Promise<number> {
  const most = Number(device.limits.maxBufferSize);
  const wanted = option ??
    (isSoftware(adapter) ? most : await findMaxBufferSize(adapterKey(adapter), device));
  if (!Number.isInteger(wanted) || wanted < LEAST_MAX_BINDING || wanted > most) {
    throw new RangeError(
      `Cannot make buffers of ${option} bytes: expected a whole number from ${LEAST_MAX_BINDING} to ${most}`,
    );
  }
  return Math.floor(wanted / 256) * 256;
}

function chooseMaxBinding(option: number | undefined, most: number): number {
  const wanted = option ?? Number(Deno.env.get("TUNEBOOK_MAX_BINDING") ?? most);
  if (!Number.isInteger(wanted) || wanted < LEAST_MAX_BINDING || wanted > most) {
    throw new RangeError(
      `Cannot bind ${option ?? `"${Deno.env.get("TUNEBOOK_MAX_BINDING")}"`} bytes at once: ` +
        `expected a whole number from ${LEAST_MAX_BINDING} to ${most}`,
    );
  }
  return Math.floor(wanted / 256) * 256;
}
