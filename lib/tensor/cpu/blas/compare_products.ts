/**
 * Compares a BLAS with our own products in WebAssembly: an old library can be wrong on a processor that is newer than it.
 *
 * @module
 */

import { Random } from "../../../random.ts";
import { matmul } from "../../ops/matmul/matmul.cpu.ts";
import { Barrier } from "../barrier.ts";
import { Context } from "../context.ts";
import type { Blas } from "./blas.ts";

/**
 * (m, n, k): vectors, all sorts of remainders, small ones for which libraries have kernels of their own, and ones that
 * are longer in each direction than the blocks into which libraries divide a product.
 */
const SHAPES: readonly (readonly [number, number, number])[] = [
  [1, 1, 1],
  [1, 64, 48],
  [1, 700, 801],
  [2, 33, 100],
  [3, 7, 5],
  [8, 8, 8],
  [13, 31, 17],
  [16, 48, 1],
  [33, 65, 129],
  [64, 64, 64],
  [100, 257, 130],
  [120, 96, 1030],
  [1601, 40, 50],
  [40, 50, 2100],
  [24, 12000, 40],
];

/** Threads of a device, one after another: each multiplies its own rows or columns of a larger matrix. */
const THREADS = 2;

/** Floats after each row of c and before its first, which a product must leave as they are. */
const GAP = 3;
const UNTOUCHED = 12345;
const OFFSETS = { aOffset: 2, bOffset: 1, biasOffset: 0, cOffset: GAP };

/**
 * Multiplies as our kernels do, transposed and not, into zeros and onto sums, with a BLAS and with WebAssembly.
 *
 * @param blas The library.
 * @param wasm Our kernels, `kernels.wasm` compiled.
 * @returns The first product that is wrong, in words; undefined where all are right.
 */
export function findWrongProduct(blas: Blas, wasm: WebAssembly.Module): string | undefined {
  const barrier = new Barrier(new SharedArrayBuffer(16), 1);
  const contexts = (library?: Blas) =>
    Array.from(
      { length: THREADS },
      (_, thread) => new Context(thread, THREADS, barrier, library, wasm),
    );
  const [theirs, ours] = [contexts(blas), contexts()];
  const random = new Random(1);
  for (const [m, n, k] of SHAPES) {
    const a = uniform(random, m * k + OFFSETS.aOffset);
    const b = uniform(random, k * n + OFFSETS.bOffset), bias = uniform(random, n);
    for (const variant of VARIANTS) {
      const cStride = n + GAP;
      // A product that is not added to anything must not look at what is there: memory is used again.
      const fill = variant.accumulate ? 0.5 : NaN;
      const before = new Float32Array(GAP + m * cStride).fill(UNTOUCHED);
      for (let row = 0; row < m; row++) {
        before.fill(fill, GAP + row * cStride, GAP + row * cStride + n);
      }
      const product = (threads: readonly Context[]) => {
        const c = before.slice();
        const params = { m, n, k, ...variant, ...OFFSETS, cStride };
        for (const context of threads) {
          context.reset();
          matmul.run(context, { a, b, bias, c }, params);
        }
        return c;
      };
      const error = largestDifference(product(theirs), product(ours));
      // A sum of k products of numbers below 1, in any order, in 24 bits.
      if (error <= (k + 4) * 2 ** -22) continue;
      const { transposeA, transposeB } = variant;
      const left = transposeA ? `(${k}, ${m})ᵀ` : `(${m}, ${k})`;
      const right = transposeB ? `(${n}, ${k})ᵀ` : `(${k}, ${n})`;
      const off = error === Infinity ? "is not a number" : `is off by ${error.toPrecision(2)}`;
      return `${left} · ${right} ${off}`;
    }
  }
}

const VARIANTS = [0, 1].flatMap((transposeA) =>
  [0, 1].flatMap((transposeB) =>
    [[0, 0], [1, 0], [0, 1]].map(([accumulate, hasBias]) => (
      { transposeA, transposeB, accumulate, hasBias }
    ))
  )
);

function uniform(random: Random, length: number): Float32Array {
  return Float32Array.from({ length }, () => 2 * random.float() - 1);
}

/** Infinity where one of them is not a number. */
function largestDifference(x: Float32Array, y: Float32Array): number {
  let largest = 0;
  for (let i = 0; i < x.length; i++) {
    const difference = Math.abs(x[i] - y[i]);
    if (!(difference <= largest)) largest = Number.isNaN(difference) ? Infinity : difference;
  }
  return largest;
}
