/**
 * CPU kernels of `rmsNorm`. Rows are dense, so widths that are not a multiple of 4 end in scalar
 * code.
 */
import { madd, sumLanes } from "../../cpu/simd.as";

export function rmsNormForward(
  x: usize,
  weight: usize,
  y: usize,
  inverses: usize,
  rows: i32,
  width: usize,
  epsilon: f32,
  offset: f32,
): void {
  const bytes = width << 2;
  const whole = bytes & ~15;
  const offsets = f32x4.splat(offset);
  for (let row = 0; row < rows; row++) {
    let squares = f32x4.splat(0);
    for (let at: usize = 0; at < whole; at += 16) {
      const value = v128.load(x + at);
      squares = madd(value, value, squares);
    }
    let square = sumLanes(squares);
    for (let at = whole; at < bytes; at += 4) {
      const value = load<f32>(x + at);
      square += value * value;
    }
    const inverse: f32 = 1 / sqrt<f32>(square / <f32> width + epsilon);
    store<f32>(inverses, inverse);

    const scales = f32x4.splat(inverse);
    for (let at: usize = 0; at < whole; at += 16) {
      const normal = f32x4.mul(v128.load(x + at), scales);
      v128.store(y + at, f32x4.mul(normal, f32x4.add(v128.load(weight + at), offsets)));
    }
    for (let at = whole; at < bytes; at += 4) {
      store<f32>(y + at, load<f32>(x + at) * inverse * (load<f32>(weight + at) + offset));
    }
    x += bytes;
    y += bytes;
    inverses += 4;
  }
}

/** dx = inverse · (g − n · mean(g · n)), with g = dy · (offset + weight) and n the normalised x. */
export function rmsNormBackwardInput(
  x: usize,
  weight: usize,
  inverses: usize,
  dy: usize,
  dx: usize,
  rows: i32,
  width: usize,
  offset: f32,
  accumulate: bool,
): void {
  const bytes = width << 2;
  const whole = bytes & ~15;
  const offsets = f32x4.splat(offset);
  for (let row = 0; row < rows; row++) {
    const inverse = load<f32>(inverses);
    const scales = f32x4.splat(inverse);
    let products = f32x4.splat(0);
    for (let at: usize = 0; at < whole; at += 16) {
      const g = f32x4.mul(v128.load(dy + at), f32x4.add(v128.load(weight + at), offsets));
      products = madd(g, f32x4.mul(v128.load(x + at), scales), products);
    }
    let product = sumLanes(products);
    for (let at = whole; at < bytes; at += 4) {
      const g = load<f32>(dy + at) * (load<f32>(weight + at) + offset);
      product += g * load<f32>(x + at) * inverse;
    }
    const mean = product / <f32> width;
    const minusMeans = f32x4.splat(-mean);
    for (let at: usize = 0; at < whole; at += 16) {
      const g = f32x4.mul(v128.load(dy + at), f32x4.add(v128.load(weight + at), offsets));
      const normal = f32x4.mul(v128.load(x + at), scales);
      let value = f32x4.mul(madd(normal, minusMeans, g), scales);
      if (accumulate) value = f32x4.add(value, v128.load(dx + at));
      v128.store(dx + at, value);
    }
    for (let at = whole; at < bytes; at += 4) {
      const g = load<f32>(dy + at) * (load<f32>(weight + at) + offset);
      let value = (g - load<f32>(x + at) * inverse * mean) * inverse;
      if (accumulate) value += load<f32>(dx + at);
      store<f32>(dx + at, value);
    }
    x += bytes;
    dy += bytes;
    dx += bytes;
    inverses += 4;
  }
}

/** Adds dy · n of each row to dWeight. Columns are padded to whole vectors. */
export function rmsNormBackwardWeight(
  x: usize,
  inverses: usize,
  dy: usize,
  dWeight: usize,
  rows: i32,
  columns: usize,
): void {
  const bytes = columns << 2;
  for (let row = 0; row < rows; row++) {
    const scales = f32x4.splat(load<f32>(inverses));
    for (let at: usize = 0; at < bytes; at += 16) {
      const normal = f32x4.mul(v128.load(x + at), scales);
      v128.store(dWeight + at, madd(v128.load(dy + at), normal, v128.load(dWeight + at)));
    }
    x += bytes;
    dy += bytes;
    inverses += 4;
  }
}
