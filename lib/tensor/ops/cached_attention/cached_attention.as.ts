/**
 * CPU kernel of `cachedAttention`: some heads of one query. `keys` and `values` hold `length` gathered rows of
 * `columns` floats: the columns of the key heads in question. `scores` has room for a float a row.
 */
import { exp4, madd, maxLane, sumLanes } from "../../cpu/simd.as";

/** Heads of `q` and `y` are consecutive, `shared` of them to a key head. headDim need not be a multiple of 4. */
export function cachedAttention(
  q: usize,
  keys: usize,
  values: usize,
  y: usize,
  scores: usize,
  length: i32,
  columns: usize,
  kvHeads: i32,
  shared: i32,
  headDim: usize,
  scale: f32,
): void {
  const row = columns << 2;
  const bytes = headDim << 2;
  const whole = bytes & ~15;
  const scoreBytes = <usize> length << 2;
  const scoreVectors = (scoreBytes + 15) & ~15;
  for (let head = 0; head < kvHeads * shared; head++) {
    const column = <usize> (head / shared) * bytes;
    for (let n: usize = 0, at = keys + column; n < scoreBytes; n += 4, at += row) {
      let sums = f32x4.splat(0);
      for (let d: usize = 0; d < whole; d += 16) {
        sums = madd(v128.load(q + d), v128.load(at + d), sums);
      }
      let sum = sumLanes(sums);
      for (let d = whole; d < bytes; d += 4) sum += load<f32>(q + d) * load<f32>(at + d);
      store<f32>(scores + n, sum * scale);
    }
    for (let n = scoreBytes; n < scoreVectors; n += 4) store<f32>(scores + n, -f32.MAX_VALUE);
    let maxima = v128.load(scores);
    for (let n: usize = 16; n < scoreVectors; n += 16) {
      maxima = f32x4.max(maxima, v128.load(scores + n));
    }
    const maximum = f32x4.splat(maxLane(maxima));
    let sums = f32x4.splat(0);
    for (let n: usize = 0; n < scoreVectors; n += 16) {
      const p = exp4(f32x4.sub(v128.load(scores + n), maximum));
      v128.store(scores + n, p);
      sums = f32x4.add(sums, p);
    }
    const inverse: f32 = 1 / sumLanes(sums);
    memory.fill(y, 0, bytes);
    for (let n: usize = 0, at = values + column; n < scoreBytes; n += 4, at += row) {
      const p = load<f32>(scores + n) * inverse;
      const weights = f32x4.splat(p);
      for (let d: usize = 0; d < whole; d += 16) {
        v128.store(y + d, madd(v128.load(at + d), weights, v128.load(y + d)));
      }
      for (let d = whole; d < bytes; d += 4) {
        store<f32>(y + d, load<f32>(y + d) + p * load<f32>(at + d));
      }
    }
    q += bytes;
    y += bytes;
  }
}
