/**
 * CPU kernels of `layerNorm`. Rows are dense, so widths that are not a multiple of 4 end in scalar
 * code.
 */
import { madd, sumLanes } from "../../cpu/simd.as";

export function layerNormForward(
  x: usize,
  weight: usize,
  bias: usize,
  y: usize,
  statistics: usize,
  rows: i32,
  width: usize,
  epsilon: f32,
): void {
  const bytes = width << 2;
  const whole = bytes & ~15;
  for (let row = 0; row < rows; row++) {
    let sums = f32x4.splat(0);
    for (let at: usize = 0; at < whole; at += 16) sums = f32x4.add(sums, v128.load(x + at));
    let sum = sumLanes(sums);
    for (let at = whole; at < bytes; at += 4) sum += load<f32>(x + at);
    const mean = sum / <f32> width;

    const means = f32x4.splat(mean);
    let squares = f32x4.splat(0);
    for (let at: usize = 0; at < whole; at += 16) {
      const centered = f32x4.sub(v128.load(x + at), means);
      squares = madd(centered, centered, squares);
    }
    let square = sumLanes(squares);
    for (let at = whole; at < bytes; at += 4) {
      const centered = load<f32>(x + at) - mean;
      square += centered * centered;
    }
    const inverse: f32 = 1 / sqrt<f32>(square / <f32> width + epsilon);
    store<f32>(statistics, mean);
    store<f32>(statistics + 4, inverse);

    const inverses = f32x4.splat(inverse);
    for (let at: usize = 0; at < whole; at += 16) {
      const normal = f32x4.mul(f32x4.sub(v128.load(x + at), means), inverses);
      v128.store(y + at, madd(normal, v128.load(weight + at), v128.load(bias + at)));
    }
    for (let at = whole; at < bytes; at += 4) {
      const normal = (load<f32>(x + at) - mean) * inverse;
      store<f32>(y + at, normal * load<f32>(weight + at) + load<f32>(bias + at));
    }
    x += bytes;
    y += bytes;
    statistics += 8;
  }
}

/** dx = inverse · (g − mean(g) − n · mean(g · n)), with g = dy · weight and n the normalised x. */
export function layerNormBackwardInput(
  x: usize,
  weight: usize,
  statistics: usize,
  dy: usize,
  dx: usize,
  rows: i32,
  width: usize,
  accumulate: bool,
): void {
  const bytes = width << 2;
  const whole = bytes & ~15;
  for (let row = 0; row < rows; row++) {
    const mean = load<f32>(statistics);
    const inverse = load<f32>(statistics + 4);
    const means = f32x4.splat(mean);
    const inverses = f32x4.splat(inverse);
    let sums = f32x4.splat(0);
    let products = f32x4.splat(0);
    for (let at: usize = 0; at < whole; at += 16) {
      const g = f32x4.mul(v128.load(dy + at), v128.load(weight + at));
      const normal = f32x4.mul(f32x4.sub(v128.load(x + at), means), inverses);
      sums = f32x4.add(sums, g);
      products = madd(g, normal, products);
    }
    let sum = sumLanes(sums);
    let product = sumLanes(products);
    for (let at = whole; at < bytes; at += 4) {
      const g = load<f32>(dy + at) * load<f32>(weight + at);
      sum += g;
      product += g * (load<f32>(x + at) - mean) * inverse;
    }
    const meanOfG = sum / <f32> width;
    const meanOfProduct = product / <f32> width;
    const meansOfG = f32x4.splat(meanOfG);
    const minusMeansOfProduct = f32x4.splat(-meanOfProduct);
    for (let at: usize = 0; at < whole; at += 16) {
      const g = f32x4.mul(v128.load(dy + at), v128.load(weight + at));
      const normal = f32x4.mul(f32x4.sub(v128.load(x + at), means), inverses);
      let value = f32x4.mul(
        madd(normal, minusMeansOfProduct, f32x4.sub(g, meansOfG)),
        inverses,
      );
      if (accumulate) value = f32x4.add(value, v128.load(dx + at));
      v128.store(dx + at, value);
    }
    for (let at = whole; at < bytes; at += 4) {
      const g = load<f32>(dy + at) * load<f32>(weight + at);
      const normal = (load<f32>(x + at) - mean) * inverse;
      let value = (g - meanOfG - normal * meanOfProduct) * inverse;
      if (accumulate) value += load<f32>(dx + at);
      store<f32>(dx + at, value);
    }
    x += bytes;
    dy += bytes;
    dx += bytes;
    statistics += 8;
  }
}

/** Adds dy · n and dy of each row to dWeight and dBias. Columns are padded to whole vectors. */
export function layerNormBackwardWeights(
  x: usize,
  statistics: usize,
  dy: usize,
  dWeight: usize,
  dBias: usize,
  rows: i32,
  columns: usize,
): void {
  const bytes = columns << 2;
  for (let row = 0; row < rows; row++) {
    const means = f32x4.splat(load<f32>(statistics));
    const inverses = f32x4.splat(load<f32>(statistics + 4));
    for (let at: usize = 0; at < bytes; at += 16) {
      const upstream = v128.load(dy + at);
      const normal = f32x4.mul(f32x4.sub(v128.load(x + at), means), inverses);
      v128.store(dWeight + at, madd(upstream, normal, v128.load(dWeight + at)));
      v128.store(dBias + at, f32x4.add(v128.load(dBias + at), upstream));
    }
    x += bytes;
    dy += bytes;
    statistics += 8;
  }
}
