/** The hash that decides what is dropped, four elements at a time; it is documented in dropout.ts. */

// @ts-ignore: decorator
@inline
function mix(z: v128): v128 {
  z = v128.xor(z, i32x4.shr_u(z, 16));
  z = i32x4.mul(z, i32x4.splat(0x7feb352d));
  z = v128.xor(z, i32x4.shr_u(z, 15));
  z = i32x4.mul(z, i32x4.splat(<i32> 0x846ca68b));
  return v128.xor(z, i32x4.shr_u(z, 16));
}

/** All bits set for the elements, of these indices, that are dropped. */
// @ts-ignore: decorator
@inline
export function dropped(index: v128, seed: i32, threshold: u32): v128 {
  const hash = mix(
    v128.xor(mix(i32x4.add(index, i32x4.splat(<i32> 0x9e3779b9))), i32x4.splat(seed)),
  );
  // Unsigned comparison is signed comparison with the highest bits flipped.
  const flip = i32x4.splat(i32.MIN_VALUE);
  return i32x4.lt_s(v128.xor(hash, flip), v128.xor(i32x4.splat(<i32> threshold), flip));
}
