/**
 * CPU kernels of `attention`, some rows of one head. Rows of q, k, v, y and their gradients are `stride` floats apart, a
 * multiple of 4, padded with zeros beyond headDim. `tree` holds end and position of each token.
 *
 * Queries are computed in blocks of consecutive tokens each of which is the next one's parent: they see the same
 * tokens, but for the last few, and with a window the first few. What one of them does not see has weight 0 for it, so
 * that numbers which are not finite spread within a block, as they do where masked scores are multiplied. A block's
 * scores are a small matrix in memory, and all products have two rows of it to four vectors, or four rows, of the other
 * side, whose eight sums fit the registers.
 */
import { exp4, madd, maxLane, sumLanes } from "../../cpu/simd.as";
import { dropped } from "../dropout/hash.as";

/** Rows of a block, at most. `attention.cpu.ts` makes room for so many. */
const BLOCK = 8;

/** Copies a few floats; memory.copy is a call. */
// @ts-ignore: decorator
@inline
function copyRow(from: usize, to: usize, bytes: usize): void {
  const whole = bytes & ~15;
  for (let at: usize = 0; at < whole; at += 16) v128.store(to + at, v128.load(from + at));
  for (let at = whole; at < bytes; at += 4) store<f32>(to + at, load<f32>(from + at));
}

/** Copies rows of heads side by side to heads of rows below one another, padded to whole vectors. */
export function splitHeads(
  from: usize,
  to: usize,
  rows: i32,
  heads: i32,
  headDim: usize,
  headBytes: usize,
): void {
  const bytes = headDim << 2;
  const stride = (bytes + 15) & ~15;
  for (let row = 0; row < rows; row++) {
    for (let head = 0; head < heads; head++) {
      const target = to + <usize> head * headBytes;
      copyRow(from, target, bytes);
      for (let at = bytes; at < stride; at += 4) store<f32>(target + at, 0);
      from += bytes;
    }
    to += stride;
  }
}

/** The opposite of `splitHeads`. */
export function joinHeads(
  from: usize,
  to: usize,
  rows: i32,
  heads: i32,
  headDim: usize,
  headBytes: usize,
): void {
  const bytes = headDim << 2;
  const stride = (bytes + 15) & ~15;
  for (let row = 0; row < rows; row++) {
    for (let head = 0; head < heads; head++) {
      copyRow(from + <usize> head * headBytes, to, bytes);
      to += bytes;
    }
    from += stride;
  }
}

/** Sums of the lanes of four vectors. */
// @ts-ignore: decorator
@inline
function sumFour(s0: v128, s1: v128, s2: v128, s3: v128): v128 {
  const t0 = i32x4.shuffle(s0, s1, 0, 4, 1, 5), t1 = i32x4.shuffle(s0, s1, 2, 6, 3, 7);
  const t2 = i32x4.shuffle(s2, s3, 0, 4, 1, 5), t3 = i32x4.shuffle(s2, s3, 2, 6, 3, 7);
  return f32x4.add(
    f32x4.add(i64x2.shuffle(t0, t2, 0, 2), i64x2.shuffle(t0, t2, 1, 3)),
    f32x4.add(i64x2.shuffle(t1, t3, 0, 2), i64x2.shuffle(t1, t3, 1, 3)),
  );
}

// @ts-ignore: decorator
@inline
function dot(a: usize, b: usize, bytes: usize): f32 {
  let sum = f32x4.splat(0);
  for (let at: usize = 0; at < bytes; at += 16) {
    sum = madd(v128.load(a + at), v128.load(b + at), sum);
  }
  return sumLanes(sum);
}

/** Address of the row that entry `n` (in bytes of the list) of a list of tokens names. */
// @ts-ignore: decorator
@inline
function rowAt(base: usize, list: usize, n: usize, bytes: usize): usize {
  return base + <usize> load<i32>(list + n) * bytes;
}

