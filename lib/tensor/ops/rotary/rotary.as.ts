/** CPU kernel of `rotary`: elements i and i + headDim / 2 of each head, turned by their row's angle. */
export function rotary(
  x: usize,
  angles: usize,
  y: usize,
  rows: i32,
  heads: i32,
  headDim: usize,
  direction: f32,
  accumulate: bool,
): void {
  const half = headDim << 1; // bytes
  const whole = half & ~15;
  const directions = f32x4.splat(direction);
  for (let row = 0; row < rows; row++) {
    for (let head = 0; head < heads; head++) {
      for (let at: usize = 0; at < whole; at += 16) {
        const cosine = v128.load(angles + at);
        const sine = f32x4.mul(v128.load(angles + half + at), directions);
        const a = v128.load(x + at);
        const b = v128.load(x + half + at);
        let first = f32x4.sub(f32x4.mul(a, cosine), f32x4.mul(b, sine));
        let second = f32x4.add(f32x4.mul(b, cosine), f32x4.mul(a, sine));
        if (accumulate) {
          first = f32x4.add(first, v128.load(y + at));
          second = f32x4.add(second, v128.load(y + half + at));
        }
        v128.store(y + at, first);
        v128.store(y + half + at, second);
      }
      for (let at = whole; at < half; at += 4) {
        const cosine = load<f32>(angles + at);
        const sine = load<f32>(angles + half + at) * direction;
        const a = load<f32>(x + at);
        const b = load<f32>(x + half + at);
        let first = a * cosine - b * sine;
        let second = b * cosine + a * sine;
        if (accumulate) {
          first += load<f32>(y + at);
          second += load<f32>(y + half + at);
        }
        store<f32>(y + at, first);
        store<f32>(y + half + at, second);
      }
      x += headDim << 2;
      y += headDim << 2;
    }
    angles += headDim << 2;
  }
}
