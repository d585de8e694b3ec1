/** CPU kernels of `linearCrossEntropy`, a row of logits at a time. Memory is padded to whole vectors. */
import { exp4, maxLane, sumLanes } from "../../cpu/simd.as";

/** Lets the last vector's extra lanes not count. */
// @ts-ignore: decorator
@inline
function pad(logits: usize, size: usize): void {
  const bytes = size << 2;
  for (let at = bytes; at < (bytes + 15 & ~15); at += 4) {
    store<f32>(logits + at, -f32.MAX_VALUE);
  }
}

/** Updates the running maximum and sum of exponentials at `statistics` with more logits of the row. */
export function crossEntropyForward(logits: usize, size: usize, statistics: usize): void {
  pad(logits, size);
  let maxima = v128.load(logits);
  for (let at: usize = 16; at < size << 2; at += 16) {
    maxima = f32x4.max(maxima, v128.load(logits + at));
  }
  const before = load<f32>(statistics);
  const maximum = max(before, maxLane(maxima));
  const subtrahend = f32x4.splat(maximum);
  let sums = f32x4.splat(0);
  for (let at: usize = 0; at < size << 2; at += 16) {
    sums = f32x4.add(sums, exp4(f32x4.sub(v128.load(logits + at), subtrahend)));
  }
  const rescaled = load<f32>(statistics + 4) * <f32> Math.exp(before - maximum);
  store<f32>(statistics, maximum);
  store<f32>(statistics + 4, rescaled + sumLanes(sums));
}

/** logits = factor · exp(logits − logSum). */
export function crossEntropyBackward(
  logits: usize,
  size: usize,
  logSum: f32,
  factor: f32,
): void {
  const subtrahend = f32x4.splat(logSum);
  const factors = f32x4.splat(factor);
  for (let at: usize = 0; at < size << 2; at += 16) {
    const p = exp4(f32x4.sub(v128.load(logits + at), subtrahend));
    v128.store(logits + at, f32x4.mul(p, factors));
  }
}
