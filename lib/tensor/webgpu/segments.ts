/**
 * Memory of any size on a GPU that limits the size of its buffers: several buffers in a row, the segments.
 *
 * Kernels see parts of large tensors anyway. A part that lies in one segment is bound where it is; one that reaches over
 * the end of a segment is copied into a buffer of its own, and back where the kernel writes.
 *
 * @module
 */

import type { DeviceBuffer } from "../device.ts";

/** A buffer of the GPU's. */
export interface Segment {
  readonly handle: GPUBuffer;
  /** Its number, never used again for another. */
  readonly id: number;
}

/** Memory on a GPU. */
export interface GpuBuffer extends DeviceBuffer {
  /** Its buffers, in order; most have one. */
  readonly segments: readonly Segment[];
  /** Bytes of each segment but the last, which may have fewer. */
  readonly segmentSize: number;
  /** The last batch that uses it. */
  lastBatch: number;
}

/** Consecutive bytes that lie in one segment. */
export interface Section extends Segment {
  /** Where they begin in the segment. */
  readonly offset: number;
  /** How many they are. */
  readonly size: number;
  /** Where they begin in what was asked for. */
  readonly at: number;
}

/**
 * Finds where bytes lie.
 *
 * @param buffer The memory.
 * @param byteOffset The first byte.
 * @param byteLength How many.
 * @returns The sections, in order; at least one, which may be empty.
 */
export function sectionsOf(
  { segments, segmentSize }: GpuBuffer,
  byteOffset: number,
  byteLength: number,
): Section[] {
  const sections: Section[] = [];
  let at = 0;
  do {
    const last = segments.length - 1;
    const index = Math.min(Math.floor((byteOffset + at) / segmentSize), last);
    const offset = byteOffset + at - index * segmentSize;
    const size = index === last ? byteLength - at : Math.min(byteLength - at, segmentSize - offset);
    sections.push({ ...segments[index], offset, size, at });
    at += size;
  } while (at < byteLength);
  return sections;
}
