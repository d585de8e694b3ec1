/**
 * CPU kernels of `dequantize`: whole blocks to floats. Layouts are those of `packed.ts`. Products of a scale and a small
 * integer are exact in f32, so every value is rounded once, as in ggml.
 */

/** A float16's value; all of them are exact in f32. */
// @ts-ignore: decorator
@inline
function half(at: usize): f32 {
  const bits: u32 = load<u16>(at);
  const sign = (bits & 0x8000) << 16;
  const rest = (bits & 0x7fff) << 13;
  // 2^112 makes up for the exponents' biases, also where the exponent is 0.
  const magnitude = (bits & 0x7c00) == 0x7c00
    ? rest | 0x7f800000
    : reinterpret<u32>(reinterpret<f32>(rest) * reinterpret<f32>(0x77800000));
  return reinterpret<f32>(sign | magnitude);
}

/** y = d · i for 16 signed bytes. */
// @ts-ignore: decorator
@inline
function storeSigned(bytes: v128, y: usize, d: v128): void {
  const low = i16x8.extend_low_i8x16_s(bytes);
  const high = i16x8.extend_high_i8x16_s(bytes);
  v128.store(y, f32x4.mul(d, f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(low))));
  v128.store(y, f32x4.mul(d, f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(low))), 16);
  v128.store(y, f32x4.mul(d, f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(high))), 32);
  v128.store(y, f32x4.mul(d, f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(high))), 48);
}

/** y = d · i + m for 16 unsigned bytes. */
// @ts-ignore: decorator
@inline
function storeUnsigned(bytes: v128, y: usize, d: v128, m: v128): void {
  const low = i16x8.extend_low_i8x16_u(bytes);
  const high = i16x8.extend_high_i8x16_u(bytes);
  const a = f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_u(low));
  const b = f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_u(low));
  const c = f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_u(high));
  const e = f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_u(high));
  v128.store(y, f32x4.add(f32x4.mul(d, a), m));
  v128.store(y, f32x4.add(f32x4.mul(d, b), m), 16);
  v128.store(y, f32x4.add(f32x4.mul(d, c), m), 32);
  v128.store(y, f32x4.add(f32x4.mul(d, e), m), 48);
}

// @ts-ignore: decorator
@inline
function lowHalves(bytes: v128): v128 {
  return v128.and(bytes, i8x16.splat(15));
}

// @ts-ignore: decorator
@inline
function highHalves(bytes: v128): v128 {
  return i8x16.shr_u(bytes, 4);
}

/** 16 where bit i of the 16 from `at` is set, as byte i. */
// @ts-ignore: decorator
@inline
function fifthBits(at: usize): v128 {
  const word = i16x8.splat(load<u16>(at));
  const bytes = i8x16.swizzle(word, i8x16(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1));
  const masks = i8x16(1, 2, 4, 8, 16, 32, 64, -128, 1, 2, 4, 8, 16, 32, 64, -128);
  const set = i8x16.eq(v128.and(bytes, masks), masks);
  return v128.and(set, i8x16.splat(16));
}

/** Four halves, each in the lower 16 bits of a lane with its sign above: none may be infinite or not a number. */
// @ts-ignore: decorator
@inline
function finiteHalves(halves: v128): v128 {
  const bits = v128.and(i32x4.shl(halves, 13), i32x4.splat(0x8fffe000));
  return f32x4.mul(bits, f32x4.splat(reinterpret<f32>(0x77800000)));
}

export function dequantizeF16(x: usize, y: usize, blocks: usize): void {
  const magnitudes = i16x8.splat(0x7fff), infinite = i16x8.splat(0x7c00);
  let i: usize = 0;
  for (; i + 8 <= blocks; i += 8, x += 16, y += 32) {
    const halves = v128.load(x);
    if (v128.any_true(i16x8.ge_s(v128.and(halves, magnitudes), infinite))) {
      for (let j: usize = 0; j < 8; j++) store<f32>(y + (j << 2), half(x + (j << 1)));
      continue;
    }
    v128.store(y, finiteHalves(i32x4.extend_low_i16x8_s(halves)));
    v128.store(y, finiteHalves(i32x4.extend_high_i16x8_s(halves)), 16);
  }
  for (; i < blocks; i++, x += 2, y += 4) store<f32>(y, half(x));
}

