/** CPU kernels of `gelu`. ½ (1 + tanh u) = σ(2u), so one exponential does. Memory is padded to whole vectors. */
import { exp4, madd } from "../../cpu/simd.as";

/** 2 √(2/π) */
const SLOPE: f32 = 1.5957691216057308;
const CUBIC: f32 = 0.044715;

/** σ(2u) with 2u = SLOPE (x + CUBIC x³). */
// @ts-ignore: decorator
@inline
function gate(x: v128, square: v128): v128 {
  const inner = f32x4.mul(x, madd(square, f32x4.splat(CUBIC), f32x4.splat(1)));
  const one = f32x4.splat(1);
  return f32x4.div(one, f32x4.add(one, exp4(f32x4.mul(inner, f32x4.splat(-SLOPE)))));
}

export function geluForward(x: usize, y: usize, size: usize): void {
  for (let at: usize = 0; at < size << 2; at += 16) {
    const value = v128.load(x + at);
    v128.store(y + at, f32x4.mul(value, gate(value, f32x4.mul(value, value))));
  }
}

export function geluBackward(x: usize, dy: usize, dx: usize, size: usize, accumulate: bool): void {
  const one = f32x4.splat(1);
  for (let at: usize = 0; at < size << 2; at += 16) {
    const value = v128.load(x + at);
    const square = f32x4.mul(value, value);
    const open = gate(value, square);
    // σ + x σ (1 − σ) · d(2u)/dx
    const inner = f32x4.mul(madd(square, f32x4.splat(3 * CUBIC), one), f32x4.splat(SLOPE));
    const slope = madd(f32x4.mul(f32x4.mul(value, open), f32x4.sub(one, open)), inner, open);
    let gradient = f32x4.mul(v128.load(dy + at), slope);
    if (accumulate) gradient = f32x4.add(gradient, v128.load(dx + at));
    v128.store(dx + at, gradient);
  }
}
