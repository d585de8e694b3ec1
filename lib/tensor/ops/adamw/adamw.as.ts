/** CPU kernel of `adamw`. Memory is padded to whole vectors. */
import { madd } from "../../cpu/simd.as";

export function adamw(
  parameter: usize,
  gradient: usize,
  mean: usize,
  variance: usize,
  size: usize,
  gradientScale: f32,
  decay: f32,
  rate1: f32,
  beta2: f32,
  rate2: f32,
  stepSize: f32,
  rootCorrection2: f32,
  epsilon: f32,
): void {
  const scales = f32x4.splat(gradientScale);
  const keep = f32x4.splat(1 - decay);
  const rates1 = f32x4.splat(rate1);
  const keep2 = f32x4.splat(beta2);
  const rates2 = f32x4.splat(rate2);
  const steps = f32x4.splat(-stepSize);
  const roots = f32x4.splat(rootCorrection2);
  const epsilons = f32x4.splat(epsilon);
  for (let at: usize = 0; at < size << 2; at += 16) {
    const g = f32x4.mul(v128.load(gradient + at), scales);
    const m0 = v128.load(mean + at);
    const m = madd(f32x4.sub(g, m0), rates1, m0);
    const v = madd(f32x4.mul(g, g), rates2, f32x4.mul(v128.load(variance + at), keep2));
    const denominator = f32x4.add(f32x4.div(f32x4.sqrt(v), roots), epsilons);
    const p = f32x4.mul(v128.load(parameter + at), keep);
    v128.store(mean + at, m);
    v128.store(variance + at, v);
    v128.store(parameter + at, madd(f32x4.div(m, denominator), steps, p));
  }
}
