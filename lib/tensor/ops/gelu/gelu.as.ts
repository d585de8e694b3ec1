/** CPU kernels of `gelu`. ½ (1 + tanh u) = σ(2u), so one exponential does. Memory is padded to whole vectors. */
import { constant, madd, sigmoid4 } from "../../cpu/simd.as";

/** 2u = slope (x + cubic x³) with slope = 2 √(2/π): 1, slope, cubic and thrice cubic. */
const TABLE: usize = memory.data<f32>([1, 1.5957691216057308, 0.044715, 0.134145]);

export function geluForward(x: usize, y: usize, size: usize): void {
  const one = constant(TABLE, 0), slope = constant(TABLE, 1), cubic = constant(TABLE, 2);
  for (let at: usize = 0; at < size << 2; at += 16) {
    const value = v128.load(x + at);
    const square = f32x4.mul(value, value);
    const open = sigmoid4(f32x4.mul(f32x4.mul(value, madd(square, cubic, one)), slope));
    v128.store(y + at, f32x4.mul(value, open));
  }
}

export function geluBackward(x: usize, dy: usize, dx: usize, size: usize, accumulate: bool): void {
  const one = constant(TABLE, 0), slope = constant(TABLE, 1), cubic = constant(TABLE, 2);
  const triple = constant(TABLE, 3);
  for (let at: usize = 0; at < size << 2; at += 16) {
    const value = v128.load(x + at);
    const square = f32x4.mul(value, value);
    const open = sigmoid4(f32x4.mul(f32x4.mul(value, madd(square, cubic, one)), slope));
    // σ + x σ (1 − σ) · d(2u)/dx
    const inner = f32x4.mul(madd(square, triple, one), slope);
    const derivative = madd(f32x4.mul(f32x4.mul(value, open), f32x4.sub(one, open)), inner, open);
    let gradient = f32x4.mul(v128.load(dy + at), derivative);
    if (accumulate) gradient = f32x4.add(gradient, v128.load(dx + at));
    v128.store(dx + at, gradient);
  }
}
