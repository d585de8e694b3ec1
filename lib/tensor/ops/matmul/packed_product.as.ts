/** CPU kernels of products of a few rows with packed matrices: what x becomes before, and blocks that were widened. */
import { madd, sumLanes } from "../../cpu/simd.as";

/** x times 2^60; times 16^-i where nibble i of a lane is left where it is. */
const POWERS: usize = memory.data<u32>([
  0x5d800000, 0x5b800000, 0x59800000, 0x57800000, 0x55800000, 0x53800000, 0x51800000, 0x5d800000,
]);

// @ts-ignore: decorator
@inline
function power(index: usize): v128 {
  return v128.load32_splat(POWERS + (index << 2));
}

/** Stores column i of four vectors for nibble 2 · i of a lane, if they are the low halves of bytes, or 2 · i + 1. */
// @ts-ignore: decorator
@inline
function storeColumns(x: usize, to: usize, first: usize): void {
  const a = v128.load(x), b = v128.load(x, 16), c = v128.load(x, 32), d = v128.load(x, 48);
  const ab = v128.shuffle<f32>(a, b, 0, 4, 1, 5), cd = v128.shuffle<f32>(c, d, 0, 4, 1, 5);
  const abHigh = v128.shuffle<f32>(a, b, 2, 6, 3, 7), cdHigh = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
  to += first << 4;
  v128.store(to, f32x4.mul(v128.shuffle<f32>(ab, cd, 0, 1, 4, 5), power(first)));
  v128.store(to, f32x4.mul(v128.shuffle<f32>(ab, cd, 2, 3, 6, 7), power(first + 2)), 32);
  v128.store(to, f32x4.mul(v128.shuffle<f32>(abHigh, cdHigh, 0, 1, 4, 5), power(first + 4)), 64);
  v128.store(to, f32x4.mul(v128.shuffle<f32>(abHigh, cdHigh, 2, 3, 6, 7), power(first + 6)), 96);
}

/** For blocks of 32 nibbles, the low halves of bytes first: x by the nibbles of lanes, and its sum times `factor`. */
export function permuteNibbles(x: usize, to: usize, sums: usize, blocks: i32, factor: f32): void {
  for (let block = 0; block < blocks; block++) {
    storeColumns(x, to, 0);
    storeColumns(x + 64, to, 1);
    storeSum(x, sums, 128, factor);
    x += 128;
    to += 128;
    sums += 4;
  }
}

/**
 * For blocks of 64 nibbles, of which the first 32 are the low halves of as many bytes: x by the nibbles of lanes, and sums of
 * 32 elements times `factor`.
 */
export function permutePairs(x: usize, to: usize, sums: usize, blocks: i32, factor: f32): void {
  for (let block = 0; block < blocks; block++) {
    for (let half: usize = 0; half < 2; half++) {
      storeColumns(x + (half << 6), to + (half << 7), 0);
      storeColumns(x + 128 + (half << 6), to + (half << 7), 1);
    }
    storeSum(x, sums, 128, factor);
    storeSum(x + 128, sums + 4, 128, factor);
    x += 256;
    to += 256;
    sums += 8;
  }
}

/** For blocks of 16 bytes: x by the bytes of lanes, and sums of `part` elements times `factor`. */
export function permuteBytes(
  x: usize,
  to: usize,
  sums: usize,
  blocks: i32,
  part: i32,
  factor: f32,
): void {
  const end = x + (<usize> blocks << 6);
  for (let from = x; from < end; from += <usize> part << 2, sums += 4) {
    storeSum(from, sums, <usize> part << 2, factor);
  }
  for (; x < end; x += 64, to += 64) {
    const a = v128.load(x), b = v128.load(x, 16), c = v128.load(x, 32), d = v128.load(x, 48);
    const ab = v128.shuffle<f32>(a, b, 0, 4, 1, 5), cd = v128.shuffle<f32>(c, d, 0, 4, 1, 5);
    const abHigh = v128.shuffle<f32>(a, b, 2, 6, 3, 7), cdHigh = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
    v128.store(to, f32x4.mul(v128.shuffle<f32>(ab, cd, 0, 1, 4, 5), power(0)));
    v128.store(to, f32x4.mul(v128.shuffle<f32>(ab, cd, 2, 3, 6, 7), power(2)), 16);
    v128.store(to, f32x4.mul(v128.shuffle<f32>(abHigh, cdHigh, 0, 1, 4, 5), power(4)), 32);
    v128.store(to, f32x4.mul(v128.shuffle<f32>(abHigh, cdHigh, 2, 3, 6, 7), power(7)), 48);
  }
}