/** out = scale · a · xᵀ of the rows a0 and a1 and the listed rows of x, whose number `n` in bytes is a multiple of 16. */
function dots(
  a0: usize,
  a1: usize,
  x: usize,
  list: usize,
  count: usize,
  out0: usize,
  out1: usize,
  bytes: usize,
  scale: f32,
): void {
  const scales = f32x4.splat(scale);
  for (let n: usize = 0; n < count; n += 16) {
    const x0 = rowAt(x, list, n, bytes), x1 = rowAt(x, list, n + 4, bytes);
    const x2 = rowAt(x, list, n + 8, bytes), x3 = rowAt(x, list, n + 12, bytes);
    let s00 = f32x4.splat(0), s01 = f32x4.splat(0), s02 = f32x4.splat(0), s03 = f32x4.splat(0);
    let s10 = f32x4.splat(0), s11 = f32x4.splat(0), s12 = f32x4.splat(0), s13 = f32x4.splat(0);
    for (let at: usize = 0; at < bytes; at += 16) {
      const row0 = v128.load(a0 + at), row1 = v128.load(a1 + at);
      let other = v128.load(x0 + at);
      s00 = madd(row0, other, s00);
      s10 = madd(row1, other, s10);
      other = v128.load(x1 + at);
      s01 = madd(row0, other, s01);
      s11 = madd(row1, other, s11);
      other = v128.load(x2 + at);
      s02 = madd(row0, other, s02);
      s12 = madd(row1, other, s12);
      other = v128.load(x3 + at);
      s03 = madd(row0, other, s03);
      s13 = madd(row1, other, s13);
    }
    v128.store(out0 + n, f32x4.mul(sumFour(s00, s01, s02, s03), scales));
    v128.store(out1 + n, f32x4.mul(sumFour(s10, s11, s12, s13), scales));
  }
}

/**
 * Adds Σ factor · x over the listed rows of x to the rows y0 and y1. Factors are `step` bytes apart. y0 and y1 may be
 * the same row with the same factors: then it is computed twice, not added twice.
 */
function addRows(
  y0: usize,
  y1: usize,
  factors0: usize,
  factors1: usize,
  step: usize,
  x: usize,
  list: usize,
  count: usize,
  bytes: usize,
): void {
  let column: usize = 0;
  for (; column + 64 <= bytes; column += 64) {
    const to0 = y0 + column, to1 = y1 + column, from = x + column;
    let s00 = v128.load(to0), s01 = v128.load(to0, 16);
    let s02 = v128.load(to0, 32), s03 = v128.load(to0, 48);
    let s10 = v128.load(to1), s11 = v128.load(to1, 16);
    let s12 = v128.load(to1, 32), s13 = v128.load(to1, 48);
    for (let n: usize = 0, f: usize = 0; n < count; n += 4, f += step) {
      const row = rowAt(from, list, n, bytes);
      const f0 = v128.load32_splat(factors0 + f), f1 = v128.load32_splat(factors1 + f);
      let other = v128.load(row);
      s00 = madd(other, f0, s00);
      s10 = madd(other, f1, s10);
      other = v128.load(row, 16);
      s01 = madd(other, f0, s01);
      s11 = madd(other, f1, s11);
      other = v128.load(row, 32);
      s02 = madd(other, f0, s02);
      s12 = madd(other, f1, s12);
      other = v128.load(row, 48);
      s03 = madd(other, f0, s03);
      s13 = madd(other, f1, s13);
    }
    v128.store(to0, s00);
    v128.store(to0, s01, 16);
    v128.store(to0, s02, 32);
    v128.store(to0, s03, 48);
    v128.store(to1, s10);
    v128.store(to1, s11, 16);
    v128.store(to1, s12, 32);
    v128.store(to1, s13, 48);
  }
  for (; column < bytes; column += 16) {
    let s0 = v128.load(y0 + column), s1 = v128.load(y1 + column);
    for (let n: usize = 0, f: usize = 0; n < count; n += 4, f += step) {
      const other = v128.load(rowAt(x + column, list, n, bytes));
      s0 = madd(other, v128.load32_splat(factors0 + f), s0);
      s1 = madd(other, v128.load32_splat(factors1 + f), s1);
    }
    v128.store(y0 + column, s0);
    v128.store(y1 + column, s1);
  }
}

// @ts-ignore: decorator
@inline
function endOf(tree: usize, token: i32): i32 {
  return load<i32>(tree + (<usize> token << 3));
}

// @ts-ignore: decorator
@inline
function positionOf(tree: usize, token: i32): i32 {
  return load<i32>(tree + (<usize> token << 3) + 4);
}

/** How many of the tokens from `token` up to `last` make a block. */
function blockRows(tree: usize, token: i32, last: i32): i32 {
  let rows = 1;
  while (rows < BLOCK && token + rows < last && endOf(tree, token + rows - 1) > token + rows) {
    rows++;
  }
  return rows;
}