export function dequantizeBf16(x: usize, y: usize, blocks: usize): void {
  let i: usize = 0;
  for (; i + 4 <= blocks; i += 4, x += 8, y += 16) {
    v128.store(y, i32x4.shl(i32x4.extend_low_i16x8_u(v128.load64_zero(x)), 16));
  }
  for (; i < blocks; i++, x += 2, y += 4) store<u32>(y, (<u32> load<u16>(x)) << 16);
}

export function dequantizeQ4_0(x: usize, y: usize, blocks: usize): void {
  for (let i: usize = 0; i < blocks; i++, x += 18, y += 128) {
    const d = f32x4.splat(half(x));
    const bytes = v128.load(x, 2);
    storeSigned(i8x16.sub(lowHalves(bytes), i8x16.splat(8)), y, d);
    storeSigned(i8x16.sub(highHalves(bytes), i8x16.splat(8)), y + 64, d);
  }
}

export function dequantizeQ4_1(x: usize, y: usize, blocks: usize): void {
  for (let i: usize = 0; i < blocks; i++, x += 20, y += 128) {
    const d = f32x4.splat(half(x));
    const m = f32x4.splat(half(x + 2));
    const bytes = v128.load(x, 4);
    storeUnsigned(lowHalves(bytes), y, d, m);
    storeUnsigned(highHalves(bytes), y + 64, d, m);
  }
}

export function dequantizeQ5_0(x: usize, y: usize, blocks: usize): void {
  for (let i: usize = 0; i < blocks; i++, x += 22, y += 128) {
    const d = f32x4.splat(half(x));
    const bytes = v128.load(x, 6);
    const low = v128.or(lowHalves(bytes), fifthBits(x + 2));
    const high = v128.or(highHalves(bytes), fifthBits(x + 4));
    storeSigned(i8x16.sub(low, i8x16.splat(16)), y, d);
    storeSigned(i8x16.sub(high, i8x16.splat(16)), y + 64, d);
  }
}

export function dequantizeQ5_1(x: usize, y: usize, blocks: usize): void {
  for (let i: usize = 0; i < blocks; i++, x += 24, y += 128) {
    const d = f32x4.splat(half(x));
    const m = f32x4.splat(half(x + 2));
    const bytes = v128.load(x, 8);
    storeUnsigned(v128.or(lowHalves(bytes), fifthBits(x + 4)), y, d, m);
    storeUnsigned(v128.or(highHalves(bytes), fifthBits(x + 6)), y + 64, d, m);
  }
}

export function dequantizeQ8_0(x: usize, y: usize, blocks: usize): void {
  for (let i: usize = 0; i < blocks; i++, x += 34, y += 128) {
    const d = f32x4.splat(half(x));
    storeSigned(v128.load(x, 2), y, d);
    storeSigned(v128.load(x, 18), y + 64, d);
  }
}

/** Six-bit scale of sub-block `i` of 8, packed in twelve bytes with the minima. */
// @ts-ignore: decorator
@inline
function scaleK(at: usize, i: u32): u32 {
  if (i < 4) return <u32> load<u8>(at + i) & 63;
  return (<u32> load<u8>(at + i + 4) & 15) | (<u32> load<u8>(at + i - 4) >> 6 << 4);
}

/** Six-bit minimum of sub-block `i` of 8. */
// @ts-ignore: decorator
@inline
function minimumK(at: usize, i: u32): u32 {
  if (i < 4) return <u32> load<u8>(at + i + 4) & 63;
  return (<u32> load<u8>(at + i + 4) >> 4) | (<u32> load<u8>(at + i) >> 6 << 4);
}

export function dequantizeQ4_K(x: usize, y: usize, blocks: usize): void {
  for (let block: usize = 0; block < blocks; block++, x += 144) {
    const d = half(x);
    const m = half(x + 2);
    // Sub-blocks 2k and 2k + 1 are the low and the high halves of the same 32 bytes.
    for (let i: u32 = 0; i < 8; i += 2, y += 256) {
      const at = x + 16 + (i << 4);
      const first = v128.load(at);
      const second = v128.load(at, 16);
      let scale = f32x4.splat(d * <f32> scaleK(x + 4, i));
      let minimum = f32x4.splat(-(m * <f32> minimumK(x + 4, i)));
      storeUnsigned(lowHalves(first), y, scale, minimum);
      storeUnsigned(lowHalves(second), y + 64, scale, minimum);
      scale = f32x4.splat(d * <f32> scaleK(x + 4, i + 1));
      minimum = f32x4.splat(-(m * <f32> minimumK(x + 4, i + 1)));
      storeUnsigned(highHalves(first), y + 128, scale, minimum);
      storeUnsigned(highHalves(second), y + 192, scale, minimum);
    }
  }
}

