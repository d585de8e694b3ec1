/**
 * Functions of formulas on vectors of four, right for all numbers: overflow, zero, negative, infinite and NaN. (The fused
 * kernels use those of `simd.as.ts`, which need not be.)
 */
import { constant, madd } from "../cpu/simd.as";

const EXP: usize = memory.data<f32>([
  1,
  -104,
  89,
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

/** 2 to the n, for whole n from −126 to 127. */
// @ts-ignore: decorator
@inline
function power2(n: v128): v128 {
  return i32x4.add(i32x4.shl(n, 23), constant(EXP, 0));
}

/** e to the x, to about 2 units in the last place, as `exp4`; 2^n in two factors reaches infinity and below 1e-38. */
export function exp(x: v128): v128 {
  const bounded = f32x4.pmax(f32x4.pmin(x, constant(EXP, 2)), constant(EXP, 1));
  const n = f32x4.nearest(f32x4.mul(bounded, constant(EXP, 3)));
  let r = madd(n, constant(EXP, 4), bounded);
  r = madd(n, constant(EXP, 5), r);
  let p = constant(EXP, 6);
  p = madd(p, r, constant(EXP, 7));
  p = madd(p, r, constant(EXP, 8));
  p = madd(p, r, constant(EXP, 9));
  p = madd(p, r, constant(EXP, 10));
  p = madd(p, r, constant(EXP, 11));
  p = madd(p, f32x4.mul(r, r), f32x4.add(r, constant(EXP, 0)));
  const whole = i32x4.trunc_sat_f32x4_s(n);
  const half = i32x4.shr_s(whole, 1);
  return f32x4.mul(f32x4.mul(p, power2(half)), power2(i32x4.sub(whole, half)));
}

const LOG: usize = memory.data<f32>([
  1,
  1.17549435e-38, // the least number with all its digits
  8388608, // 2^23
  0.70710678118654752,
  7.0376836292e-2,
  -1.1514610310e-1,
  1.1676998740e-1,
  -1.2420140846e-1,
  1.4249322787e-1,
  -1.6668057665e-1,
  2.0000714765e-1,
  -2.4999993993e-1,
  3.3333331174e-1,
  -2.12194440e-4,
  -0.5,
  0.693359375,
  Infinity,
  -Infinity,
  NaN,
  23,
  0.5,
]);

/** The natural logarithm (Cephes): x = m 2^e with m from √½ to √2, and a polynomial of degree 8 for log m. */
export function log(x: v128): v128 {
  const one = constant(LOG, 0);
  const zero = f32x4.splat(0);
  const small = f32x4.lt(x, constant(LOG, 1));
  const scaled = v128.bitselect(f32x4.mul(x, constant(LOG, 2)), x, small);
  let e = f32x4.convert_i32x4_s(i32x4.sub(i32x4.shr_u(scaled, 23), i32x4.splat(126)));
  e = f32x4.sub(e, v128.and(small, constant(LOG, 19)));
  let m = v128.or(v128.and(scaled, i32x4.splat(0x007fffff)), constant(LOG, 20));
  const low = f32x4.lt(m, constant(LOG, 3));
  e = f32x4.sub(e, v128.and(low, one));
  m = f32x4.sub(f32x4.add(m, v128.and(low, m)), one);
  const square = f32x4.mul(m, m);
  let p = constant(LOG, 4);
  p = madd(p, m, constant(LOG, 5));
  p = madd(p, m, constant(LOG, 6));
  p = madd(p, m, constant(LOG, 7));
  p = madd(p, m, constant(LOG, 8));
  p = madd(p, m, constant(LOG, 9));
  p = madd(p, m, constant(LOG, 10));
  p = madd(p, m, constant(LOG, 11));
  p = madd(p, m, constant(LOG, 12));
  p = f32x4.mul(f32x4.mul(p, m), square);
  p = madd(e, constant(LOG, 13), p);
  p = madd(square, constant(LOG, 14), p);
  let y = madd(e, constant(LOG, 15), f32x4.add(m, p));
  y = v128.bitselect(x, y, f32x4.eq(x, constant(LOG, 16)));
  y = v128.bitselect(constant(LOG, 17), y, f32x4.eq(x, zero));
  y = v128.bitselect(constant(LOG, 18), y, f32x4.lt(x, zero));
  return v128.bitselect(x, y, f32x4.ne(x, x));
}

/** σ(x) = 1 / (1 + e^−x). */
export function sigmoid(x: v128): v128 {
  const one = constant(EXP, 0);
  return f32x4.div(one, f32x4.add(one, exp(f32x4.neg(x))));
}

const TANH: usize = memory.data<f32>([
  1,
  0.625,
  -5.70498872745e-3,
  2.06390887954e-2,
  -5.37397155531e-2,
  1.33314422036e-1,
  -3.33332819422e-1,
  -2,
]);

/** The hyperbolic tangent (Cephes): near 0 a series, since 1 − e^−2x would lose digits there. */
export function tanh(x: v128): v128 {
  const one = constant(TANH, 0);
  const size = f32x4.abs(x);
  const square = f32x4.mul(x, x);
  let p = constant(TANH, 2);
  p = madd(p, square, constant(TANH, 3));
  p = madd(p, square, constant(TANH, 4));
  p = madd(p, square, constant(TANH, 5));
  p = madd(p, square, constant(TANH, 6));
  const near = madd(f32x4.mul(p, square), x, x);
  const less = exp(f32x4.mul(size, constant(TANH, 7)));
  const far = f32x4.div(f32x4.sub(one, less), f32x4.add(one, less));
  const signed = v128.bitselect(x, far, i32x4.splat(<i32> 0x80000000));
  return v128.bitselect(near, signed, f32x4.lt(size, constant(TANH, 1)));
}

const ERF: usize = memory.data<f32>([
  4,
  -4,
  -2.72614225801306e-10,
  2.77068142495902e-8,
  -2.10102402082508e-6,
  -5.69250639462346e-5,
  -7.34990630326855e-4,
  -2.95459980854025e-3,
  -1.60960333262415e-2,
  -1.45660718464996e-5,
  -2.13374055278905e-4,
  -1.68282697438203e-3,
  -7.37332916720468e-3,
  -1.42647390514189e-2,
]);

/** The error function, a quotient of polynomials (Eigen): it is ±1 to float32 beyond 4. */
export function erf(x: v128): v128 {
  const z = f32x4.max(f32x4.min(x, constant(ERF, 0)), constant(ERF, 1));
  const square = f32x4.mul(z, z);
  let p = constant(ERF, 2);
  p = madd(p, square, constant(ERF, 3));
  p = madd(p, square, constant(ERF, 4));
  p = madd(p, square, constant(ERF, 5));
  p = madd(p, square, constant(ERF, 6));
  p = madd(p, square, constant(ERF, 7));
  p = madd(p, square, constant(ERF, 8));
  let q = constant(ERF, 9);
  q = madd(q, square, constant(ERF, 10));
  q = madd(q, square, constant(ERF, 11));
  q = madd(q, square, constant(ERF, 12));
  q = madd(q, square, constant(ERF, 13));
  return f32x4.div(f32x4.mul(z, p), q);
}

/** Which lanes are NaN. */
// @ts-ignore: decorator
@inline
export function isNaN(x: v128): v128 {
  return f32x4.ne(x, x);
}

/** a to the b: as in C, 1 for any power of 1 and for an infinite one of −1. */
export function pow(a: v128, b: v128): v128 {
  const one = constant(LOG, 0);
  const endless = v128.and(
    f32x4.eq(f32x4.abs(a), one),
    f32x4.eq(f32x4.abs(b), constant(LOG, 16)),
  );
  return v128.bitselect(one, powOfLanes(a, b), v128.or(f32x4.eq(a, one), endless));
}

/** Lane by lane: AssemblyScript's, which is musl's, but NaN in these cases. */
function powOfLanes(a: v128, b: v128): v128 {
  let y = f32x4.splat(Mathf.pow(f32x4.extract_lane(a, 0), f32x4.extract_lane(b, 0)));
  y = f32x4.replace_lane(y, 1, Mathf.pow(f32x4.extract_lane(a, 1), f32x4.extract_lane(b, 1)));
  y = f32x4.replace_lane(y, 2, Mathf.pow(f32x4.extract_lane(a, 2), f32x4.extract_lane(b, 2)));
  return f32x4.replace_lane(y, 3, Mathf.pow(f32x4.extract_lane(a, 3), f32x4.extract_lane(b, 3)));
}
