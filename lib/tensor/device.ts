/**
 * What a device must provide: memory, a queue of kernels, and a way to wait. Two devices exist,
 * {@link https://github.com/gpuweb/gpuweb/wiki | WebGPU} (`webgpu/`) and the CPU (`cpu/`).
 *
 * Both only *enqueue* work; reading is the one thing that waits. Because a queue runs in order, memory may be
 * given back as soon as its last use is enqueued.
 *
 * @module
 */

import type { ParamType, Program } from "./webgpu/program.ts";

export type { ParamType };

/** The kind of a device. */
export type DeviceKind = "cpu" | "webgpu";

/** A piece of a device's memory. Made by {@linkcode Device.allocate}. */
export interface DeviceBuffer {
  /** Usable size in bytes, a multiple of 4; at least what was asked for. */
  readonly byteLength: number;
}

/** How a kernel uses a buffer: it only reads it, writes all of it that it is meant to, or reads and writes. */
export type Access = "read" | "write" | "update";

/**
 * One kernel, in both languages. The CPU's code is found by `name` in `cpu/kernels.ts`; the GPU's is `webgpu`.
 *
 * The order of `buffers` is the order of WGSL's bindings, that of `params` the order in its uniform struct.
 *
 * @internal
 */
export interface Kernel<
  B extends string = string,
  P extends string = string,
  N extends string = string,
> {
  /** Unique name, such as `"gelu.forward"`. */
  readonly name: N;
  /** The buffers it takes and what it does with them. */
  readonly buffers: Readonly<Record<B, Access>>;
  /** The scalars it takes. */
  readonly params: Readonly<Record<P, ParamType>>;
  /**
   * Floating-point operations of a call, for profiles; only where they are most of its work. Where its parameters do not
   * tell them, the caller does; see {@linkcode Device.run}.
   */
  flops?(params: Readonly<Record<P, number>>): number;
  /** Its WGSL and how to dispatch it. */
  readonly webgpu: Program<B, P>;
}

/** The GPU's side of a kernel that only the CPU has. */
export const CPU_ONLY: Program<string, string> = {
  source: "",
  plan(): never {
    throw new TypeError("Cannot run a kernel on a GPU that only the CPU has");
  },
};

/** What the calls of a kernel took together. */
export interface KernelTime {
  /** The kernel's name. */
  readonly name: string;
  /** How often it ran. */
  readonly calls: number;
  /** How long all calls took. */
  readonly seconds: number;
  /** Floating-point operations of all calls; 0 where unknown. */
  readonly flops: number;
}

/** What memory is for: a packed weight, or an optimizer's state, which is updated where it is. */
export type MemoryUse = "packed" | "state";

/** What a tensor operation needs of the machine. */
export interface Device {
  /** Which kind of device it is. */
  readonly kind: DeviceKind;
  /** A name for people, such as `"CPU, 2 threads, OpenBLAS"`. */
  readonly name: string;
  /**
   * Facts that decide the bits of results, for checkpoints and reports. Of the CPU: `threads`, `fusedMultiplyAdd`
   * (whether WebAssembly rounds a multiply-add once), `blas` (its name and version, or `"none"`), `blasCore` (the
   * processor whose kernels it takes), `matmulPrecision` where matrices are rounded before they are multiplied, each variable of the environment that it reads, by its own name, and
   * `blasUnused` (why there is none, where there could be). Of a GPU: the adapter, its driver's limits and tilings.
   */
  readonly facts: Readonly<Record<string, string | number | boolean>>;
  /** The most bytes that a kernel can see of one buffer at once; `Infinity` on the CPU. */
  readonly maxBindingSize: number;
  /** How many buffers a kernel can take; `Infinity` on the CPU. */
  readonly maxKernelBuffers: number;
  /** Whether it can no longer be used, such as a GPU that was lost. */
  readonly hasFailed?: boolean;
  /** Bytes allocated from the system by now, in use or pooled. */
  readonly allocatedBytes: number;

  /**
   * Takes memory of at least `byteLength` bytes from the pool or the system. Its content is undefined. Where it is may depend
   * on its use.
   */
  allocate(byteLength: number, use?: MemoryUse): DeviceBuffer;
  /** Whether the packed weight in this memory can be multiplied by as it is; never by default. @internal */
  multipliesPacked?(buffer: DeviceBuffer): boolean;
  /** Gives memory back to the pool. Work enqueued so far may still use it. */
  release(buffer: DeviceBuffer): void;
  /** Enqueues a copy of `data` into `buffer` from `byteOffset`; `data` may be changed afterwards. */
  write(buffer: DeviceBuffer, data: Float32Array | Int32Array, byteOffset?: number): void;
  /** Waits for the work enqueued so far and returns a copy of the buffer's bytes. */
  read(buffer: DeviceBuffer, byteOffset: number, byteLength: number): Promise<ArrayBuffer>;
  /**
   * The same, blocking this thread; only where a device can. For what must be shown at once, such as by `console.log`.
   */
  readNow?(buffer: DeviceBuffer, byteOffset: number, byteLength: number): ArrayBuffer;
  /**
   * Records what a function enqueues, without running it; where a device can. `run` makes its inputs again and enqueues its
   * kernels. Where `repeatable` is false, data was written that nothing says how to make again: it must not run more than
   * once. Memory that was given back is the recording's until that is disposed of. @internal
   */
  record?(body: () => void): Disposable & { readonly repeatable: boolean; run(): void };
  /** Says how to make what was written to a buffer again, where that is recorded. @internal */
  refill?(buffer: DeviceBuffer, make: () => Float32Array | Int32Array): void;
  /** Enqueues a kernel; `flops` are its operations, for profiles, unless it knows them itself. */
  run<B extends string, P extends string>(
    kernel: Kernel<B, P>,
    buffers: { [name in B]: DeviceBuffer },
    params: { [name in P]: number },
    flops?: number,
  ): void;
  /** Waits until all work enqueued so far is done. */
  sync(): Promise<void>;
  /** Begins the work enqueued so far without waiting for it; only on devices that collect work. */
  submit?(): void;
  /** Times every kernel that is enqueued from now on. Returns how, in words. */
  startProfile(): string;
  /** Waits for the work enqueued so far, stops timing and returns what was measured since. */
  stopProfile(): Promise<KernelTime[]>;
  /** Returns pooled memory that is not in use to the system. */
  trim(): void;
  /** Ends its threads and frees its memory. Tensors on it can no longer be used. */
  close(): void;
}

/**
 * Declares a kernel. A function only so that the names of buffers and parameters are inferred and checked.
 *
 * @param kernel What the kernel takes and how it runs on a GPU.
 * @returns The same.
 */
export function defineKernel<
  const B extends string,
  const P extends string,
  const N extends string,
>(
  // Names are inferred from where buffers and parameters are declared alone: helpers that make programs infer theirs from
  // what is expected of them, which would be any name. `check_wgsl.ts` holds programs to the kernel.
  // deno-lint-ignore no-explicit-any
  kernel: Omit<Kernel<B, P, N>, "webgpu"> & { readonly webgpu: Program<any, any> },
): Kernel<B, P, N> {
  return kernel;
}

/** Kernels that a device has recorded, to run them again and again. */
export type RecordedWork = ReturnType<NonNullable<Device["record"]>>;