/** The sum of x, times `factor` and 2^60. */
// @ts-ignore: decorator
@inline
function storeSum(x: usize, to: usize, bytes: usize, factor: f32): void {
  let sum = f32x4.splat(0);
  for (let at: usize = 0; at < bytes; at += 16) sum = f32x4.add(sum, v128.load(x + at));
  store<f32>(to, sumLanes(sum) * factor * reinterpret<f32>(0x5d800000));
}

/** Of every 8 elements the even ones, then the odd ones, times `factor`. */
export function permuteHalves(x: usize, to: usize, size: i32, factor: f32): void {
  const factors = f32x4.splat(factor);
  for (let i = 0; i < size; i += 8) {
    const a = v128.load(x), b = v128.load(x, 16);
    v128.store(to, f32x4.mul(v128.shuffle<f32>(a, b, 0, 2, 4, 6), factors));
    v128.store(to, f32x4.mul(v128.shuffle<f32>(a, b, 1, 3, 5, 7), factors), 16);
    x += 32;
    to += 32;
  }
}

/**
 * y[i, j] = x[i] · w[j] for m rows of x and n rows of w, all of k floats, a multiple of 8. Rows of y are `stride` bytes
 * apart. Whatever m and n are, each sum has the same order.
 */
export function multiplyWide(
  x: usize,
  w: usize,
  y: usize,
  m: i32,
  n: i32,
  k: i32,
  stride: usize,
): void {
  const bytes = <usize> k << 2;
  let i = 0;
  for (; i + 4 <= m; i += 4) {
    for (let j = 0; j < n; j += 2) {
      fourByTwo(x, w + <usize> j * bytes, min(1, n - 1 - j) * bytes, y + (<usize> j << 2), bytes, stride);
    }
    x += bytes << 2;
    y += stride << 2;
  }
  for (; i < m; i++) {
    for (let j = 0; j < n; j += 4) {
      oneByFour(x, w + <usize> j * bytes, bytes, y + (<usize> j << 2), min(4, n - j));
    }
    x += bytes;
    y += stride;
  }
}

// @ts-ignore: decorator
@inline
function fourByTwo(x0: usize, w0: usize, second: usize, y: usize, bytes: usize, stride: usize): void {
  const x1 = x0 + bytes, x2 = x1 + bytes, x3 = x2 + bytes;
  const w1 = w0 + second;
  let a = f32x4.splat(0), b = a, c = a, d = a, e = a, f = a, g = a, h = a;
  for (let at: usize = 0; at < bytes; at += 16) {
    const w = v128.load(w0 + at), v = v128.load(w1 + at);
    let x = v128.load(x0 + at);
    a = madd(w, x, a);
    b = madd(v, x, b);
    x = v128.load(x1 + at);
    c = madd(w, x, c);
    d = madd(v, x, d);
    x = v128.load(x2 + at);
    e = madd(w, x, e);
    f = madd(v, x, f);
    x = v128.load(x3 + at);
    g = madd(w, x, g);
    h = madd(v, x, h);
  }
  store<f32>(y, sumLanes(a));
  store<f32>(y + stride, sumLanes(c));
  store<f32>(y + 2 * stride, sumLanes(e));
  store<f32>(y + 3 * stride, sumLanes(g));
  if (second == 0) return;
  store<f32>(y, sumLanes(b), 4);
  store<f32>(y + stride, sumLanes(d), 4);
  store<f32>(y + 2 * stride, sumLanes(f), 4);
  store<f32>(y + 3 * stride, sumLanes(h), 4);
}

// @ts-ignore: decorator
@inline
function oneByFour(x: usize, w0: usize, bytes: usize, y: usize, count: i32): void {
  const w1 = w0 + (count > 1 ? bytes : 0);
  const w2 = w1 + (count > 2 ? bytes : 0);
  const w3 = w2 + (count > 3 ? bytes : 0);
  let a = f32x4.splat(0), b = a, c = a, d = a;
  for (let at: usize = 0; at < bytes; at += 16) {
    const v = v128.load(x + at);
    a = madd(v128.load(w0 + at), v, a);
    b = madd(v128.load(w1 + at), v, b);
    c = madd(v128.load(w2 + at), v, c);
    d = madd(v128.load(w3 + at), v, d);
  }
  store<f32>(y, sumLanes(a));
  if (count > 1) store<f32>(y, sumLanes(b), 4);
  if (count > 2) store<f32>(y, sumLanes(c), 8);
  if (count > 3) store<f32>(y, sumLanes(d), 12);
}
