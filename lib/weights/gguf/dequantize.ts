/**
 * Conversion of GGUF's block types to float32.
 *
 * A block holds a few dozen small integers and their scale. The layouts are those of
 * ggml (`ggml-common.h`); every value is rounded once, so the results equal ggml's bit for bit.
 *
 * @module
 */

import { float16Table, widen } from "../dtype.ts";

/** Block types that are read as float32. */
export const DEQUANTIZED = [
  "Q4_0",
  "Q4_1",
  "Q5_0",
  "Q5_1",
  "Q8_0",
  "Q2_K",
  "Q3_K",
  "Q4_K",
  "Q5_K",
  "Q6_K",
  "IQ4_NL",
  "IQ4_XS",
  "TQ1_0",
  "TQ2_0",
  "MXFP4",
] as const;

/** The name of a block type that is read as float32. */
export type BlockType = typeof DEQUANTIZED[number];

/** Names of all types that are read as float32. */
export type ReadableGgmlType = BlockType | "F32" | "F16" | "BF16" | "F64";

/**
 * Whether tensors of a type can be read as float32.
 *
 * @param name ggml's name of the type
 * @returns Whether {@linkcode dequantize} knows it
 */
export function isDequantizable(name: string): name is ReadableGgmlType {
  return name === "F32" || name === "F16" || name === "BF16" || name === "F64" ||
    Object.hasOwn(DECODERS, name);
}

/**
 * Decodes whole blocks to float32.
 *
 * @param bytes The blocks; their offset in their buffer must be a multiple of 8
 * @param type Their type
 * @param into Receives the values: blocks times elements per block
 */
export function dequantize(bytes: Uint8Array, type: ReadableGgmlType, into: Float32Array): void {
  if (type === "F32" || type === "F16" || type === "BF16" || type === "F64") {
    widen(bytes, type, into);
  } else {
    DECODERS[type](bytes, into, float16Table());
  }
}

type Decoder = (bytes: Uint8Array, into: Float32Array, half: Float32Array) => void;

const DECODERS: Record<BlockType, Decoder> = {
  Q4_0: decodeQ4_0,
  Q4_1: decodeQ4_1,
  Q5_0: decodeQ5_0,
  Q5_1: decodeQ5_1,
  Q8_0: decodeQ8_0,
  Q2_K: decodeQ2_K,
  Q3_K: decodeQ3_K,
  Q4_K: decodeQ4_K,
  Q5_K: decodeQ5_K,
  Q6_K: decodeQ6_K,
  IQ4_NL: decodeIQ4_NL,
  IQ4_XS: decodeIQ4_XS,
  TQ1_0: decodeTQ1_0,
  TQ2_0: decodeTQ2_0,
  MXFP4: decodeMXFP4,
};

// Below, `d` is a block's scale and `m` its minimum, both float16. The low four bits of byte j are
// element j, the high four element j + 16.

function decodeQ4_0(bytes: Uint8Array, into: Float32Array, half: Float32Array): void {
  for (let at = 0, out = 0; out < into.length; at += 18, out += 32) {
    const d = half[bytes[at] | bytes[at + 1] << 8];
    for (let j = 0; j < 16; j++) {
      const q = bytes[at + 2 + j];
      into[out + j] = d * ((q & 15) - 8);
      into[out + j + 16] = d * ((q >> 4) - 8);
    }
  }
}

function decodeQ4_1(bytes: Uint8Array, into: Float32Array, half: Float32Array): void {
  for (let at = 0, out = 0; out < into.length; at += 20, out += 32) {
    const d = half[bytes[at] | bytes[at + 1] << 8];
    const m = half[bytes[at + 2] | bytes[at + 3] << 8];
    for (let j = 0; j < 16; j++) {
      const q = bytes[at + 4 + j];
      into[out + j] = d * (q & 15) + m;
      into[out + j + 16] = d * (q >> 4) + m;
    }
  }
}

// Q5: the fifth bits are packed in four bytes, one bit per element.

function decodeQ5_0(bytes: Uint8Array, into: Float32Array, half: Float32Array): void {
  for (let at = 0, out = 0; out < into.length; at += 22, out += 32) {
    const d = half[bytes[at] | bytes[at + 1] << 8];
    const high = fifthBits(bytes, at + 2);
    for (let j = 0; j < 16; j++) {
      const q = bytes[at + 6 + j];
      into[out + j] = d * ((q & 15 | (high >>> j & 1) << 4) - 16);
      into[out + j + 16] = d * ((q >> 4 | (high >>> (j + 16) & 1) << 4) - 16);
    }
  }
}

function decodeQ5_1(bytes: Uint8Array, into: Float32Array, half: Float32Array): void {
  for (let at = 0, out = 0; out < into.length; at += 24, out += 32) {
    const d = half[bytes[at] | bytes[at + 1] << 8];
    const m = half[bytes[at + 2] | bytes[at + 3] << 8];
    const high = fifthBits(bytes, at + 4);
    for (let j = 0; j < 16; j++) {
      const q = bytes[at + 8 + j];
      into[out + j] = d * (q & 15 | (high >>> j & 1) << 4) + m;
      into[out + j + 16] = d * (q >> 4 | (high >>> (j + 16) & 1) << 4) + m;
    }
  }
}

