/**
 * Memory of packed weights and of optimizers' state: WebAssembly's own, shared by all threads, so that kernels read and write
 * them where they are. A memory ends at 4 GiB; larger models take several. Each begins with what kernels need themselves:
 * constants, and for each thread a place for inputs and results.
 *
 * @module
 */

import type { MemoryUse } from "../device.ts";

/** Bytes of a page of memory. */
export const PAGE_BYTES = 64 * 1024;

/** Pages of a memory at most: 4 GiB. */
export const MOST_PAGES = 65536;

/** Bytes of a memory that belong to the WASM module itself. */
const MODULE_BYTES = PAGE_BYTES;

/** Bytes of a memory that each thread has for itself. */
export const SCRATCH_BYTES = 4 * 1024 * 1024;

/** Weights begin at multiples of this. */
const ALIGNMENT = 256;

/** Smaller state is elsewhere: a memory begins with the threads' own parts, which would be more than is saved. */
const LEAST_STATE = 1024 * 1024;

/**
 * Where a thread's own part of a memory begins.
 *
 * @param thread Index of the thread.
 * @returns The address in bytes.
 */
export function scratchAt(thread: number): number {
  return MODULE_BYTES + thread * SCRATCH_BYTES;
}

/** A part of a memory. */
export interface Place {
  /** Which memory. */
  readonly memory: number;
  /** Its first byte. */
  readonly offset: number;
  /** How many bytes. */
  readonly byteLength: number;
  /** The last batch that used what was here before. */
  readonly lastTicket: number;
}

/** Memory that grows by pages: WebAssembly's, or one that is only counted. */
export interface GrowingMemory {
  /** What it holds. */
  readonly buffer: { readonly byteLength: number };
  /** Takes more pages. */
  grow(pages: number): void;
}

/**
 * Takes memory that all threads share.
 *
 * @param pages How large it is at first.
 * @returns The memory.
 * @throws {RangeError} If the system has no room for its addresses.
 */
export function sharedMemory(pages: number): WebAssembly.Memory {
  return new WebAssembly.Memory({ initial: pages, maximum: MOST_PAGES, shared: true });
}

/** The memories of a device, with their free parts. */
export class PackedMemory<M extends GrowingMemory = WebAssembly.Memory> {
  readonly #start: number;
  readonly #memories: { memory: M; end: number; free: Place[] }[] = [];
  readonly #onGrow: (bytes: number) => void;
  readonly #create: (pages: number) => M;

  /**
   * @param threads How many threads there are.
   * @param onGrow Told how many bytes are taken from the system.
   * @param create Takes a memory of some pages; it throws a RangeError if there is no room for it.
   */
  constructor(threads: number, onGrow: (bytes: number) => void, create: (pages: number) => M) {
    this.#start = scratchAt(threads);
    this.#onGrow = onGrow;
    this.#create = create;
  }

  /**
   * Takes a part.
   *
   * @param bytes How much is needed.
   * @param use What it is for.
   * @returns The part; undefined if what is for this use is elsewhere, or no memory can be that large.
   */
  take(bytes: number, use: MemoryUse | undefined): Place | undefined {
    if (use === undefined || (use === "state" && bytes < LEAST_STATE)) return undefined;
    const byteLength = Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
    if (this.#start + byteLength > MOST_PAGES * PAGE_BYTES) return undefined;
    for (const { free } of this.#memories) {
      const index = free.findIndex((place) => place.byteLength >= byteLength);
      if (index < 0) continue;
      const place = free[index];
      const left = place.byteLength - byteLength;
      free.splice(
        index,
        1,
        ...(left > 0 ? [{ ...place, offset: place.offset + byteLength, byteLength: left }] : []),
      );
      return { ...place, byteLength };
    }
    let index = this.#memories.findIndex(({ end }) => end + byteLength <= MOST_PAGES * PAGE_BYTES);
    if (index < 0) {
      const initial = Math.ceil((this.#start + byteLength) / PAGE_BYTES);
      let memory: M;
      try {
        memory = this.#create(initial);
      } catch (error) {
        if (error instanceof RangeError) return undefined;
        throw error;
      }
      this.#onGrow(initial * PAGE_BYTES);
      index = this.#memories.push({ memory, end: this.#start, free: [] }) - 1;
    }
    const found = this.#memories[index];
    const missing = found.end + byteLength - found.memory.buffer.byteLength;
    if (missing > 0) {
      const pages = Math.ceil(missing / PAGE_BYTES);
      found.memory.grow(pages);
      this.#onGrow(pages * PAGE_BYTES);
    }
    const offset = found.end;
    found.end += byteLength;
    return { memory: index, offset, byteLength, lastTicket: 0 };
  }

  /**
   * Gives a part back.
   *
   * @param place The part.
   * @param lastTicket The last batch that uses it.
   */
  give(place: Place, lastTicket: number): void {
    const { free } = this.#memories[place.memory];
    free.push({ ...place, lastTicket });
    free.sort((a, b) => a.offset - b.offset);
    for (let i = free.length - 1; i > 0; i--) {
      const [one, next] = [free[i - 1], free[i]];
      if (one.offset + one.byteLength !== next.offset) continue;
      free.splice(i - 1, 2, {
        ...one,
        byteLength: one.byteLength + next.byteLength,
        lastTicket: Math.max(one.lastTicket, next.lastTicket),
      });
    }
  }

  /**
   * A memory by its number.
   *
   * @param index The number.
   * @returns The memory.
   */
  memory(index: number): M {
    return this.#memories[index].memory;
  }
}
