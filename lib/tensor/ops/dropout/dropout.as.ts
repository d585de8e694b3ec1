/** CPU kernel of `dropout`; the hash is documented in dropout.ts. Memory is padded to whole vectors. */

// @ts-ignore: decorator
@inline
function mix(z: v128): v128 {
  z = v128.xor(z, i32x4.shr_u(z, 16));
  z = i32x4.mul(z, i32x4.splat(0x7feb352d));
  z = v128.xor(z, i32x4.shr_u(z, 15));
  z = i32x4.mul(z, i32x4.splat(<i32> 0x846ca68b));
  return v128.xor(z, i32x4.shr_u(z, 16));
}

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
  let index = i32x4.add(i32x4.splat(first + <i32> 0x9e3779b9), i32x4(0, 1, 2, 3));
  const seeds = i32x4.splat(seed);
  // Unsigned comparison is signed comparison with the highest bits flipped.
  const flip = i32x4.splat(i32.MIN_VALUE);
  const limit = v128.xor(i32x4.splat(<i32> threshold), flip);
  const factors = f32x4.splat(factor);
  for (let at: usize = 0; at < size << 2; at += 16) {
    const hash = mix(v128.xor(mix(index), seeds));
    const dropped = i32x4.lt_s(v128.xor(hash, flip), limit);
    let value = v128.andnot(f32x4.mul(v128.load(x + at), factors), dropped);
    if (accumulate) value = f32x4.add(value, v128.load(y + at));
    v128.store(y + at, value);
    index = i32x4.add(index, i32x4.splat(4));
  }
}
