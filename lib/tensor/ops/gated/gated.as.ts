/** CPU kernels of `swiglu` and `geglu`. Memory is padded to whole vectors. */
import { constant, madd, sigmoid4 } from "../../cpu/simd.as";

const ONE: usize = memory.data<f32>([1]);

/** σ(slope (x + cubic x³)). */
// @ts-ignore: decorator
@inline
function opening(x: v128, square: v128, slopes: v128, cubics: v128, one: v128): v128 {
  return sigmoid4(f32x4.mul(f32x4.mul(x, madd(square, cubics, one)), slopes));
}

export function gatedForward(
  gate: usize,
  up: usize,
  y: usize,
  size: usize,
  slope: f32,
  cubic: f32,
): void {
  const one = constant(ONE, 0);
  const slopes = f32x4.splat(slope);
  const cubics = f32x4.splat(cubic);
  for (let at: usize = 0; at < size << 2; at += 16) {
    const x = v128.load(gate + at);
    const open = opening(x, f32x4.mul(x, x), slopes, cubics, one);
    v128.store(y + at, f32x4.mul(f32x4.mul(x, open), v128.load(up + at)));
  }
}

export function gatedBackward(
  gate: usize,
  up: usize,
  dy: usize,
  dGate: usize,
  dUp: usize,
  size: usize,
  slope: f32,
  cubic: f32,
  accumulateGate: bool,
  accumulateUp: bool,
): void {
  const one = constant(ONE, 0);
  const slopes = f32x4.splat(slope);
  const cubics = f32x4.splat(cubic);
  const triple = f32x4.splat(3 * cubic);
  for (let at: usize = 0; at < size << 2; at += 16) {
    const x = v128.load(gate + at);
    const square = f32x4.mul(x, x);
    const open = opening(x, square, slopes, cubics, one);
    const activated = f32x4.mul(x, open);
    // σ + x σ (1 − σ) · d(inner)/dx
    const inner = f32x4.mul(madd(square, triple, one), slopes);
    const derivative = madd(f32x4.mul(activated, f32x4.sub(one, open)), inner, open);
    const upstream = v128.load(dy + at);
    let gateGradient = f32x4.mul(f32x4.mul(upstream, v128.load(up + at)), derivative);
    let upGradient = f32x4.mul(upstream, activated);
    if (accumulateGate) gateGradient = f32x4.add(gateGradient, v128.load(dGate + at));
    if (accumulateUp) upGradient = f32x4.add(upGradient, v128.load(dUp + at));
    v128.store(dGate + at, gateGradient);
    v128.store(dUp + at, upGradient);
  }
}
