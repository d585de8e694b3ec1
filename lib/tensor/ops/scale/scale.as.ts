/** CPU kernel of `scale`: y = accumulate * y + factor * x. Memory is padded to whole vectors. */
export function scale(x: usize, y: usize, size: usize, factor: f32, accumulate: bool): void {
  const factors = f32x4.splat(factor);
  for (let at: usize = 0; at < size << 2; at += 16) {
    let value = f32x4.mul(v128.load(x + at), factors);
    if (accumulate) value = f32x4.add(v128.load(y + at), value);
    v128.store(y + at, value);
  }
}