function fifthBits(bytes: Uint8Array, at: number): number {
  return bytes[at] | bytes[at + 1] << 8 | bytes[at + 2] << 16 | bytes[at + 3] << 24;
}

function decodeQ8_0(bytes: Uint8Array, into: Float32Array, half: Float32Array): void {
  for (let at = 0, out = 0; out < into.length; at += 34, out += 32) {
    const d = half[bytes[at] | bytes[at + 1] << 8];
    for (let j = 0; j < 32; j++) into[out + j] = d * (bytes[at + 2 + j] << 24 >> 24);
  }
}

// K types: a block of 256 has a float16 scale, and each 32 (or 16) elements a small integer scale.

/** Six-bit scale of sub-block `i` of 8, packed in twelve bytes with the minima. */
function scaleK(bytes: Uint8Array, at: number, i: number): number {
  return i < 4 ? bytes[at + i] & 63 : bytes[at + i + 4] & 15 | bytes[at + i - 4] >> 6 << 4;
}

/** Six-bit minimum of sub-block `i` of 8. */
function minimumK(bytes: Uint8Array, at: number, i: number): number {
  return i < 4 ? bytes[at + i + 4] & 63 : bytes[at + i + 4] >> 4 | bytes[at + i] >> 6 << 4;
}

// Two halves of 128 elements; in each, row k of four holds bits 2k and 2k + 1 of the same 32 bytes, and each 16 elements
// have a scale of their own.

function decodeQ2_K(bytes: Uint8Array, into: Float32Array, half: Float32Array): void {
  for (let at = 0, out = 0; out < into.length; at += 84, out += 256) {
    const d = half[bytes[at + 80] | bytes[at + 81] << 8];
    const m = half[bytes[at + 82] | bytes[at + 83] << 8];
    for (let i = 0; i < 16; i++) {
      const scale = d * (bytes[at + i] & 15);
      const minimum = m * (bytes[at + i] >> 4);
      const from = at + 16 + (i >> 3) * 32 + (i & 1) * 16;
      const shift = i & 6;
      for (let j = 0; j < 16; j++) {
        into[out + i * 16 + j] = scale * (bytes[from + j] >> shift & 3) - minimum;
      }
    }
  }
}

function decodeQ3_K(bytes: Uint8Array, into: Float32Array, half: Float32Array): void {
  for (let at = 0, out = 0; out < into.length; at += 110, out += 256) {
    const d = half[bytes[at + 108] | bytes[at + 109] << 8];
    for (let i = 0; i < 16; i++) {
      // Six-bit scales: the low four bits in eight bytes, the high two in four.
      const low = bytes[at + 96 + (i & 7)] >> (i >> 3) * 4 & 15;
      const scale = d * ((low | (bytes[at + 104 + (i & 3)] >> (i >> 2) * 2 & 3) << 4) - 32);
      const from = at + 32 + (i >> 3) * 32 + (i & 1) * 16;
      const shift = i & 6;
      for (let j = 0; j < 16; j++) {
        // The third bit of row k is bit k of the first 32 bytes, inverted.
        const high = bytes[at + (i & 1) * 16 + j] >> (i >> 1) & 1;
        into[out + i * 16 + j] = scale * ((bytes[from + j] >> shift & 3) - (high ? 0 : 4));
      }
    }
  }
}

function decodeQ4_K(bytes: Uint8Array, into: Float32Array, half: Float32Array): void {
  for (let at = 0, out = 0; out < into.length; at += 144, out += 256) {
    const d = half[bytes[at] | bytes[at + 1] << 8];
    const m = half[bytes[at + 2] | bytes[at + 3] << 8];
    for (let i = 0; i < 8; i++) {
      const scale = d * scaleK(bytes, at + 4, i);
      const minimum = m * minimumK(bytes, at + 4, i);
      // Sub-blocks 2k and 2k + 1 are the low and the high halves of the same 32 bytes.
      const from = at + 16 + (i >> 1) * 32;
      const shift = (i & 1) * 4;
      for (let j = 0; j < 32; j++) {
        into[out + i * 32 + j] = scale * (bytes[from + j] >> shift & 15) - minimum;
      }
    }
  }
}

function decodeQ5_K(bytes: Uint8Array, into: Float32Array, half: Float32Array): void {
  for (let at = 0, out = 0; out < into.length; at += 176, out += 256) {
    const d = half[bytes[at] | bytes[at + 1] << 8];
    const m = half[bytes[at + 2] | bytes[at + 3] << 8];
    for (let i = 0; i < 8; i++) {
      const scale = d * scaleK(bytes, at + 4, i);
      const minimum = m * minimumK(bytes, at + 4, i);
      const from = at + 48 + (i >> 1) * 32;
      const shift = (i & 1) * 4;
      for (let j = 0; j < 32; j++) {
        // Bit i of high byte j belongs to element j of sub-block i.
        const q = bytes[from + j] >> shift & 15 | (bytes[at + 16 + j] >> i & 1) << 4;
        into[out + i * 32 + j] = scale * q - minimum;
      }
    }
  }
}

