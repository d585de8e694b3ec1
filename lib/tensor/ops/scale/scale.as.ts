/** CPU kernel of `scale`: y = accumulate * y + factor * x over `size` floats. */
export function scale(x: usize, y: usize, size: i32, factor: f32, accumulate: bool): void {
  const factors = f32x4.splat(factor);
  let i = 0;
  for (; i + 4 <= size; i += 4) {
    const at = <usize> i << 2;
    let value = f32x4.mul(v128.load(x + at), factors);
    if (accumulate) value = f32x4.add(v128.load(y + at), value);
    v128.store(y + at, value);
  }
  for (; i < size; i++) {
    const at = <usize> i << 2;
    let value = load<f32>(x + at) * factor;
    if (accumulate) value = load<f32>(y + at) + value;
    store<f32>(y + at, value);
  }
}
