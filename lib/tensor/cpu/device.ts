/**
 * The CPU as a device: a queue of kernels for a few threads over shared memory. The main thread only enqueues, so a
 * notebook stays responsive while a step is computed.
 *
 * @module
 */

import { Worker } from "node:worker_threads";
import { blasVariables } from "../../blas_variables.ts";
import type {
  Access,
  Device,
  DeviceBuffer,
  Kernel,
  KernelTime,
  MemoryUse,
  RecordedWork,
} from "../device.ts";
import { KernelTimes } from "../kernel_times.ts";
import { Pool, sizeClass } from "../pool.ts";
import { DONE_TICKET, FAILED } from "./barrier.ts";
import type { BlasLibrary, MatmulPrecision } from "./blas/blas.ts";
import { type BlasSearch, findBlas } from "./blas/find.ts";
import { isFused } from "./fused.ts";
import { Meetings } from "./meetings.ts";
import { PackedMemory, type Place, sharedMemory } from "./packed_memory.ts";
import type { Batch, Command, Created, Reply, Scheduled, ThreadOptions } from "./protocol.ts";
import { type HostData, Recorder } from "./recorder.ts";

/** Milliseconds after which one that waits looks whether a thread failed. */
const LONGEST_WAIT = 100;

/** Commands that are collected before the threads are told. */
const BATCH_COMMANDS = 32;

interface CpuBuffer extends DeviceBuffer {
  readonly id: number;
  readonly memory: SharedArrayBuffer;
  /** Where it begins in `memory`. */
  readonly offset: number;
  /** The part of the packed weights' memory that it is, if any. */
  readonly place?: Place;
  /** The last batch that uses it. */
  lastTicket: number;
  /** How many recordings use it. */
  recordings: number;
  /** Whether it was given back while a recording used it. */
  isReleased: boolean;
}

/** Of memory that is new. */
const UNUSED = { lastTicket: 0, recordings: 0, isReleased: false };

/** Options of {@linkcode CpuDevice}. */
export interface CpuDeviceOptions {
  /** How many threads; by default one a core, or what `TUNEBOOK_THREADS` says. */
  readonly threads?: number;
  /** Whether to use the system's BLAS where there is one. By default yes. */
  readonly blas?: boolean;
  /** What matrices are rounded to before they are multiplied. By default float32: they are not. */
  readonly matmulPrecision?: MatmulPrecision;
}

/** The CPU device. */
export class CpuDevice implements Device {
  readonly kind = "cpu";
  readonly name: string;
  readonly facts: Readonly<Record<string, string | number | boolean>>;
  readonly maxBindingSize = Infinity;
  readonly maxKernelBuffers = Infinity;

  readonly #threads: number;
  readonly #blasPath: string | undefined;
  readonly #matmulPrecision: MatmulPrecision;
  readonly #barrierMemory: SharedArrayBuffer;
  readonly #workers: Worker[] = [];
  /** What the threads share: the barrier, and the last batch that is done. */
  readonly #threadState: Int32Array;
  readonly #pool = new Pool<CpuBuffer>();
  #allocatedBytes = 0;
  #nextId = 0;
  #created: Created[] = [];
  readonly #packed: PackedMemory;
  #dropped: number[] = [];
  #recorder: Recorder<CpuBuffer> | undefined;
  #nextRecording = 0;
  #commands: Scheduled<Command>[] = [];
  readonly #meetings = new Meetings<CpuBuffer | number>();
  #ticket = 1;
  #completed = 0;
  #waiting: { ticket: number; resolve: () => void; reject: (error: Error) => void }[] = [];
  #failure: Error | undefined;
  /** What is measured, and which kernels the batches under way consist of, while a profile is taken. */
  #times: KernelTimes | undefined;
  readonly #timed = new Map<number, readonly { name: string; flops: number }[]>();
  #timedKernels: { name: string; flops: number }[] = [];