/**
 * Lists what a block's tokens see, ascending: what the first of them sees, then the others. Subtrees that end before
 * are jumped over.
 *
 * @returns How many there are. The list is filled up to whole vectors.
 */
function listSeen(tree: usize, token: i32, rows: i32, window: i32, seen: usize): i32 {
  const position = positionOf(tree, token);
  let count = 0;
  for (let j = 0; j < token + rows;) {
    const end = endOf(tree, j);
    if (end <= token) {
      j = end;
      continue;
    }
    if (window == 0 || position - positionOf(tree, j) < window) {
      store<i32>(seen + (<usize> count << 2), j);
      count++;
    }
    j++;
  }
  for (let n = count; (n & 3) != 0; n++) store<i32>(seen + (<usize> n << 2), token);
  return count;
}

/** Replaces the scores of listed tokens that a row of a block does not see. */
function hideUnseen(
  scores: usize,
  tree: usize,
  seen: usize,
  token: i32,
  window: i32,
  count: i32,
  listed: usize,
): void {
  if (window != 0) {
    const before = positionOf(tree, token) - window;
    for (let n: usize = 0; positionOf(tree, load<i32>(seen + n)) <= before; n += 4) {
      store<f32>(scores + n, -f32.MAX_VALUE);
    }
  }
  for (let n = <usize> count << 2; n < listed; n += 4) {
    store<f32>(scores + n, -f32.MAX_VALUE);
  }
}

/** What weights of four tokens seen are multiplied by; `first` is the index of the row's weight for token 0. */
// @ts-ignore: decorator
@inline
function keptOf(seen: usize, first: i32, seed: i32, threshold: u32, factor: f32): v128 {
  const index = i32x4.add(v128.load(seen), i32x4.splat(first));
  return v128.andnot(f32x4.splat(factor), dropped(index, seed, threshold));
}

/**
 * Softmax in place of a row of scores.
 *
 * @returns The log-sum-exp.
 */
function softmax(scores: usize, listed: usize): f32 {
  let maxima = v128.load(scores);
  for (let at: usize = 16; at < listed; at += 16) {
    maxima = f32x4.max(maxima, v128.load(scores + at));
  }
  const maximum = maxLane(maxima);
  let sums = f32x4.splat(0);
  for (let at: usize = 0; at < listed; at += 16) {
    const p = exp4(f32x4.sub(v128.load(scores + at), f32x4.splat(maximum)));
    v128.store(scores + at, p);
    sums = f32x4.add(sums, p);
  }
  const sum = sumLanes(sums);
  const inverses = f32x4.splat(1 / sum);
  for (let at: usize = 0; at < listed; at += 16) {
    v128.store(scores + at, f32x4.mul(v128.load(scores + at), inverses));
  }
  return maximum + <f32> Math.log(sum);
}

/**
 * Rows of y and log-sum-exps of the queries from `first` up to `last`; q, y and statistics begin with the first's.
 * `seen` has room for one integer per token, `scores` for two rows with a float per token, plus one
 * vector each.
 */
export function attentionForward(
  q: usize,
  k: usize,
  v: usize,
  tree: usize,
  y: usize,
  statistics: usize,
  seen: usize,
  scores: usize,
  first: i32,
  last: i32,
  tokens: i32,
  stride: usize,
  window: i32,
  scale: f32,
  head: i32,
  seed: i32,
  threshold: u32,
  factor: f32,
  before: i32,
  all: i32,
): void {
  const bytes = stride << 2;
  const scoreBytes = <usize> ((tokens + 7) & ~3) << 2;
  for (let token = first; token < last;) {
    const rows = blockRows(tree, token, last);
    const count = listSeen(tree, token, rows, window, seen);
    const listed = <usize> ((count + 3) & ~3) << 2;
    memory.fill(y, 0, <usize> rows * bytes);
    for (let row = 0; row < rows; row += 2) {
      const next = min(row + 1, rows - 1);
      const q0 = q + <usize> row * bytes, q1 = q + <usize> next * bytes;
      const s0 = scores, s1 = next > row ? scores + scoreBytes : scores;
      dots(q0, q1, k, seen, listed, s0, s1, bytes, scale);
      for (let each = row; each <= next; each++) {
        const s = each == row ? s0 : s1;
        hideUnseen(s, tree, seen, token + each, window, count - rows + each + 1, listed);
        store<f32>(statistics + (<usize> each << 3), softmax(s, listed));
        if (threshold != 0) {
          const start = (head * all + before + token + each) * all + before;
          for (let at: usize = 0; at < listed; at += 16) {
            const kept = keptOf(seen + at, start, seed, threshold, factor);
            v128.store(s + at, f32x4.mul(v128.load(s + at), kept));
          }
        }
      }
      const y0 = y + <usize> row * bytes, y1 = y + <usize> next * bytes;
      const visible = <usize> (count - rows + next + 1) << 2;
      addRows(y0, y1, s0, s1, 4, v, seen, visible, bytes);
    }
    token += rows;
    q += <usize> rows * bytes;
    y += <usize> rows * bytes;
    statistics += <usize> rows << 3;
  }
}

