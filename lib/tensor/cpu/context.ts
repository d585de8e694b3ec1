/**
 * What a kernel sees of the thread it runs on: which share of the work is its own, the WASM kernels with their small
 * memory, and BLAS. Tensors live in shared buffers outside of WASM memory (which ends at 4 GiB), so a thread streams
 * chunks that fit its cache through that memory.
 *
 * @module
 */

import type { Access } from "../device.ts";
import type { Barrier } from "./barrier.ts";
import type { Blas } from "./blas/blas.ts";
import { type Place, SCRATCH_BYTES, scratchAt } from "./packed_memory.ts";
import type { WasmKernels } from "./wasm_kernels.ts";

/** Rows `[first, last)`. */
export interface Range {
  readonly first: number;
  readonly last: number;
}

/** One tensor of {@linkcode Context.stream}. */
export interface StreamedBuffer {
  /** The tensor's memory. */
  readonly buffer: Float32Array;
  /** Whether rows are copied in, out or both. */
  readonly access: Access;
  /** Floats in a row, 1 by default. */
  readonly width?: number;
}

/** Bytes that the chunks of one streamed kernel may take together: half of a usual L2 cache. */
const CHUNK_BYTES = 256 * 1024;

/** From how many floats on a BLAS copies faster than JavaScript, whose copies of shared memory are not vectors. */
const LEAST_COPIED = 2048;

/** Memory below this address belongs to the WASM module itself. */
const SCRATCH_START = 64 * 1024;

const PAGE_BYTES = 64 * 1024;

/** Pages of WASM memory that a thread begins with. */
export const INITIAL_PAGES = 32;

/** The memory of a packed weight, as a thread sees it. */
export interface PackedContext {
  /** The WASM kernels on this memory. */
  readonly wasm: WasmKernels;
  /** The thread's own part of it. */
  readonly scratch: Float32Array;
}

/** A thread, as kernels see it. */
export class Context {
  /** The WASM kernels. */
  readonly wasm: WasmKernels;
  readonly #exports: WebAssembly.Exports;
  readonly #memory: WebAssembly.Memory;
  #floats: Float32Array;
  #top = SCRATCH_START;
  readonly #sharedModule: WebAssembly.Module | undefined;
  readonly #shared = new Map<number, PackedContext>();
  readonly #packed = new WeakMap<Float32Array, PackedContext>();

