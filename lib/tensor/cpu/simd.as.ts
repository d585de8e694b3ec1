/** Vector functions that kernels share. Lanes are f32. */

/** a · b + c, in one rounding where the machine has fused multiply-add. */
// @ts-ignore: decorator
@inline
export function madd(a: v128, b: v128, c: v128): v128 {
  return f32x4.relaxed_madd(a, b, c);
}

/** Sum of the four lanes, always in the same order. */
// @ts-ignore: decorator
@inline
export function sumLanes(v: v128): f32 {
  return (f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1)) +
    (f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3));
}

/** Largest of the four lanes. */
// @ts-ignore: decorator
@inline
export function maxLane(v: v128): f32 {
  return max(
    max(f32x4.extract_lane(v, 0), f32x4.extract_lane(v, 1)),
    max(f32x4.extract_lane(v, 2), f32x4.extract_lane(v, 3)),
  );
}

/**
 * Entry `index` of a table of constants, in all lanes. V8 builds a constant vector in the code with
 * several instructions at each use, but loads one from memory with a single instruction.
 */
// @ts-ignore: decorator
@inline
export function constant(table: usize, index: usize): v128 {
  return v128.load32_splat(table + (index << 2));
}

/** What `exp4` uses, in its order; ln 2 is in two parts, so that r is exact. */
const EXP: usize = memory.data<f32>([
  1,
  -87.3,
  88.3,
  1.44269504088896341,
  -0.693359375,
  2.12194440e-4,
  1.9875691500e-4,
  1.3981999507e-3,
  8.3334519073e-3,
  4.1665795894e-2,
  1.6666665459e-1,
  5.0000001201e-1,
]);

/**
 * e to the x, to about 2 units in the last place. x = n ln 2 + r with |r| ≤ ln 2 / 2; e^r by a polynomial of degree 7;
 * 2^n by the exponent's bits. Below −87.3 it is 0, above 88.3 it is about 2.2e38.
 */
// @ts-ignore: decorator
@inline
export function exp4(x: v128): v128 {
  const one = constant(EXP, 0), least = constant(EXP, 1);
  // In this order NaN stays NaN.
  const bounded = f32x4.pmax(f32x4.pmin(x, constant(EXP, 2)), least);
  const n = f32x4.nearest(f32x4.mul(bounded, constant(EXP, 3)));
  let r = madd(n, constant(EXP, 4), bounded);
  r = madd(n, constant(EXP, 5), r);
  let p = constant(EXP, 6);
  p = madd(p, r, constant(EXP, 7));
  p = madd(p, r, constant(EXP, 8));
  p = madd(p, r, constant(EXP, 9));
  p = madd(p, r, constant(EXP, 10));
  p = madd(p, r, constant(EXP, 11));
  p = madd(p, f32x4.mul(r, r), f32x4.add(r, one));
  // The exponent of 1 is that of 2^0.
  const power = i32x4.add(i32x4.shl(i32x4.relaxed_trunc_f32x4_s(n), 23), one);
  return v128.andnot(f32x4.mul(p, power), f32x4.lt(x, least));
}

/** σ(x) = 1 / (1 + e^−x). */
// @ts-ignore: decorator
@inline
export function sigmoid4(x: v128): v128 {
  const one = constant(EXP, 0);
  return f32x4.div(one, f32x4.add(one, exp4(f32x4.neg(x))));
}
