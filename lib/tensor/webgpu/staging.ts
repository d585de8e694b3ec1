/**
 * How data gets onto a GPU and back.
 *
 * @module
 */

import { Pool, sizeClass } from "../pool.ts";
import type { CommandBatch } from "./batch.ts";
import type { Faults } from "./faults.ts";

const MIB = 1024 * 1024;
/** Data that is written waits in memory of the driver's until the next submission: send it this often. */
const WRITE_CHUNK = 32 * MIB;
/** Memory for reading up to this size is kept for the next time. */
const MAX_KEPT = 16 * MIB;

/** Memory for reading holds at least so much, so that small reads come together. */
const LEAST_READ = 4096;

/** What is read together. */
interface Reading {
  readonly staging: GPUBuffer;
  /** Bytes of it that are taken. */
  size: number;
  /** All of them, once they are there. */
  readonly bytes: Promise<ArrayBuffer>;
}

/** Writes to and reads from a GPU. */
export class Staging {
  readonly #device: GPUDevice;
  readonly #batch: CommandBatch;
  readonly #faults: Faults;
  readonly #pool = new Pool<GPUBuffer>();
  #unsent = 0;
  /** What has not been sent yet, so that more can be read with it. */
  #open: Reading | undefined;

  /**
   * @param device The GPU.
   * @param batch The commands collected for it.
   * @param faults What went wrong with it.
   */
  constructor(device: GPUDevice, batch: CommandBatch, faults: Faults) {
    this.#device = device;
    this.#batch = batch;
    this.#faults = faults;
  }

  /**
   * Writes data, after everything sent so far and before what is collected.
   *
   * @param buffer Where to.
   * @param data What; it may be changed afterwards.
   * @param byteOffset From where on, a multiple of 4.
   */
  write(buffer: GPUBuffer, data: Uint8Array, byteOffset: number): void {
    const { queue } = this.#device;
    this.#faults.watch(() => `cannot write ${data.byteLength} bytes`, () => {
      for (let at = 0; at < data.byteLength; at += WRITE_CHUNK) {
        const length = Math.min(WRITE_CHUNK, data.byteLength - at);
        // A view on shared memory cannot be given to WebGPU: copy it.
        const bytes = new Uint8Array(data.buffer, data.byteOffset + at, length);
        const chunk = bytes.buffer instanceof SharedArrayBuffer ? bytes.slice() : bytes;
        queue.writeBuffer(buffer, byteOffset + at, chunk as Uint8Array<ArrayBuffer>);
        this.#unsent += length;
        if (this.#unsent >= WRITE_CHUNK) {
          queue.submit([]);
          this.#unsent = 0;
        }
      }
    });
  }

  /**
   * Copies bytes out, once all that was enqueued is done. What is asked for together, before anybody waits, comes back
   * together: each wait for a GPU takes Deno ten milliseconds.
   *
   * @param buffer Where from.
   * @param byteOffset From where on, a multiple of 4.
   * @param byteLength How many, a multiple of 4.
   * @returns The bytes.
   */
  async read(buffer: GPUBuffer, byteOffset: number, byteLength: number): Promise<ArrayBuffer> {
    const reading = this.#readingWithRoom(byteLength);
    const at = reading.size;
    reading.size += Math.ceil(byteLength / 8) * 8; // mapped ranges begin at multiples of 8
    // The copy is enqueued now: work that comes later does not change what is read.
    this.#batch.copy(buffer, byteOffset, reading.staging, at, byteLength);
    const bytes = await reading.bytes;
    return bytes.byteLength === byteLength ? bytes : bytes.slice(at, at + byteLength);
  }

  /** What is read together and has room for more, otherwise a new one. */
  #readingWithRoom(byteLength: number): Reading {
    const open = this.#open;
    if (open && open.size + byteLength <= open.staging.size) return open;
    const size = sizeClass(Math.max(byteLength, LEAST_READ));
    const staging = this.#pool.take(size) ?? this.#faults.watch(
      () => `cannot allocate ${size} bytes to read into`,
      () =>
        this.#device.createBuffer({
          label: "staging",
          size,
          usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
        }),
    );
    const { promise, resolve } = Promise.withResolvers<ArrayBuffer>();
    const reading: Reading = { staging, size: 0, bytes: promise };
    queueMicrotask(() => resolve(this.#finish(reading)));
    return this.#open = reading;
  }

  async #finish(reading: Reading): Promise<ArrayBuffer> {
    if (this.#open === reading) this.#open = undefined;
    const { staging, size } = reading;
    let kept = false;
    try {
      this.#batch.flush();
      this.#unsent = 0;
      await this.#wait(staging.mapAsync(GPUMapMode.READ, 0, size));
      const bytes = staging.getMappedRange(0, size).slice(0);
      staging.unmap();
      kept = staging.size <= MAX_KEPT;
      return bytes;
    } finally {
      if (kept) this.#pool.put(staging.size, staging);
      else staging.destroy();
    }
  }

  /** Waits until all that was enqueued is done. */
  async sync(): Promise<void> {
    this.#batch.flush();
    await this.#wait(this.#device.queue.onSubmittedWorkDone());
  }

  /** Gives memory for reading back. */
  trim(): void {
    for (const buffer of this.#pool.drain()) buffer.destroy();
  }

  /** Waits for the GPU, or for the news that waiting is in vain; errors that explain others come first. */
  async #wait(done: Promise<unknown>): Promise<void> {
    try {
      await Promise.race([done, this.#faults.failed]);
    } catch (error) {
      await this.#faults.settle();
      await this.#faults.explain(error as Error);
    }
    await this.#faults.settle();
  }
}
