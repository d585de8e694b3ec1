/**
 * Storage types in which a weight takes less memory than float32: it stays packed, and ops widen a part of it at a time
 * where they use it. Such a tensor cannot learn.
 *
 * A row of a matrix is a whole number of blocks. GGUF's types are laid out as ggml has them (`ggml-common.h`). A block of
 * NF4 is 64 codes of four bits, the first in the high half of its byte, then the largest magnitude they are multiplied
 * by: a float32 in `nf4`, a byte in `nf4_double`, whose scales stand behind the last row (see `nf4.ts`).
 *
 * @module
 */

/** How a storage type is laid out. */
interface PackedFormat {
  /** Elements of a block. */
  readonly blockElements: number;
  /** Bytes of a block. */
  readonly blockBytes: number;
  /** The number by which kernels know it. */
  readonly id: number;
}

/**
 * Every storage type: GGUF's block types in lower case, and NF4 with plain or doubly quantised scales.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { PACKED_FORMATS } from "tunebook/tensor";
 *
 * assertEquals(PACKED_FORMATS.q8_0.blockElements, 32);
 * ```
 */
export const PACKED_FORMATS = {
  f16: { id: 0, blockElements: 1, blockBytes: 2 },
  bf16: { id: 1, blockElements: 1, blockBytes: 2 },
  q4_0: { id: 2, blockElements: 32, blockBytes: 18 },
  q4_1: { id: 3, blockElements: 32, blockBytes: 20 },
  q5_0: { id: 4, blockElements: 32, blockBytes: 22 },
  q5_1: { id: 5, blockElements: 32, blockBytes: 24 },
  q8_0: { id: 6, blockElements: 32, blockBytes: 34 },
  q4_k: { id: 7, blockElements: 256, blockBytes: 144 },
  q5_k: { id: 8, blockElements: 256, blockBytes: 176 },
  q6_k: { id: 9, blockElements: 256, blockBytes: 210 },
  nf4: { id: 10, blockElements: 64, blockBytes: 36 },
  nf4_double: { id: 11, blockElements: 64, blockBytes: 33 },
} as const satisfies Record<string, PackedFormat>;

/** A storage type that is widened on use. */
export type PackedType = keyof typeof PACKED_FORMATS;

/** `nf4_double`: blocks that share one scale of their magnitudes. */
export const DOUBLE_BLOCKS = 256;

/** `nf4_double`: floats before the scales: the magnitudes' mean, and what their 256 codes stand for. */
export const DOUBLE_HEAD = 257;

/**
 * Whether a name is that of a storage type.
 *
 * @param name Such as `"q4_0"`.
 * @returns Whether {@linkcode PACKED_FORMATS} has it.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { isPacked } from "tunebook/tensor";
 *
 * assertEquals([isPacked("nf4"), isPacked("f32")], [true, false]);
 * ```
 */
export function isPacked(name: string): name is PackedType {
  return Object.hasOwn(PACKED_FORMATS, name);
}

/**
 * Bytes of a packed row.
 *
 * @param type The storage type.
 * @param width Elements of the row.
 * @returns Bytes; rows follow one another without gaps.
 * @throws {TypeError} If the row is not a whole number of blocks.
 */
export function packedRowBytes(type: PackedType, width: number): number {
  const { blockElements, blockBytes } = PACKED_FORMATS[type];
  if (width % blockElements !== 0) {
    throw new TypeError(
      `Cannot store rows of ${width} elements as "${type}": expected a multiple of ${blockElements}`,
    );
  }
  return width / blockElements * blockBytes;
}

/**
 * Bytes of a packed matrix, and where its second scales stand.
 *
 * @param type The storage type.
 * @param rows Its rows.
 * @param width Elements of a row.
 * @returns Bytes in all; `scalesAt` is where the floats of `nf4_double` begin, aligned for bindings.
 * @throws {TypeError} If a row is not a whole number of blocks.
 */
export function packedBytes(
  type: PackedType,
  rows: number,
  width: number,
): { total: number; scalesAt: number } {
  const blocks = rows * packedRowBytes(type, width);
  if (type !== "nf4_double") return { total: blocks, scalesAt: 0 };
  const scalesAt = Math.ceil(blocks / 256) * 256;
  const scales = Math.ceil(rows * width / PACKED_FORMATS[type].blockElements / DOUBLE_BLOCKS);
  return { total: scalesAt + 4 * (DOUBLE_HEAD + scales), scalesAt };
}
