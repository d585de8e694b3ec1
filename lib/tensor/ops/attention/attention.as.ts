/**
 * CPU kernels of `attention`, one head at a time. Rows of q, k, v, y and their gradients are `stride` floats apart, a
 * multiple of 4, padded with zeros beyond headDim. `tree` holds end and position of each token, `seen`, `scores`
 * and `kept` have room for one integer or float a token, and a vector more.
 */
import { exp4, madd, maxLane, sumLanes } from "../../cpu/simd.as";
import { dropped } from "../dropout/hash.as";

// @ts-ignore: decorator
@inline
function dot(a: usize, b: usize, bytes: usize): f32 {
  let sum = f32x4.splat(0);
  for (let at: usize = 0; at < bytes; at += 16) {
    sum = madd(v128.load(a + at), v128.load(b + at), sum);
  }
  return sumLanes(sum);
}

/** Products of one row with four: four chains of additions, since one would wait for each. */
// @ts-ignore: decorator
@inline
function dot4(a: usize, b0: usize, b1: usize, b2: usize, b3: usize, bytes: usize): v128 {
  let s0 = f32x4.splat(0), s1 = f32x4.splat(0), s2 = f32x4.splat(0), s3 = f32x4.splat(0);
  for (let at: usize = 0; at < bytes; at += 16) {
    const row = v128.load(a + at);
    s0 = madd(row, v128.load(b0 + at), s0);
    s1 = madd(row, v128.load(b1 + at), s1);
    s2 = madd(row, v128.load(b2 + at), s2);
    s3 = madd(row, v128.load(b3 + at), s3);
  }
  // Transposes the four sums and adds their lanes.
  const t0 = i32x4.shuffle(s0, s1, 0, 4, 1, 5), t1 = i32x4.shuffle(s0, s1, 2, 6, 3, 7);
  const t2 = i32x4.shuffle(s2, s3, 0, 4, 1, 5), t3 = i32x4.shuffle(s2, s3, 2, 6, 3, 7);
  return f32x4.add(
    f32x4.add(i64x2.shuffle(t0, t2, 0, 2), i64x2.shuffle(t0, t2, 1, 3)),
    f32x4.add(i64x2.shuffle(t1, t3, 0, 2), i64x2.shuffle(t1, t3, 1, 3)),
  );
}

/** y += factor · x. */
// @ts-ignore: decorator
@inline
function axpy(factor: f32, x: usize, y: usize, bytes: usize): void {
  const factors = f32x4.splat(factor);
  for (let at: usize = 0; at < bytes; at += 16) {
    v128.store(y + at, madd(v128.load(x + at), factors, v128.load(y + at)));
  }
}

/** y += Σ factor · x over four rows. */
// @ts-ignore: decorator
@inline
function axpy4(
  factors: v128,
  x0: usize,
  x1: usize,
  x2: usize,
  x3: usize,
  y: usize,
  bytes: usize,
): void {
  const f0 = i32x4.shuffle(factors, factors, 0, 0, 0, 0);
  const f1 = i32x4.shuffle(factors, factors, 1, 1, 1, 1);
  const f2 = i32x4.shuffle(factors, factors, 2, 2, 2, 2);
  const f3 = i32x4.shuffle(factors, factors, 3, 3, 3, 3);
  for (let at: usize = 0; at < bytes; at += 16) {
    let sum = madd(v128.load(x0 + at), f0, v128.load(y + at));
    sum = madd(v128.load(x1 + at), f1, sum);
    sum = madd(v128.load(x2 + at), f2, sum);
    v128.store(y + at, madd(v128.load(x3 + at), f3, sum));
  }
}

/** dk += ds · q and dv += p · dy. */
// @ts-ignore: decorator
@inline
function spread(
  ds: f32,
  p: f32,
  q: usize,
  dy: usize,
  dk: usize,
  dv: usize,
  bytes: usize,
): void {
  const a = f32x4.splat(ds), b = f32x4.splat(p);
  for (let at: usize = 0; at < bytes; at += 16) {
    v128.store(dk + at, madd(v128.load(q + at), a, v128.load(dk + at)));
    v128.store(dv + at, madd(v128.load(dy + at), b, v128.load(dv + at)));
  }
}

