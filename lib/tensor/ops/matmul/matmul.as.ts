/**
 * CPU kernels of `matmul` where there is no BLAS: a packed matrix multiplication in the manner of Goto & van de Geijn,
 * "Anatomy of High-Performance Matrix Multiplication", 2008. `a` is packed in panels of 4 rows, `b` in panels of 8
 * columns, so that the inner loop reads both in order: 4 × 8 sums stay in registers.
 */
import { madd } from "../../cpu/simd.as";

/** Packs (rows, k) with rows `stride` floats apart into panels of 4 rows: panel, then k, then row. */
export function packA(source: usize, target: usize, rows: i32, k: i32, stride: i32): void {
  const step = <usize> stride << 2;
  for (let row = 0; row < rows; row += 4) {
    const r0 = source + <usize> row * step;
    if (row + 4 <= rows) {
      const r1 = r0 + step;
      const r2 = r1 + step;
      const r3 = r2 + step;
      let at: usize = 0;
      const whole = <usize> (k & ~3) << 2;
      // Transposes 4 × 4 blocks.
      for (; at < whole; at += 16) {
        const a = v128.load(r0 + at), b = v128.load(r1 + at);
        const c = v128.load(r2 + at), d = v128.load(r3 + at);
        const ab = i32x4.shuffle(a, b, 0, 4, 1, 5), ab2 = i32x4.shuffle(a, b, 2, 6, 3, 7);
        const cd = i32x4.shuffle(c, d, 0, 4, 1, 5), cd2 = i32x4.shuffle(c, d, 2, 6, 3, 7);
        v128.store(target, i64x2.shuffle(ab, cd, 0, 2));
        v128.store(target, i64x2.shuffle(ab, cd, 1, 3), 16);
        v128.store(target, i64x2.shuffle(ab2, cd2, 0, 2), 32);
        v128.store(target, i64x2.shuffle(ab2, cd2, 1, 3), 48);
        target += 64;
      }
      for (; at < <usize> k << 2; at += 4) {
        store<f32>(target, load<f32>(r0 + at));
        store<f32>(target, load<f32>(r1 + at), 4);
        store<f32>(target, load<f32>(r2 + at), 8);
        store<f32>(target, load<f32>(r3 + at), 12);
        target += 16;
      }
    } else {
      for (let i = 0; i < k; i++) {
        for (let r = 0; r < 4; r++) {
          const value = row + r < rows ? load<f32>(r0 + <usize> r * step + (<usize> i << 2)) : 0;
          store<f32>(target, value);
          target += 4;
        }
      }
    }
  }
}

/** Packs (k, rows), that is aᵀ, with rows `stride` floats apart, like {@link packA}. */
export function packATransposed(
  source: usize,
  target: usize,
  rows: i32,
  k: i32,
  stride: i32,
): void {
  const step = <usize> stride << 2;
  for (let row = 0; row < rows; row += 4) {
    let from = source + (<usize> row << 2);
    const left = min(4, rows - row);
    for (let i = 0; i < k; i++) {
      if (left == 4) {
        v128.store(target, v128.load(from));
      } else {
        for (let r = 0; r < 4; r++) {
          store<f32>(target + (r << 2), r < left ? load<f32>(from + (r << 2)) : 0);
        }
      }
      from += step;
      target += 16;
    }
  }
}

/** Packs (k, columns) with rows `stride` floats apart into panels of 8 columns: panel, then k, then column. */
export function packB(source: usize, target: usize, columns: i32, k: i32, stride: i32): void {
  const step = <usize> stride << 2;
  for (let column = 0; column < columns; column += 8) {
    let from = source + (<usize> column << 2);
    const left = min(8, columns - column);
    for (let i = 0; i < k; i++) {
      if (left == 8) {
        v128.store(target, v128.load(from));
        v128.store(target, v128.load(from, 16), 16);
      } else {
        for (let c = 0; c < 8; c++) {
          store<f32>(target + (c << 2), c < left ? load<f32>(from + (c << 2)) : 0);
        }
      }
      from += step;
      target += 32;
    }
  }
}