/**
 * Adds to dq, dk and dv what the queries from `first` up to `last` contribute; q, y, dy, dq and statistics begin with
 * the first's. With p = exp(score − log-sum-exp), m what dropout multiplies it by, delta = dy · y and
 * ds = scale · p (m dy · v − delta): dq += ds k, dk += ds q, dv += p m dy.
 *
 * `seen` has room for one integer per token, `weights` and `scores` for BLOCK rows with a float per
 * token, plus one vector each; `rowList` for BLOCK integers.
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
  weights: usize,
  scores: usize,
  rowList: usize,
  first: i32,
  last: i32,
  tokens: i32,
  stride: usize,
  window: i32,
  scale: f32,
  head: i32,
  seed: i32,
  threshold: u32,
  factor: f32,
  before: i32,
  all: i32,
): void {
  const bytes = stride << 2;
  const scoreBytes = <usize> ((tokens + 7) & ~3) << 2;
  for (let row = 0; row < BLOCK; row++) store<i32>(rowList + (<usize> row << 2), row);
  for (let token = first; token < last;) {
    const rows = blockRows(tree, token, last);
    const count = listSeen(tree, token, rows, window, seen);
    const listed = <usize> ((count + 3) & ~3) << 2;
    for (let row = 0; row < rows; row += 2) {
      const next = min(row + 1, rows - 1);
      const row0 = <usize> row * bytes, row1 = <usize> next * bytes;
      const at0 = <usize> row * scoreBytes, at1 = <usize> next * scoreBytes;
      dots(q + row0, q + row1, k, seen, listed, weights + at0, weights + at1, bytes, scale);
      dots(dy + row0, dy + row1, v, seen, listed, scores + at0, scores + at1, bytes, 1);
      for (let each = row; each <= next; each++) {
        const p = weights + <usize> each * scoreBytes, ds = scores + <usize> each * scoreBytes;
        hideUnseen(p, tree, seen, token + each, window, count - rows + each + 1, listed);
        const logSums = f32x4.splat(load<f32>(statistics + (<usize> each << 3)));
        const deltas = f32x4.splat(dot(dy + <usize> each * bytes, y + <usize> each * bytes, bytes));
        const start = (head * all + before + token + each) * all + before;
        for (let at: usize = 0; at < listed; at += 16) {
          const weight = exp4(f32x4.sub(v128.load(p + at), logSums));
          let kept = weight;
          let upstream = v128.load(ds + at);
          if (threshold != 0) {
            const m = keptOf(seen + at, start, seed, threshold, factor);
            kept = f32x4.mul(weight, m);
            upstream = f32x4.mul(upstream, m);
          }
          v128.store(p + at, kept);
          const scaled = f32x4.mul(weight, f32x4.splat(scale));
          v128.store(ds + at, f32x4.mul(scaled, f32x4.sub(upstream, deltas)));
        }
      }
      const visible = <usize> (count - rows + next + 1) << 2;
      addRows(dq + row0, dq + row1, scores + at0, scores + at1, 4, k, seen, visible, bytes);
    }
    const end = <usize> count << 2;
    const own = <usize> rows << 2;
    for (let n: usize = 0; n < end; n += 8) {
      const next = min(n + 4, end - 4);
      const row0 = rowAt(0, seen, n, bytes), row1 = rowAt(0, seen, next, bytes);
      addRows(dk + row0, dk + row1, scores + n, scores + next, scoreBytes, q, rowList, own, bytes);
      addRows(dv + row0, dv + row1, weights + n, weights + next, scoreBytes, dy, rowList, own, bytes);
    }
    token += rows;
    q += <usize> rows * bytes;
    y += <usize> rows * bytes;
    dy += <usize> rows * bytes;
    dq += <usize> rows * bytes;
    statistics += <usize> rows << 3;
  }
}