/** Address of the row of entry `n` (in bytes of the list) of a list of tokens. */
// @ts-ignore: decorator
@inline
function rowAt(base: usize, seen: usize, n: usize, bytes: usize): usize {
  return base + <usize> load<i32>(seen + n) * bytes;
}

/** Lists the tokens that `token` sees, ascending; subtrees that end before it are jumped over. */
function listSeen(tree: usize, token: i32, window: i32, seen: usize): i32 {
  const position = load<i32>(tree + (<usize> token << 3) + 4);
  let count = 0;
  for (let j = 0; j <= token;) {
    const end = load<i32>(tree + (<usize> j << 3));
    if (end <= token) {
      j = end;
      continue;
    }
    if (window == 0 || position - load<i32>(tree + (<usize> j << 3) + 4) < window) {
      store<i32>(seen + (<usize> count << 2), j);
      count++;
    }
    j++;
  }
  return count;
}

/** Scaled scores of one query to the keys it sees. */
// @ts-ignore: decorator
@inline
function score(
  q: usize,
  k: usize,
  seen: usize,
  scores: usize,
  count: i32,
  bytes: usize,
  scale: f32,
): void {
  const end = <usize> count << 2;
  const whole = end & ~15;
  const scales = f32x4.splat(scale);
  for (let n: usize = 0; n < whole; n += 16) {
    const k0 = rowAt(k, seen, n, bytes), k1 = rowAt(k, seen, n + 4, bytes);
    const k2 = rowAt(k, seen, n + 8, bytes), k3 = rowAt(k, seen, n + 12, bytes);
    v128.store(scores + n, f32x4.mul(dot4(q, k0, k1, k2, k3, bytes), scales));
  }
  for (let n = whole; n < end; n += 4) {
    store<f32>(scores + n, dot(q, rowAt(k, seen, n, bytes), bytes) * scale);
  }
}

/** Fills the scores' last vector up, and returns how many bytes of whole vectors they take. */
// @ts-ignore: decorator
@inline
function pad(scores: usize, count: i32): usize {
  const bytes = <usize> count << 2;
  const whole = (bytes + 15) & ~15;
  for (let at = bytes; at < whole; at += 4) store<f32>(scores + at, -f32.MAX_VALUE);
  return whole;
}

/** What weights of four tokens seen are multiplied by; `first` is the index of the row's weight for token 0. */
// @ts-ignore: decorator
@inline
function keptOf(seen: usize, first: i32, seed: i32, threshold: u32, factor: f32): v128 {
  const index = i32x4.add(v128.load(seen), i32x4.splat(first));
  return v128.andnot(f32x4.splat(factor), dropped(index, seed, threshold));
}

export function attentionForward(
  q: usize,
  k: usize,
  v: usize,
  tree: usize,
  y: usize,
  statistics: usize,
  seen: usize,
  scores: usize,
  tokens: i32,
  stride: usize,
  window: i32,
  scale: f32,
  head: i32,
  seed: i32,
  threshold: u32,
  factor: f32,
): void {
  const bytes = stride << 2;
  for (let i = 0; i < tokens; i++) {
    const count = listSeen(tree, i, window, seen);
    score(q, k, seen, scores, count, bytes, scale);
    const whole = pad(scores, count);
    let maxima = v128.load(scores);
    for (let at: usize = 16; at < whole; at += 16) {
      maxima = f32x4.max(maxima, v128.load(scores + at));
    }
    const maximum = maxLane(maxima);
    let sums = f32x4.splat(0);
    for (let at: usize = 0; at < whole; at += 16) {
      const p = exp4(f32x4.sub(v128.load(scores + at), f32x4.splat(maximum)));
      v128.store(scores + at, p);
      sums = f32x4.add(sums, p);
    }
    const sum = sumLanes(sums);
    const inverse: f32 = 1 / sum;
    if (threshold != 0) {
      const first = (head * tokens + i) * tokens;
      for (let at: usize = 0; at < whole; at += 16) {
        const kept = keptOf(seen + at, first, seed, threshold, factor);
        v128.store(scores + at, f32x4.mul(v128.load(scores + at), kept));
      }
    }
    memory.fill(y, 0, bytes);
    const end = <usize> count << 2;
    const fours = end & ~15;
    for (let n: usize = 0; n < fours; n += 16) {
      const v0 = rowAt(v, seen, n, bytes), v1 = rowAt(v, seen, n + 4, bytes);
      const v2 = rowAt(v, seen, n + 8, bytes), v3 = rowAt(v, seen, n + 12, bytes);
      const p = f32x4.mul(v128.load(scores + n), f32x4.splat(inverse));
      axpy4(p, v0, v1, v2, v3, y, bytes);
    }
    for (let n = fours; n < end; n += 4) {
      axpy(load<f32>(scores + n) * inverse, rowAt(v, seen, n, bytes), y, bytes);
    }
    store<f32>(statistics, maximum + <f32> Math.log(sum));
    q += bytes;
    y += bytes;
    statistics += 8;
  }
}

