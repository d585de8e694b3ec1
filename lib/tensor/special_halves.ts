/**
 * Packed weights that hold infinities or NaN: those of a model that has diverged. Products with rows as they are stored read
 * float16 numbers as if all were finite, so that such weights are widened instead.
 *
 * @module
 */

import type { DeviceBuffer } from "./device.ts";
import { PACKED_FORMATS, type PackedType } from "./packed.ts";

/** Where in a block float16 numbers begin that products of one row read. */
const HALVES: Partial<Record<PackedType, readonly number[]>> = {
  f16: [0],
  q4_0: [0],
  q4_1: [0, 2],
  q5_0: [0],
  q5_1: [0, 2],
  q8_0: [0],
  q4_k: [0, 2],
  q5_k: [0, 2],
  q6_k: [208],
};

const special = new WeakSet<DeviceBuffer>();

/**
 * Notes whether packed weights hold numbers that are not finite.
 *
 * @param buffer The memory that holds them.
 * @param bytes Their blocks.
 * @param type Their storage type.
 */
export function noteSpecialHalves(
  buffer: DeviceBuffer,
  bytes: Uint8Array<ArrayBuffer>,
  type: PackedType,
): void {
  const { blockBytes } = PACKED_FORMATS[type];
  for (const half of HALVES[type] ?? []) {
    for (let at = half + 1; at < bytes.length; at += blockBytes) {
      // The exponent has its largest value.
      if ((bytes[at] & 0x7c) === 0x7c) {
        special.add(buffer);
        return;
      }
    }
  }
}

/**
 * Whether packed weights were noted.
 *
 * @param buffer The memory that holds them.
 * @returns Whether some are not finite.
 */
export function hasSpecialHalves(buffer: DeviceBuffer): boolean {
  return special.has(buffer);
}
