/** Packed matrices of random blocks. */

import { Random } from "../../lib/random.ts";
import { packNf4 } from "../../lib/tensor/nf4.ts";
import { type Device, PACKED_FORMATS, type PackedType, Tensor } from "../../lib/tensor/mod.ts";

/** Numbers with a deviation of 1. */
export function numbers(count: number, seed: number): Float32Array<ArrayBuffer> {
  const random = new Random(seed);
  return Float32Array.from({ length: count }, () => random.normal());
}

/** Random blocks of a type, but with scales of about 1, for random bits are often no numbers. */
export function randomPacked(
  device: Device,
  type: PackedType,
  rows: number,
  width: number,
): Tensor {
  if (type === "nf4" || type === "nf4_double") {
    const bytes = packNf4(numbers(rows * width, 5), rows, width, type);
    return Tensor.pack(device, bytes, [rows, width], type);
  }
  const { blockElements, blockBytes } = PACKED_FORMATS[type];
  const random = new Random(rows);
  const bytes = Uint8Array.from(
    { length: rows * width / blockElements * blockBytes },
    () => random.integer(256),
  );
  const at: Partial<Record<PackedType, number[]>> = {
    q4_1: [1, 3],
    q5_1: [1, 3],
    q4_k: [1, 3],
    q5_k: [1, 3],
    q6_k: [209],
  };
  const high = type === "bf16" ? 0x3f : 0x38;
  for (let block = 0; block < bytes.length; block += blockBytes) {
    for (const i of at[type] ?? [1]) bytes[block + i] = high;
  }
  return Tensor.pack(device, bytes, [rows, width], type);
}