/**
 * Adds to dq, dk and dv. With p = exp(score − log-sum-exp), m what dropout multiplies it by, delta = dy · y and
 * ds = scale · p (m dy · v − delta): dq += ds k, dk += ds q, dv += p m dy.
 */
export function attentionBackward(
  q: usize,
  k: usize,
  v: usize,
  tree: usize,
  y: usize,
  dy: usize,
  statistics: usize,
  dq: usize,
  dk: usize,
  dv: usize,
  seen: usize,
  scores: usize,
  kept: usize,
  tokens: i32,
  stride: usize,
  window: i32,
  scale: f32,
  head: i32,
  seed: i32,
  threshold: u32,
  factor: f32,
): void {
  const bytes = stride << 2;
  for (let at = 0; at < tokens; at++) store<f32>(kept + (<usize> at << 2), 1);
  for (let i = 0; i < tokens; i++) {
    const count = listSeen(tree, i, window, seen);
    score(q, k, seen, scores, count, bytes, scale);
    const whole = pad(scores, count);
    const logSums = f32x4.splat(load<f32>(statistics));
    for (let at: usize = 0; at < whole; at += 16) {
      v128.store(scores + at, exp4(f32x4.sub(v128.load(scores + at), logSums)));
    }
    if (threshold != 0) {
      const first = (head * tokens + i) * tokens;
      for (let at: usize = 0; at < whole; at += 16) {
        v128.store(kept + at, keptOf(seen + at, first, seed, threshold, factor));
      }
    }
    const delta = dot(dy, y, bytes);
    const end = <usize> count << 2;
    const fours = end & ~15;
    for (let n: usize = 0; n < fours; n += 16) {
      const r0 = rowAt(0, seen, n, bytes), r1 = rowAt(0, seen, n + 4, bytes);
      const r2 = rowAt(0, seen, n + 8, bytes), r3 = rowAt(0, seen, n + 12, bytes);
      const p = v128.load(scores + n), m = v128.load(kept + n), pm = f32x4.mul(p, m);
      const dp = f32x4.mul(dot4(dy, v + r0, v + r1, v + r2, v + r3, bytes), m);
      const ds = f32x4.mul(
        f32x4.mul(p, f32x4.splat(scale)),
        f32x4.sub(dp, f32x4.splat(delta)),
      );
      axpy4(ds, k + r0, k + r1, k + r2, k + r3, dq, bytes);
      spread(f32x4.extract_lane(ds, 0), f32x4.extract_lane(pm, 0), q, dy, dk + r0, dv + r0, bytes);
      spread(f32x4.extract_lane(ds, 1), f32x4.extract_lane(pm, 1), q, dy, dk + r1, dv + r1, bytes);
      spread(f32x4.extract_lane(ds, 2), f32x4.extract_lane(pm, 2), q, dy, dk + r2, dv + r2, bytes);
      spread(f32x4.extract_lane(ds, 3), f32x4.extract_lane(pm, 3), q, dy, dk + r3, dv + r3, bytes);
    }
    for (let n = fours; n < end; n += 4) {
      const row = rowAt(0, seen, n, bytes);
      const p = load<f32>(scores + n), m = load<f32>(kept + n);
      const ds = scale * p * (m * dot(dy, v + row, bytes) - delta);
      axpy(ds, k + row, dq, bytes);
      spread(ds, p * m, q, dy, dk + row, dv + row, bytes);
    }
    q += bytes;
    y += bytes;
    dy += bytes;
    dq += bytes;
    statistics += 8;
  }
}
