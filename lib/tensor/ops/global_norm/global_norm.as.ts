/** CPU kernel of `globalNorm`: the sum of squares of a block. The memory after the block is zero up to 16 floats. */
import { madd, sumLanes } from "../../cpu/simd.as";

export function sumOfSquares(x: usize, size: usize): f32 {
  // Four chains, since one would wait for each addition.
  let a = f32x4.splat(0), b = f32x4.splat(0), c = f32x4.splat(0), d = f32x4.splat(0);
  for (let at: usize = 0; at < size << 2; at += 64) {
    const x0 = v128.load(x + at);
    const x1 = v128.load(x + at, 16);
    const x2 = v128.load(x + at, 32);
    const x3 = v128.load(x + at, 48);
    a = madd(x0, x0, a);
    b = madd(x1, x1, b);
    c = madd(x2, x2, c);
    d = madd(x3, x3, d);
  }
  return sumLanes(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)));
}
