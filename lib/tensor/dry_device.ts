/**
 * A device that computes nothing and counts the memory that another one would take: what runs on it takes no longer than
 * its calls.
 *
 * @module
 */

import { type GrowingMemory, PackedMemory, PAGE_BYTES, type Place } from "./cpu/packed_memory.ts";
import type { Device, DeviceBuffer, DeviceKind, KernelTime, MemoryUse } from "./device.ts";
import { Pool, sizeClass } from "./pool.ts";

interface DryBuffer extends DeviceBuffer {
  /** The most bytes that were asked of it. */
  needed: number;
  /** The part of the packed weights' memory that it is, if any. */
  readonly place?: Place;
}

/** A device without memory or kernels. What is read from it is 0. */
export class DryDevice implements Device {
  readonly kind: DeviceKind;
  readonly name: string;
  readonly facts: Device["facts"];
  readonly maxBindingSize: number;
  readonly maxKernelBuffers: number;
  readonly #pool = new Pool<DryBuffer>();
  /** Packed weights and state have memory of their own on a CPU. */
  readonly #packed: PackedMemory<GrowingMemory> | undefined;
  #allocatedBytes = 0;
  #touchedBytes = 0;

  /** @param like The device that it stands for. */
  constructor(like: Device) {
    this.kind = like.kind;
    this.name = like.name;
    this.facts = like.facts;
    this.maxBindingSize = like.maxBindingSize;
    this.maxKernelBuffers = like.maxKernelBuffers;
    const grow = (bytes: number) => {
      this.#allocatedBytes += bytes;
      this.#touchedBytes += bytes;
    };
    this.#packed = this.kind === "cpu"
      ? new PackedMemory(Number(this.facts.threads), grow, countedMemory)
      : undefined;
  }

  get allocatedBytes(): number {
    return this.#allocatedBytes;
  }

  /**
   * The part of {@linkcode allocatedBytes} that was in use at some time. Systems give memory to a process when it is first
   * written to, so that the rest takes none on a CPU.
   */
  get touchedBytes(): number {
    return this.#touchedBytes;
  }

  allocate(byteLength: number, use?: MemoryUse): DeviceBuffer {
    const place = this.#packed?.take(byteLength, use);
    if (place) return { byteLength: place.byteLength, needed: byteLength, place } as DryBuffer;
    const size = sizeClass(byteLength);
    let buffer = this.#pool.take(size);
    if (!buffer) {
      buffer = { byteLength: size, needed: 0 };
      this.#allocatedBytes += size;
    }
    this.#touchedBytes += Math.max(0, byteLength - buffer.needed);
    buffer.needed = Math.max(buffer.needed, byteLength);
    return buffer;
  }

  release(buffer: DeviceBuffer): void {
    const { place } = buffer as DryBuffer;
    if (place) this.#packed!.give(place, 0);
    else this.#pool.put(buffer.byteLength, buffer as DryBuffer);
  }

  multipliesPacked(buffer: DeviceBuffer): boolean {
    return (buffer as DryBuffer).place !== undefined;
  }

  write(): void {}

  read(_: DeviceBuffer, __: number, byteLength: number): Promise<ArrayBuffer> {
    return Promise.resolve(new ArrayBuffer(byteLength));
  }

  run(): void {}

  sync(): Promise<void> {
    return Promise.resolve();
  }

  startProfile(): string {
    return "nothing runs";
  }

  stopProfile(): Promise<KernelTime[]> {
    return Promise.resolve([]);
  }

  trim(): void {
    for (const { byteLength, needed } of this.#pool.drain()) {
      this.#allocatedBytes -= byteLength;
      this.#touchedBytes -= needed;
    }
  }

  close(): void {
    this.#pool.drain();
  }
}

/** Memory that is only counted. */
function countedMemory(pages: number): GrowingMemory {
  const buffer = { byteLength: pages * PAGE_BYTES };
  return { buffer, grow: (more) => void (buffer.byteLength += more * PAGE_BYTES) };
}
