/** CPU kernel of `dropout`; the hash is documented in dropout.ts. Memory is padded to whole vectors. */

import { dropped } from "./hash.as";

/** `first` is the index of the first element in its tensor. */
export function dropout(
  x: usize,
  y: usize,
  size: usize,
  first: i32,
  seed: i32,
  threshold: u32,
  factor: f32,
  accumulate: bool,
): void {
  let index = i32x4.add(i32x4.splat(first), i32x4(0, 1, 2, 3));
  const factors = f32x4.splat(factor);
  for (let at: usize = 0; at < size << 2; at += 16) {
    let value = v128.andnot(
      f32x4.mul(v128.load(x + at), factors),
      dropped(index, seed, threshold),
    );
    if (accumulate) value = f32x4.add(value, v128.load(y + at));
    v128.store(y + at, value);
    index = i32x4.add(index, i32x4.splat(4));
  }
}
