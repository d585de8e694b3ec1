/**
 * Packing float32 weights as NF4: four-bit codes that stand for quantiles of a normal distribution, times each block's
 * largest magnitude. Dettmers et al., "QLoRA: Efficient Finetuning of Quantized LLMs", 2023; codes, order and double
 * quantisation are those of bitsandbytes.
 *
 * @module
 */

import { DOUBLE_BLOCKS, DOUBLE_HEAD, PACKED_FORMATS, packedBytes } from "./packed.ts";

/** What the codes stand for (Dettmers et al., appendix E). */
const VALUES = Float32Array.of(
  -1,
  -0.6961928009986877,
  -0.5250730514526367,
  -0.39491748809814453,
  -0.28444138169288635,
  -0.18477343022823334,
  -0.09105003625154495,
  0,
  0.07958029955625534,
  0.16093020141124725,
  0.24611230194568634,
  0.33791524171829224,
  0.44070982933044434,
  0.5626170039176941,
  0.7229568362236023,
  1,
);

/** Between two neighbours: what is above is nearer to the greater. */
const BOUNDS = Float64Array.from(VALUES.subarray(1), (value, i) => (value + VALUES[i]) / 2);

const BLOCK = PACKED_FORMATS.nf4.blockElements;

/**
 * Packs a matrix.
 *
 * @param values Its elements in row-major order.
 * @param rows Its rows.
 * @param width Elements of a row, a multiple of 64.
 * @param type `nf4` keeps a block's magnitude in 32 bits, `nf4_double` in 8 with one scale for 256 blocks.
 * @returns Bytes for `Tensor.pack`.
 * @throws {TypeError} If a row is not a whole number of blocks.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { dequantize, packNf4, pick, Tensor } from "tunebook/tensor";
 *
 * const device = await pick({ device: "cpu" });
 * const values = Float32Array.from({ length: 64 }, (_, i) => i % 2 === 0 ? 1 : -1);
 * const packed = Tensor.pack(device, packNf4(values, 1, 64, "nf4"), [1, 64], "nf4");
 * assertEquals(await dequantize(packed).data(), values); // 1 and −1 are among the 16 values
 * device.close();
 * ```
 */
export function packNf4(
  values: Float32Array,
  rows: number,
  width: number,
  type: "nf4" | "nf4_double",
): Uint8Array<ArrayBuffer> {
  const { total, scalesAt } = packedBytes(type, rows, width);
  const { blockBytes } = PACKED_FORMATS[type];
  const bytes = new Uint8Array(total);
  const magnitudes = new Float32Array(values.length / BLOCK);
  for (let block = 0; block < magnitudes.length; block++) {
    const first = block * BLOCK;
    let magnitude = 0;
    for (let i = first; i < first + BLOCK; i++) {
      magnitude = Math.max(magnitude, Math.abs(values[i]));
    }
    magnitudes[block] = magnitude;
    const factor = magnitude === 0 ? 0 : 1 / magnitude;
    const at = block * blockBytes;
    for (let i = 0; i < BLOCK; i += 2) {
      const high = nearest(values[first + i] * factor);
      bytes[at + i / 2] = high << 4 | nearest(values[first + i + 1] * factor);
    }
  }
  if (type === "nf4") {
    const view = new DataView(bytes.buffer);
    magnitudes.forEach((value, block) => view.setFloat32(block * blockBytes + 32, value, true));
  } else {
    const { codes, scales } = packMagnitudes(magnitudes);
    codes.forEach((code, block) => bytes[block * blockBytes + 32] = code);
    new Float32Array(bytes.buffer, scalesAt).set(scales);
  }
  return bytes;
}

/** The code whose value is nearest: a binary search of four steps. */
function nearest(value: number): number {
  let code = value > BOUNDS[7] ? 8 : 0;
  code += value > BOUNDS[code + 3] ? 4 : 0;
  code += value > BOUNDS[code + 1] ? 2 : 0;
  return code + (value > BOUNDS[code] ? 1 : 0);
}

/**
 * Quantises the magnitudes themselves: minus their mean, 256 share a scale, and each is the nearest
 * of the 256 numbers of Dettmers' dynamic map ("8-Bit Approximations for Parallelism in Deep
 * Learning", 2015).
 */
function packMagnitudes(
  magnitudes: Float32Array,
): { codes: Uint8Array; scales: Float32Array } {
  const map = dynamicMap();
  const mean = Math.fround(magnitudes.reduce((sum, value) => sum + value, 0) / magnitudes.length);
  const codes = new Uint8Array(magnitudes.length);
  const scales = new Float32Array(DOUBLE_HEAD + Math.ceil(magnitudes.length / DOUBLE_BLOCKS));
  scales[0] = mean;
  scales.set(map, 1);
  for (let first = 0; first < magnitudes.length; first += DOUBLE_BLOCKS) {
    const part = magnitudes.subarray(first, first + DOUBLE_BLOCKS).map((value) => value - mean);
    const scale = part.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    scales[DOUBLE_HEAD + first / DOUBLE_BLOCKS] = scale;
    part.forEach((value, i) => codes[first + i] = nearestIn(map, scale === 0 ? 0 : value / scale));
  }
  return { codes, scales };
}

/** Index of the nearest number of an ascending list. */
function nearestIn(list: Float32Array, value: number): number {
  let [low, high] = [0, list.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (list[middle] <= value) low = middle;
    else high = middle;
  }
  return value - list[low] <= list[high] - value ? low : high;
}

/** Numbers from −1 to 1 with exponents from 10⁻⁷ on, the more of them the greater, as bitsandbytes makes them. */
function dynamicMap(): Float32Array {
  const numbers = [0, 1];
  for (let i = 0; i < 7; i++) {
    const items = 2 ** i;
    const step = 0.9 / items;
    for (let j = 0; j < items; j++) {
      const value = 10 ** (i - 6) * (0.1 + (j + 0.5) * step);
      numbers.push(value, -value);
    }
  }
  return Float32Array.from(numbers).sort();
}