  /**
   * @param options Threads, BLAS and precision.
   * @throws {TypeError} If products in bfloat16 are asked for that the library or the processor does not have.
   */
  constructor(options: CpuDeviceOptions = {}) {
    const threads = options.threads ?? threadCount();
    const search: BlasSearch = options.blas === false ? { refused: [] } : findBlas();
    const blas = search.used;
    const { matmulPrecision = "float32" } = options;
    if (matmulPrecision === "bfloat16") assertBfloat16(blas);
    this.name = `CPU, ${threads} thread${threads === 1 ? "" : "s"}, ${
      blas?.name ?? ["WebAssembly SIMD", ...whyNoBlas(search)].join(", since ")
    }${matmulPrecision === "bfloat16" ? ", products in bfloat16" : ""}`;
    this.facts = {
      device: "cpu",
      threads,
      fusedMultiplyAdd: isFused(),
      ...blasFacts(search),
      ...(matmulPrecision === "bfloat16" && { matmulPrecision }),
    };
    this.#threads = threads;
    this.#packed = new PackedMemory(
      threads,
      (bytes) => this.#allocatedBytes += bytes,
      sharedMemory,
    );
    this.#blasPath = blas?.path;
    this.#matmulPrecision = matmulPrecision;
    this.#barrierMemory = new SharedArrayBuffer(16);
    this.#threadState = new Int32Array(this.#barrierMemory);
  }

  /** Starts the threads, with the first kernel: what only holds data should not wait for them. */
  #startThreads(): void {
    for (let thread = 0; thread < this.#threads; thread++) {
      const workerData: ThreadOptions = {
        thread,
        threads: this.#threads,
        barrierMemory: this.#barrierMemory,
        blasPath: this.#blasPath,
        matmulPrecision: this.#matmulPrecision,
      };
      const worker = new Worker(workerUrl(), { workerData });
      worker.on("message", (reply: Reply) => this.#receive(reply));
      worker.on("error", (error: Error) => this.#fail(error));
      worker.unref();
      this.#workers.push(worker);
    }
  }

  get allocatedBytes(): number {
    return this.#allocatedBytes;
  }

  allocate(byteLength: number, use?: MemoryUse): DeviceBuffer {
    const place = this.#packed.take(byteLength, use);
    if (place) return this.#allocatePacked(place);
    const size = sizeClass(byteLength);
    const pooled = this.#pool.take(size);
    if (pooled) return pooled;
    const memory = new SharedArrayBuffer(size);
    const id = this.#nextId++;
    this.#allocatedBytes += size;
    this.#created.push({ id, memory });
    const buffer: CpuBuffer = { ...UNUSED, id, byteLength: size, memory, offset: 0 };
    return buffer;
  }

  #allocatePacked(place: Place): CpuBuffer {
    const { byteLength, offset, lastTicket } = place;
    const memory = this.#packed.memory(place.memory);
    const id = this.#nextId++;
    this.#created.push({ id, memory, place });
    const shared = memory.buffer as ArrayBufferLike as SharedArrayBuffer;
    return { ...UNUSED, id, byteLength, memory: shared, offset, place, lastTicket };
  }

  release(buffer: DeviceBuffer): void {
    const { id, place, lastTicket, recordings } = buffer as CpuBuffer;
    if (this.#recorder) {
      this.#recorder.released.push(buffer as CpuBuffer);
      return;
    }
    if (recordings > 0) {
      (buffer as CpuBuffer).isReleased = true;
      return;
    }
    if (!place) return this.#pool.put(buffer.byteLength, buffer as CpuBuffer);
    this.#packed.give(place, lastTicket);
    this.#dropped.push(id);
  }

  multipliesPacked(buffer: DeviceBuffer): boolean {
    return (buffer as CpuBuffer).place !== undefined;
  }

  write(buffer: DeviceBuffer, data: Float32Array | Int32Array, byteOffset = 0): void {
    const target = buffer as CpuBuffer;
    if (this.#recorder) return this.#recorder.write(target, data, byteOffset);
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    if (target.lastTicket <= this.#completed) {
      // No work that is under way uses it: no need for a copy.
      new Uint8Array(target.memory, target.offset + byteOffset, bytes.length).set(bytes);
      return;
    }
    if (this.#times) this.#timedKernels.push({ name: "write", flops: 0 });
    this.#enqueue([[target, "write"]], {
      type: "write",
      buffer: target.id,
      byteOffset,
      data: sharedCopy(bytes),
    });
  }

  run<B extends string, P extends string>(
    kernel: Kernel<B, P>,
    buffers: { [name in B]: DeviceBuffer },
    params: { [name in P]: number },
    flops = kernel.flops?.(params) ?? 0,
  ): void {
    const ids: Record<string, number> = {};
    const uses: [CpuBuffer, Access][] = [];
    for (const name in buffers) {
      const buffer = buffers[name] as DeviceBuffer as CpuBuffer;
      ids[name] = buffer.id;
      uses.push([buffer, kernel.buffers[name]]);
    }
    if (this.#recorder) {
      const command = { type: "run", kernel: kernel.name, buffers: ids, params } as const;
      const memory = buffers as Record<string, DeviceBuffer> as Record<string, CpuBuffer>;
      this.#recorder.add(command, memory, kernel.buffers);
      this.#recorder.kernels.push({ name: kernel.name, flops });
      return;
    }
    if (this.#times) this.#timedKernels.push({ name: kernel.name, flops });
    this.#enqueue(uses, { type: "run", kernel: kernel.name, buffers: ids, params });
  }

  record(body: () => void): RecordedWork {
    const recorder = new Recorder<CpuBuffer>();
    this.#recorder = recorder;
    const giveBack = () => {
      for (const buffer of recorder.released) this.release(buffer);
    };
    try {
      body();
    } catch (error) {
      this.#recorder = undefined;
      giveBack();
      throw error;
    }
    this.#recorder = undefined;
    for (const buffer of recorder.buffers) buffer.recordings++;
    for (const [buffer, parts] of recorder.constants) {
      for (const { data, byteOffset } of parts) this.write(buffer, data, byteOffset);
    }
    const id = this.#nextRecording++;
    const { commands, inputs } = recorder;
    let isKnown = false;
    return {
      repeatable: recorder.constants.size === 0,
      run: () => {
        if (this.#failure) throw this.#failure;
        for (const [buffer, make] of inputs) this.write(buffer, make());
        for (const buffer of recorder.buffers) buffer.lastTicket = this.#ticket;
        if (this.#times) this.#timedKernels.push(...recorder.kernels);
        this.#flush({ run: id, ...(!isKnown && { recorded: { id, commands } }) });
        isKnown = true;
      },
      [Symbol.dispose]: () => {
        if (isKnown && !this.#failure) this.#flush({ forgotten: id });
        for (const buffer of recorder.buffers) {
          if (--buffer.recordings > 0 || !buffer.isReleased) continue;
          buffer.isReleased = false;
          this.release(buffer);
        }
        giveBack();
      },
    };
  }

  refill(buffer: DeviceBuffer, make: () => HostData): void {
    this.#recorder?.refill(buffer as CpuBuffer, make);
  }

  async read(
    buffer: DeviceBuffer,
    byteOffset: number,
    byteLength: number,
  ): Promise<ArrayBuffer> {
    const { memory, offset, lastTicket } = buffer as CpuBuffer;
    await this.#wait(lastTicket);
    const copy = new Uint8Array(byteLength);
    copy.set(new Uint8Array(memory, offset + byteOffset, byteLength));
    return copy.buffer;
  }

  /** Blocks this thread while the others work: for what must be shown at once. */
  readNow(buffer: DeviceBuffer, byteOffset: number, byteLength: number): ArrayBuffer {
    const { memory, offset, lastTicket } = buffer as CpuBuffer;
    if (this.#failure) throw this.#failure;
    if (lastTicket >= this.#ticket) this.#flush();
    for (;;) {
      const done = Atomics.load(this.#threadState, DONE_TICKET);
      if (done >= lastTicket) break;
      if (Atomics.load(this.#threadState, FAILED) === 1) {
        throw new Error("Cannot read from the CPU device: a kernel failed");
      }
      Atomics.wait(this.#threadState, DONE_TICKET, done, LONGEST_WAIT);
    }
    const copy = new Uint8Array(byteLength);
    copy.set(new Uint8Array(memory, offset + byteOffset, byteLength));
    return copy.buffer;
  }

  async sync(): Promise<void> {
    await this.#wait(this.#commands.length > 0 ? this.#ticket : this.#ticket - 1);
  }

  startProfile(): string {
    this.#flush();
    this.#times = new KernelTimes();
    return "a thread's clock, from one kernel's end to the next's";
  }

  async stopProfile(): Promise<KernelTime[]> {
    await this.sync();
    const times = this.#times?.all ?? [];
    this.#times = undefined;
    return times;
  }

  trim(): void {
    for (const { id, byteLength } of this.#pool.drain()) {
      this.#dropped.push(id);
      this.#allocatedBytes -= byteLength;
    }
  }

  close(): void {
    this.#fail(new Error("The CPU device is closed"));
    this.#pool.drain();
    for (const worker of this.#workers) worker.terminate();
  }

  #enqueue(uses: [CpuBuffer, Access][], command: Command): void {
    if (this.#failure) throw this.#failure;
    for (const [buffer] of uses) buffer.lastTicket = this.#ticket;
    // A place in the memory of packed weights may have been another weight's within this batch.
    const meets = this.#meetings.before(
      uses.map(([buffer, access]) => [buffer.place?.memory ?? buffer, access]),
    );
    this.#commands.push({ ...command, meets });
    if (this.#commands.length >= BATCH_COMMANDS) this.#flush();
  }

  #flush(more: Pick<Batch, "recorded" | "run" | "forgotten"> = {}): void {
    if (this.#commands.length === 0 && Object.keys(more).length === 0) return;
    if (this.#workers.length === 0) this.#startThreads();
    const batch: Batch = {
      ...more,
      ticket: this.#ticket++,
      created: this.#created,
      commands: this.#commands,
      timed: this.#times !== undefined,
      dropped: this.#dropped,
    };
    if (batch.timed) this.#timed.set(batch.ticket, this.#timedKernels);
    this.#timedKernels = [];
    for (const worker of this.#workers) worker.postMessage(batch);
    this.#created = [];
    this.#commands = [];
    this.#meetings.clear();
    this.#dropped = [];
  }

  #wait(ticket: number): Promise<void> {
    if (this.#failure) return Promise.reject(this.#failure);
    if (ticket >= this.#ticket) this.#flush();
    if (ticket <= this.#completed) return Promise.resolve();
    // Idle threads do not keep the process alive; one that somebody waits for does.
    this.#workers[0].ref();
    return new Promise((resolve, reject) => this.#waiting.push({ ticket, resolve, reject }));
  }

  #receive(reply: Reply): void {
    if (reply.error) return this.#fail(new Error(reply.error));
    this.#completed = reply.ticket;
    this.#timed.get(reply.ticket)?.forEach(({ name, flops }, i) =>
      this.#times?.add(name, reply.times![i] / 1000, flops)
    );
    this.#timed.delete(reply.ticket);
    const done = this.#waiting.filter((waiter) => waiter.ticket <= reply.ticket);
    this.#waiting = this.#waiting.filter((waiter) => waiter.ticket > reply.ticket);
    if (this.#waiting.length === 0) this.#workers[0].unref();
    for (const waiter of done) waiter.resolve();
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const waiter of waiting) waiter.reject(this.#failure);
  }
}

/** Refuses to multiply in bfloat16 where nothing does it fast. */
function assertBfloat16(blas: BlasLibrary | undefined): void {
  if (blas?.multipliesBfloat16) return;
  throw new TypeError(
    `Cannot multiply matrices in bfloat16 on the CPU: ${
      blas?.name ?? "WebAssembly"
    } has no such products here; ` +
      "expected oneDNN (apt-get install libdnnl2, or a file that TUNEBOOK_BLAS names) and a processor with " +
      "AVX-512 BF16 or AMX",
  );
}

/** What decides the bits of matrix products. */
function blasFacts(search: BlasSearch): Record<string, string> {
  const { used } = search;
  if (used) {
    return { blas: used.name, ...(used.core && { blasCore: used.core }), ...blasVariables() };
  }
  const [reason] = whyNoBlas(search);
  return { blas: "none", ...(reason && { blasUnused: reason }) };
}

/** Why a BLAS that there is, or may be, is not used. */
function whyNoBlas({ refused, slower, unchecked }: BlasSearch): string[] {
  if (unchecked) return [unchecked];
  if (slower) return [`${slower} is slower`];
  return refused.slice(0, 1).map(({ name, fault }) => `${name} ${fault}`);
}

/** A copy for a message: Deno looks at each element of an array that it passes to a thread, and at none of these. */
function sharedCopy(bytes: Uint8Array): SharedArrayBuffer {
  const copy = new SharedArrayBuffer(bytes.length);
  new Uint8Array(copy).set(bytes);
  return copy;
}

function threadCount(): number {
  const wanted = Deno.env.get("TUNEBOOK_THREADS");
  if (wanted === undefined) return navigator.hardwareConcurrency;
  const count = Number(wanted);
  if (!Number.isInteger(count) || count < 1 || count > 256) {
    throw new RangeError(
      `Cannot use TUNEBOOK_THREADS="${wanted}": expected a whole number from 1 to 256`,
    );
  }
  return count;
}

/** Node's threads begin with a file or with code: where the library is on a server, with an import. */
function workerUrl(): URL {
  const url = new URL("./worker.ts", import.meta.url);
  if (url.protocol === "file:") return url;
  return new URL(`data:text/javascript,import ${encodeURIComponent(JSON.stringify(url.href))}`);
}