/** Packs (columns, k), that is bᵀ, with rows `stride` floats apart, like {@link packB}. */
export function packBTransposed(
  source: usize,
  target: usize,
  columns: i32,
  k: i32,
  stride: i32,
): void {
  const step = <usize> stride << 2;
  for (let column = 0; column < columns; column += 8) {
    const from = source + <usize> column * step;
    const left = min(8, columns - column);
    for (let half = 0; half < 8; half += 4) {
      const r0 = from + <usize> half * step;
      let to = target + (<usize> half << 2);
      let i = 0;
      if (left >= half + 4) {
        const r1 = r0 + step;
        const r2 = r1 + step;
        const r3 = r2 + step;
        for (; i + 4 <= k; i += 4) {
          const at = <usize> i << 2;
          const a = v128.load(r0 + at), b = v128.load(r1 + at);
          const c = v128.load(r2 + at), d = v128.load(r3 + at);
          const ab = i32x4.shuffle(a, b, 0, 4, 1, 5), ab2 = i32x4.shuffle(a, b, 2, 6, 3, 7);
          const cd = i32x4.shuffle(c, d, 0, 4, 1, 5), cd2 = i32x4.shuffle(c, d, 2, 6, 3, 7);
          v128.store(to, i64x2.shuffle(ab, cd, 0, 2));
          v128.store(to, i64x2.shuffle(ab, cd, 1, 3), 32);
          v128.store(to, i64x2.shuffle(ab2, cd2, 0, 2), 64);
          v128.store(to, i64x2.shuffle(ab2, cd2, 1, 3), 96);
          to += 128;
        }
      }
      for (; i < k; i++) {
        for (let c = 0; c < 4; c++) {
          const inside = half + c < left;
          const value = inside ? load<f32>(r0 + <usize> c * step + (<usize> i << 2)) : 0;
          store<f32>(to + (c << 2), value);
        }
        to += 32;
      }
    }
    target += <usize> k << 5;
  }
}

/**
 * c (rows, columns; rows `stride` floats apart, room for whole panels) += packed a · packed b over k. `panelA` is the
 * bytes from one panel of `a` to the next, which is longer than k where `a` is packed over more.
 */
export function multiplyPacked(
  a: usize,
  b: usize,
  c: usize,
  rows: i32,
  columns: i32,
  k: i32,
  panelA: usize,
  stride: i32,
): void {
  const row = <usize> stride << 2;
  for (let column = 0; column < columns; column += 8) {
    let panel = a;
    for (let r = 0; r < rows; r += 4) {
      const at = c + <usize> r * row + (<usize> column << 2);
      multiplyPanel(panel, b, at, k, row);
      panel += panelA;
    }
    b += <usize> k << 5;
  }
}

// @ts-ignore: decorator
@inline
function multiplyPanel(a: usize, b: usize, c: usize, k: i32, stride: usize): void {
  let s00 = f32x4.splat(0), s01 = f32x4.splat(0), s10 = f32x4.splat(0), s11 = f32x4.splat(0);
  let s20 = f32x4.splat(0), s21 = f32x4.splat(0), s30 = f32x4.splat(0), s31 = f32x4.splat(0);
  for (let i = 0; i < k; i++) {
    // One load and shuffles: V8's loads that splat are slower, and so is unrolling (which spills registers).
    const b0 = v128.load(b), b1 = v128.load(b, 16), row = v128.load(a);
    const a0 = i32x4.shuffle(row, row, 0, 0, 0, 0);
    s00 = madd(a0, b0, s00);
    s01 = madd(a0, b1, s01);
    const a1 = i32x4.shuffle(row, row, 1, 1, 1, 1);
    s10 = madd(a1, b0, s10);
    s11 = madd(a1, b1, s11);
    const a2 = i32x4.shuffle(row, row, 2, 2, 2, 2);
    s20 = madd(a2, b0, s20);
    s21 = madd(a2, b1, s21);
    const a3 = i32x4.shuffle(row, row, 3, 3, 3, 3);
    s30 = madd(a3, b0, s30);
    s31 = madd(a3, b1, s31);
    a += 16;
    b += 32;
  }
  addTo(c, s00, s01);
  addTo(c + stride, s10, s11);
  addTo(c + 2 * stride, s20, s21);
  addTo(c + 3 * stride, s30, s31);
}

// @ts-ignore: decorator
@inline
function addTo(c: usize, left: v128, right: v128): void {
  v128.store(c, f32x4.add(v128.load(c), left));
  v128.store(c, f32x4.add(v128.load(c, 16), right), 16);
}

/** y += the sums of columns of (rows, columns). Columns are padded to whole vectors. */
export function addRows(x: usize, y: usize, rows: i32, columns: usize): void {
  const bytes = columns << 2;
  for (let row = 0; row < rows; row++) {
    for (let at: usize = 0; at < bytes; at += 16) {
      v128.store(y + at, f32x4.add(v128.load(y + at), v128.load(x + at)));
    }
    x += bytes;
  }
}
