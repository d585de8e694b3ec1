/**
 * CPU kernels of `attention`, one head at a time. Rows of q, k, v, y and their gradients are `stride` floats apart, a
 * multiple of 4, padded with zeros beyond headDim. `tree` holds end and position of each token, `seen` and `scores`
 * have room for one integer and one float a token.
 */
import { exp4, madd, maxLane, sumLanes } from "../../cpu/simd.as";

// @ts-ignore: decorator
@inline
function dot(a: usize, b: usize, bytes: usize): f32 {
  let sum = f32x4.splat(0);
  for (let at: usize = 0; at < bytes; at += 16) {
    sum = madd(v128.load(a + at), v128.load(b + at), sum);
  }
  return sumLanes(sum);
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
  for (let n: usize = 0; n < <usize> count << 2; n += 4) {
    const j = <usize> load<i32>(seen + n);
    store<f32>(scores + n, dot(q, k + j * bytes, bytes) * scale);
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
    memory.fill(y, 0, bytes);
    for (let n: usize = 0; n < <usize> count << 2; n += 4) {
      const j = <usize> load<i32>(seen + n);
      axpy(load<f32>(scores + n) / sum, v + j * bytes, y, bytes);
    }
    store<f32>(statistics, maximum + <f32> Math.log(sum));
    q += bytes;
    y += bytes;
    statistics += 8;
  }
}

/**
 * Adds to dq, dk and dv. With p = exp(score − log-sum-exp), delta = dy · y and ds = scale · p (dy · v − delta):
 * dq += ds k, dk += ds q, dv += p dy.
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
  tokens: i32,
  stride: usize,
  window: i32,
  scale: f32,
): void {
  const bytes = stride << 2;
  for (let i = 0; i < tokens; i++) {
    const count = listSeen(tree, i, window, seen);
    score(q, k, seen, scores, count, bytes, scale);
    const whole = pad(scores, count);
    const logSums = f32x4.splat(load<f32>(statistics));
    for (let at: usize = 0; at < whole; at += 16) {
      v128.store(scores + at, exp4(f32x4.sub(v128.load(scores + at), logSums)));
    }
    const delta = dot(dy, y, bytes);
    for (let n: usize = 0; n < <usize> count << 2; n += 4) {
      const at = <usize> load<i32>(seen + n) * bytes;
      const p = load<f32>(scores + n);
      const ds = scale * p * (dot(dy, v + at, bytes) - delta);
      axpy(ds, k + at, dq, bytes);
      axpy(ds, q, dk + at, bytes);
      axpy(p, dy, dv + at, bytes);
    }
    q += bytes;
    y += bytes;
    dy += bytes;
    dq += bytes;
    statistics += 8;
  }
}