/** 16 where bit `i` of a byte is set. */
// @ts-ignore: decorator
@inline
function bitOf(bytes: v128, i: u32): v128 {
  return i8x16.shl(v128.and(i8x16.shr_u(bytes, i), i8x16.splat(1)), 4);
}

export function dequantizeQ5_K(x: usize, y: usize, blocks: usize): void {
  for (let block: usize = 0; block < blocks; block++, x += 176) {
    const d = half(x);
    const m = half(x + 2);
    // Bit i of high byte j belongs to element j of sub-block i.
    const firstBits = v128.load(x, 16);
    const secondBits = v128.load(x, 32);
    for (let i: u32 = 0; i < 8; i++, y += 128) {
      const at = x + 48 + (i >> 1 << 5);
      let first = v128.load(at);
      let second = v128.load(at, 16);
      first = i & 1 ? highHalves(first) : lowHalves(first);
      second = i & 1 ? highHalves(second) : lowHalves(second);
      const scale = f32x4.splat(d * <f32> scaleK(x + 4, i));
      const minimum = f32x4.splat(-(m * <f32> minimumK(x + 4, i)));
      storeUnsigned(v128.or(first, bitOf(firstBits, i)), y, scale, minimum);
      storeUnsigned(v128.or(second, bitOf(secondBits, i)), y + 64, scale, minimum);
    }
  }
}

export function dequantizeQ6_K(x: usize, y: usize, blocks: usize): void {
  for (let block: usize = 0; block < blocks; block++, x += 210) {
    const d = half(x + 208);
    // Two halves of 128; in each, four rows of 32 share 64 low and 32 high bytes.
    for (let part: u32 = 0; part < 16; part++, y += 64) {
      const row = part >> 1;
      const column = (part & 1) << 4;
      const bytes = v128.load(x + (row >> 2 << 6) + ((row & 1) << 5) + column);
      const low = row & 2 ? highHalves(bytes) : lowHalves(bytes);
      const highAt = x + 128 + (row >> 2 << 5) + column;
      const high = v128.and(i8x16.shr_u(v128.load(highAt), (row & 3) << 1), i8x16.splat(3));
      const q = v128.or(low, i8x16.shl(high, 4));
      const scale = f32x4.splat(d * <f32> load<i8>(x + 192 + part));
      storeSigned(i8x16.sub(q, i8x16.splat(32)), y, scale);
    }
  }
}

/** Bytes 0, 1, 2 and 3 of the 16 floats that the codes stand for (Dettmers et al., 2023, appendix E). */
export const NF4: usize = memory.data<u8>([
  0, 177, 48, 160, 77, 63, 113, 0, 255, 227, 221, 58, 184, 171, 179, 0,
  0, 57, 107, 50, 162, 53, 120, 0, 250, 202, 4, 3, 164, 7, 19, 0,
  128, 50, 6, 202, 145, 61, 186, 0, 162, 36, 124, 173, 225, 16, 57, 128,
  191, 191, 191, 190, 190, 190, 189, 0, 61, 62, 62, 62, 62, 63, 63, 63,
]);

/**
 * A block of NF4. The table is looked up byte by byte, 16 codes at once; all codes are within it, where relaxed and strict
 * swizzles agree. Its bytes come from memory: V8 makes a constant again each time that it is used.
 */