function decodeQ6_K(bytes: Uint8Array, into: Float32Array, half: Float32Array): void {
  for (let at = 0, out = 0; out < into.length; at += 210, out += 256) {
    const d = half[bytes[at + 208] | bytes[at + 209] << 8];
    // Two halves of 128; in each, four rows of 32 share 64 low and 32 high bytes.
    for (let row = 0; row < 8; row++) {
      const low = at + (row >> 2) * 64 + (row & 1) * 32;
      const lowShift = (row & 2) * 2;
      const high = at + 128 + (row >> 2) * 32;
      const highShift = (row & 3) * 2;
      for (let j = 0; j < 32; j++) {
        const q = bytes[low + j] >> lowShift & 15 | (bytes[high + j] >> highShift & 3) << 4;
        const scale = bytes[at + 192 + row * 2 + (j >> 4)] << 24 >> 24;
        into[out + row * 32 + j] = d * scale * (q - 32);
      }
    }
  }
}

/** What the four-bit codes of IQ4 stand for. */
const IQ4_VALUES = Int8Array.of(
  ...[-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113],
);

function decodeIQ4_NL(bytes: Uint8Array, into: Float32Array, half: Float32Array): void {
  for (let at = 0, out = 0; out < into.length; at += 18, out += 32) {
    const d = half[bytes[at] | bytes[at + 1] << 8];
    for (let j = 0; j < 16; j++) {
      const q = bytes[at + 2 + j];
      into[out + j] = d * IQ4_VALUES[q & 15];
      into[out + j + 16] = d * IQ4_VALUES[q >> 4];
    }
  }
}

function decodeIQ4_XS(bytes: Uint8Array, into: Float32Array, half: Float32Array): void {
  for (let at = 0, out = 0; out < into.length; at += 136, out += 256) {
    const d = half[bytes[at] | bytes[at + 1] << 8];
    const highs = bytes[at + 2] | bytes[at + 3] << 8;
    for (let i = 0; i < 8; i++) {
      const low = bytes[at + 4 + (i >> 1)] >> (i & 1) * 4 & 15;
      const scale = d * ((low | (highs >> i * 2 & 3) << 4) - 32);
      for (let j = 0; j < 16; j++) {
        const q = bytes[at + 8 + i * 16 + j];
        into[out + i * 32 + j] = scale * IQ4_VALUES[q & 15];
        into[out + i * 32 + j + 16] = scale * IQ4_VALUES[q >> 4];
      }
    }
  }
}

// TQ: elements are −1, 0 or 1.

/** Base 3: digit k of byte b, as the fraction b / 256 has it. */
function digit(byte: number, k: number): number {
  return (byte * 3 ** k & 255) * 3 >> 8;
}

function decodeTQ1_0(bytes: Uint8Array, into: Float32Array, half: Float32Array): void {
  for (let at = 0, out = 0; out < into.length; at += 54) {
    const d = half[bytes[at + 52] | bytes[at + 53] << 8];
    // Five digits of 32 bytes, five of 16, and four of 4.
    for (const [from, count, digits] of [[0, 32, 5], [32, 16, 5], [48, 4, 4]]) {
      for (let k = 0; k < digits; k++) {
        for (let j = 0; j < count; j++) into[out++] = d * (digit(bytes[at + from + j], k) - 1);
      }
    }
  }
}

function decodeTQ2_0(bytes: Uint8Array, into: Float32Array, half: Float32Array): void {
  for (let at = 0, out = 0; out < into.length; at += 66) {
    const d = half[bytes[at + 64] | bytes[at + 65] << 8];
    for (let row = 0; row < 8; row++) {
      const from = at + (row >> 2) * 32;
      const shift = (row & 3) * 2;
      for (let j = 0; j < 32; j++) into[out++] = d * ((bytes[from + j] >> shift & 3) - 1);
    }
  }
}

/** Twice what the codes of MXFP4 stand for: floats of four bits, with two for the exponent. */
const FP4_DOUBLED = Int8Array.of(0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12);

function decodeMXFP4(bytes: Uint8Array, into: Float32Array): void {
  for (let at = 0, out = 0; out < into.length; at += 17, out += 32) {
    const d = 2 ** (bytes[at] - 128); // the exponent of the scale, halved
    for (let j = 0; j < 16; j++) {
      const q = bytes[at + 1 + j];
      into[out + j] = d * FP4_DOUBLED[q & 15];
      into[out + j + 16] = d * FP4_DOUBLED[q >> 4];
    }
  }
}