  /**
   * @param thread Index of this thread.
   * @param threads How many there are.
   * @param barrier Where the threads meet.
   * @param blas The system's BLAS, if it has one.
   * @param module The compiled kernels.
   * @param sharedModule The same for the memory of packed weights, where there are any.
   */
  constructor(
    readonly thread: number,
    readonly threads: number,
    readonly barrier: Barrier,
    readonly blas: Blas | undefined,
    module: WebAssembly.Module,
    sharedModule?: WebAssembly.Module,
  ) {
    this.#sharedModule = sharedModule;
    this.#memory = new WebAssembly.Memory({ initial: INITIAL_PAGES });
    const imports = { env: { memory: this.#memory, abort: () => {} } };
    this.#exports = new WebAssembly.Instance(module, imports).exports;
    this.wasm = this.#exports as unknown as WasmKernels;
    this.#floats = new Float32Array(this.#memory.buffer);
  }

  /**
   * Calls what a formula was compiled to.
   *
   * @param name Its name in `formula/compiled.as.ts`.
   * @param values Addresses and numbers, as `generate.ts` orders them.
   */
  callCompiled(name: string, ...values: number[]): void {
    (this.#exports[name] as (...values: number[]) => void)(...values);
  }

  /**
   * Views a packed weight's memory, which {@linkcode packedContext} then knows.
   *
   * @param memory The memory that holds it.
   * @param place Which part it is.
   * @returns The part.
   */
  viewPacked(memory: WebAssembly.Memory, place: Place): Float32Array {
    let shared = this.#shared.get(place.memory);
    if (!shared) {
      const imports = { env: { memory, abort: () => {} } };
      const { exports } = new WebAssembly.Instance(this.#sharedModule!, imports);
      const at = scratchAt(this.thread);
      const scratch = new Float32Array(memory.buffer, at, SCRATCH_BYTES / 4);
      shared = { wasm: exports as unknown as WasmKernels, scratch };
      this.#shared.set(place.memory, shared);
    }
    const view = new Float32Array(memory.buffer, place.offset, place.byteLength / 4);
    this.#packed.set(view, shared);
    return view;
  }

  /**
   * Finds the kernels that see packed weights or state where they are.
   *
   * @param buffers Tensors' memory; their `byteOffset` are the addresses for the kernels.
   * @returns The kernels, and scratch memory that they see; undefined where not all is in one memory of WebAssembly.
   */
  packedContext(...buffers: readonly Float32Array[]): PackedContext | undefined {
    const [first, ...others] = buffers.map((buffer) => this.#packed.get(buffer));
    return others.every((other) => other === first) ? first : undefined;
  }

  /**
   * This thread's share of `count` things.
   *
   * @param count How many there are.
   * @param align Shares begin at multiples of this.
   * @returns The share, perhaps empty. It depends on nothing but the numbers.
   */
  share(count: number, align = 1): Range {
    const units = Math.ceil(count / align);
    const at = (thread: number) =>
      Math.min(count, Math.floor((units * thread) / this.threads) * align);
    return { first: at(this.thread), last: at(this.thread + 1) };
  }

  /** Forgets all scratch memory; called before each kernel. */
  reset(): void {
    this.#top = SCRATCH_START;
  }

  /**
   * Takes scratch memory until the kernel ends.
   *
   * @param floats How many floats.
   * @returns The address in bytes, a multiple of 64.
   */
  reserve(floats: number): number {
    const address = this.#top;
    this.#top += Math.ceil(floats / 16) * 64;
    const missing = this.#top - this.#memory.buffer.byteLength;
    if (missing > 0) {
      this.#memory.grow(Math.ceil(missing / PAGE_BYTES));
      this.#floats = new Float32Array(this.#memory.buffer);
    }
    return address;
  }

  /** Where scratch memory ends now, for {@linkcode release}. */
  mark(): number {
    return this.#top;
  }

  /** Forgets scratch memory taken since a {@linkcode mark}. */
  release(mark: number): void {
    this.#top = mark;
  }

  /**
   * WASM memory as floats; index = address / 4. Created again after each {@linkcode reserve},
   * because memory may move.
   */
  get floats(): Float32Array {
    return this.#floats;
  }

  /**
   * Copies floats into new scratch memory.
   *
   * @param source What to copy.
   * @returns Its address in bytes.
   */
  load(source: Float32Array): number {
    const address = this.reserve(source.length);
    this.copyIn(source, address);
    return address;
  }

  /**
   * Copies floats into scratch memory that was taken.
   *
   * @param source What to copy.
   * @param address Where to, in bytes.
   */
  copyIn(source: Float32Array, address: number): void {
    const at = address / 4;
    this.copy(source, this.#floats.subarray(at, at + source.length));
  }

  /**
   * Copies floats from scratch memory.
   *
   * @param address Where from, in bytes.
   * @param target Where to, and how many.
   */
  copyOut(address: number, target: Float32Array): void {
    this.copy(this.#floats.subarray(address / 4, address / 4 + target.length), target);
  }

  /**
   * Copies floats.
   *
   * @param source What to copy.
   * @param target Where to; as many.
   */
  copy(source: Float32Array, target: Float32Array): void {
    if (source.length < LEAST_COPIED || !this.blas?.copy) target.set(source);
    else this.blas.copy(source, target);
  }

  /**
   * Streams rows of tensors through WASM memory, a chunk at a time.
   *
   * @param buffers The tensors by name.
   * @param range The rows.
   * @param body Called for each chunk with the addresses of its rows in WASM memory, how many they are, and the first's index.
   */
  stream<N extends string>(
    buffers: Record<N, StreamedBuffer>,
    range: Range,
    body: (addresses: Record<N, number>, rows: number, first: number) => void,
  ): void {
    const names = Object.keys(buffers) as N[];
    const rowFloats = names.reduce((sum, name) => sum + (buffers[name].width ?? 1), 0);
    const step = Math.max(1, Math.floor(CHUNK_BYTES / 4 / rowFloats));
    const addresses = {} as Record<N, number>;
    const most = Math.min(step, Math.max(range.last - range.first, 0));
    for (const name of names) addresses[name] = this.reserve(most * (buffers[name].width ?? 1));
    for (let first = range.first; first < range.last; first += step) {
      const rows = Math.min(step, range.last - first);
      for (const name of names) {
        const { buffer, access, width = 1 } = buffers[name];
        if (access === "write") continue;
        this.copyIn(buffer.subarray(first * width, (first + rows) * width), addresses[name]);
      }
      body(addresses, rows, first);
      for (const name of names) {
        const { buffer, access, width = 1 } = buffers[name];
        if (access === "read") continue;
        this.copyOut(addresses[name], buffer.subarray(first * width, (first + rows) * width));
      }
    }
  }

  /**
   * Copies a range of a tensor into new scratch memory, to be added to; or takes zeros.
   *
   * @param target The tensor's memory.
   * @param range Which of its elements.
   * @param accumulate Whether to start from what is there (1) or from zeros (0).
   * @returns The address in bytes.
   */
  loadSums(target: Float32Array, { first, last }: Range, accumulate: number): number {
    const address = this.reserve(last - first);
    const at = address / 4;
    if (accumulate) this.#floats.set(target.subarray(first, last), at);
    else this.#floats.fill(0, at, at + last - first);
    return address;
  }

  /**
   * Copies scratch memory to a range of a tensor.
   *
   * @param address Where the range's first element is.
   * @param target The tensor's memory.
   * @param range Which of its elements.
   */
  store(address: number, target: Float32Array, { first, last }: Range): void {
    this.copyOut(address, target.subarray(first, last));
  }

  /**
   * Copies a block of a matrix into scratch memory, row by row.
   *
   * @param address Where to.
   * @param source The matrix's memory.
   * @param width Floats in a row of the matrix.
   * @param rows Which rows.
   * @param columns Which columns.
   * @param stride Floats from one copied row to the next, at least the number of columns. What lies between is left as it is.
   */
  copyBlock(
    address: number,
    source: Float32Array,
    width: number,
    rows: Range,
    columns: Range,
    stride: number,
  ): void {
    let at = address / 4;
    if (columns.first === 0 && columns.last === width && stride === width) {
      return this.copyIn(source.subarray(rows.first * width, rows.last * width), address);
    }
    for (let row = rows.first; row < rows.last; row++) {
      const start = row * width;
      this.#floats.set(source.subarray(start + columns.first, start + columns.last), at);
      at += stride;
    }
  }

  /**
   * Streams a range of columns of matrices through WASM memory, some rows at a time, to sum over rows.
   *
   * @param buffers The matrices by name.
   * @param rows How many rows they have.
   * @param columns Which columns.
   * @param body Called for each chunk with addresses, number of rows, index of the first, and floats from row to row:
   * the number of columns rounded up to whole vectors.
   */
  streamColumns<N extends string>(
    buffers: Record<N, { readonly buffer: Float32Array; readonly width: number }>,
    rows: number,
    columns: Range,
    body: (addresses: Record<N, number>, rows: number, first: number, stride: number) => void,
  ): void {
    const names = Object.keys(buffers) as N[];
    const count = columns.last - columns.first;
    if (count <= 0) return;
    const stride = Math.ceil(count / 4) * 4;
    const step = Math.min(rows, Math.max(1, Math.floor(CHUNK_BYTES / 4 / stride / names.length)));
    const addresses = {} as Record<N, number>;
    for (const name of names) addresses[name] = this.reserve(step * stride);
    for (let first = 0; first < rows; first += step) {
      const last = Math.min(rows, first + step);
      for (const name of names) {
        const { buffer, width } = buffers[name];
        this.copyBlock(addresses[name], buffer, width, { first, last }, columns, stride);
      }
      body(addresses, last - first, first, stride);
    }
  }
}
