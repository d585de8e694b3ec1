/**
 * Packed weights that hold infinities or NaN: those of a model that has diverged. Products with rows as they are stored read
 * float16 numbers as if all were finite, so that such weights are widened instead.
 *
 * @module
 */

import type { DeviceBuffer } from "./device.ts";
import { PACKED_FORMATS, type PackedType } from "./packed.ts";

/** Where in a block float16 numbers begin that products of one row read, and how many there are. */
const HALVES: Partial<Record<PackedType, number>> = { f16: 1, q4_0: 1, q4_1: 2, q8_0: 1 };

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
  const count = HALVES[type];
  if (count === undefined) return;
  const { blockBytes } = PACKED_FORMATS[type];
  for (let block = 1; block < bytes.length; block += blockBytes) {
    for (let at = block; at < block + 2 * count; at += 2) {
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