// @ts-ignore: decorator
@inline
function widenNf4Block(
  codes: usize,
  magnitude: v128,
  y: usize,
  byte0: v128,
  byte1: v128,
  byte2: v128,
  byte3: v128,
): void {
  for (let at: usize = 0; at < 32; at += 8, y += 64) {
    const bytes = v128.load64_zero(codes + at);
    // High half first.
    const indices = i8x16.shuffle(
      highHalves(bytes),
      lowHalves(bytes),
      0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23,
    );
    const a = i8x16.relaxed_swizzle(byte0, indices);
    const b = i8x16.relaxed_swizzle(byte1, indices);
    const c = i8x16.relaxed_swizzle(byte2, indices);
    const d = i8x16.relaxed_swizzle(byte3, indices);
    const abLow = i8x16.shuffle(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    const abHigh = i8x16.shuffle(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    const cdLow = i8x16.shuffle(c, d, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    const cdHigh = i8x16.shuffle(c, d, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    v128.store(y, f32x4.mul(magnitude, i16x8.shuffle(abLow, cdLow, 0, 8, 1, 9, 2, 10, 3, 11)));
    v128.store(y, f32x4.mul(magnitude, i16x8.shuffle(abLow, cdLow, 4, 12, 5, 13, 6, 14, 7, 15)), 16);
    v128.store(y, f32x4.mul(magnitude, i16x8.shuffle(abHigh, cdHigh, 0, 8, 1, 9, 2, 10, 3, 11)), 32);
    v128.store(y, f32x4.mul(magnitude, i16x8.shuffle(abHigh, cdHigh, 4, 12, 5, 13, 6, 14, 7, 15)), 48);
  }
}

/** NF4: codes stand `stride` bytes apart block by block, magnitudes `magnitudeStride`. */
export function dequantizeNf4(
  codes: usize,
  stride: usize,
  magnitudes: usize,
  magnitudeStride: usize,
  y: usize,
  blocks: usize,
): void {
  const byte0 = v128.load(NF4), byte1 = v128.load(NF4, 16);
  const byte2 = v128.load(NF4, 32), byte3 = v128.load(NF4, 48);
  for (let block: usize = 0; block < blocks; block++, y += 256) {
    widenNf4Block(codes, f32x4.splat(load<f32>(magnitudes)), y, byte0, byte1, byte2, byte3);
    codes += stride;
    magnitudes += magnitudeStride;
  }
}

/** The magnitude of a block of `nf4_double`, whose code is at `code`; `scales` are the matrix's floats. */
// @ts-ignore: decorator
@inline
function doubleMagnitude(code: usize, scales: usize, block: i32): f32 {
  const scale = load<f32>(scales + ((257 + (<usize> block >> 8)) << 2));
  return load<f32>(scales + 4 + ((<usize> load<u8>(code)) << 2)) * scale + load<f32>(scales);
}

/** Magnitudes of blocks of `nf4_double`: `scales` are its floats, `first` the number of the first block. */
export function doubleMagnitudes(
  codes: usize,
  scales: usize,
  first: i32,
  to: usize,
  blocks: i32,
): void {
  for (let block = first; block < first + blocks; block++, codes += 33, to += 4) {
    store<f32>(to, doubleMagnitude(codes, scales, block));
  }
}

/** Rows whose blocks are read ahead together. */
const ROWS_AHEAD: i32 = 8;

/**
 * `blocks` blocks of each of `rows` rows of `nf4_double`, in a matrix of `rowBlocks` blocks per row; `first` is the number of
 * the first block. A byte of each cache line of eight rows is read before them: processors do not predict reading that
 * continues in another row after a few lines, and so wait for memory once for eight rows, not once for each.
 *
 * @returns A sum of these bytes, so that no compiler leaves them out as unused.
 */
export function widenNf4Double(
  codes: usize,
  scales: usize,
  first: i32,
  rowBlocks: i32,
  y: usize,
  rows: i32,
  blocks: i32,
): i32 {
  const byte0 = v128.load(NF4), byte1 = v128.load(NF4, 16);
  const byte2 = v128.load(NF4, 32), byte3 = v128.load(NF4, 48);
  const rowBytes = <usize> rowBlocks * 33, partBytes = <usize> blocks * 33;
  let ahead: i32 = 0;
  for (let row = 0; row < rows; row++, codes += rowBytes, first += rowBlocks) {
    if (row % ROWS_AHEAD == 0) {
      const last = codes + <usize> min(ROWS_AHEAD, rows - row) * rowBytes;
      for (let from = codes; from < last; from += rowBytes) {
        for (let at: usize = 0; at < partBytes; at += 64) ahead += load<u8>(from + at);
      }
    }
    let code = codes;
    for (let block = first; block < first + blocks; block++, code += 33, y += 256) {
      const magnitude = f32x4.splat(doubleMagnitude(code + 32, scales, block));
      widenNf4Block(code, magnitude, y, byte0, byte1, byte2, byte3);
    }
  }
  return ahead;
}
