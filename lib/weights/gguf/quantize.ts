/**
 * Conversion of float32 to GGUF's Q8_0 blocks: 32 signed bytes and their float16 scale.
 *
 * Equal to `quantize_row_q8_0_ref` of ggml's `ggml-quants.c`, bit for bit.
 *
 * @module
 */

const BLOCK = 32;
const BLOCK_BYTES = 34;
const { fround, abs, trunc } = Math;

/**
 * Quantises whole blocks to Q8_0.
 *
 * @param values The values; their number must be a multiple of 32
 * @param bytes Receives the blocks: 34 bytes each; its offset in its buffer must be even
 * @returns The index of a value that no block can hold (not finite, or above about 8 million), or
 * -1 if all fit
 */
export function quantizeQ8_0(values: Float32Array, bytes: Uint8Array): number {
  const halves = new Float16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
  const signed = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  let misfit = -1;
  for (let from = 0, at = 0; from < values.length; from += BLOCK, at += BLOCK_BYTES) {
    let largest = 0;
    let where = from;
    for (let j = from; j < from + BLOCK; j++) {
      const size = abs(values[j]);
      if (!(size <= largest)) { // NaN too
        largest = size;
        where = j;
        if (size !== size) break;
      }
    }
    const scale = fround(largest / 127);
    halves[at / 2] = scale;
    if (!Number.isFinite(halves[at / 2])) misfit = where;
    const inverse = scale === 0 ? 0 : fround(1 / scale);
    for (let j = 0; j < BLOCK; j++) {
      // halves are rounded away from zero, as by C's roundf
      const scaled = fround(values[from + j] * inverse);
      signed[at + 2 + j] = trunc(scaled + (scaled < 0 ? -0.5 : 0.5));
    }
  }
  return misfit;
}
