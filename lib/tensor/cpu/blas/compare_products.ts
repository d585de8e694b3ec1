/**
 * Compares a BLAS with our own products in WebAssembly: an old library can be wrong on a processor that is newer than it.
 * What is not a number must stay so, and the same product must give the same bits twice.
 *
 * @module
 */

import { Random } from "../../../random.ts";
import { matmul } from "../../ops/matmul/matmul.cpu.ts";
import { Barrier } from "../barrier.ts";
import { Context } from "../context.ts";
import type { Bfloat16Products, Blas } from "./blas.ts";

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
 * Multiplies as our kernels do, transposed and not, into zeros and onto sums, with a BLAS and with WebAssembly. For products
 * in bfloat16 the numbers have no more digits than that.
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
  const uniform = (length: number) => {
    const numbers = Float32Array.from({ length }, () => 2 * random.float() - 1);
    return blas.bfloat16 ? withoutLowerHalves(numbers) : numbers;
  };
  if (blas.copy && !copiesBits(blas.copy, random)) return "a copy of numbers has other bits";
  if (blas.bfloat16 && !roundsToNearest(blas.bfloat16.narrow, random)) {
    return "it is rounded otherwise";
  }
  for (const [m, n, k] of SHAPES) {
    const a = uniform(m * k + OFFSETS.aOffset);
    const b = uniform(k * n + OFFSETS.bOffset), bias = uniform(n);
    for (const variant of VARIANTS) {
      const product = { m, n, k, a, b, bias, ...variant };
      const error = largestDifference(multiply(theirs, product), multiply(ours, product));
      // A sum of k products of numbers below 1, in any order, in 24 bits.
      if (error <= (k + 4) * 2 ** -22) continue;
      const off = error === Infinity ? "is not a number" : `is off by ${error.toPrecision(2)}`;
      return `${describe(product)} ${off}`;
    }
  }
  for (const [m, n, k] of SPECIAL_SHAPES) {
    const a = uniform(m * k + OFFSETS.aOffset);
    const b = uniform(k * n + OFFSETS.bOffset), bias = uniform(n);
    for (const variant of VARIANTS) {
      const product = { m, n, k, a, b, bias, ...variant };
      const special = { ...product, ...withSpecialValues(product) };
      if (largestDifference(multiply(theirs, special), multiply(ours, special)) === Infinity) {
        return `${describe(product)} loses what is not a number or infinite`;
      }
      if (variant.accumulate || variant.hasBias) continue;
      const first = multiply(theirs, product);
      for (const shift of SHIFTS) {
        const again = multiply(theirs, { ...product, a: shifted(a, shift), b: shifted(b, shift) });
        if (!again.every((value, i) => Object.is(value, first[i]))) {
          return `${describe(product)} is not the same twice`;
        }
      }
    }
  }
}

/** Whether floats are copied that are not numbers, or are the bits of integers, and nothing beside them changes. */
function copiesBits(copy: NonNullable<Blas["copy"]>, random: Random): boolean {
  return [1, 2049, 16_403].every((length) => {
    const bits = Uint32Array.from({ length: length + 2 * GAP }, () => random.uint32());
    const source = new Float32Array(bits.buffer).subarray(GAP, GAP + length);
    const target = new Uint32Array(bits.length).fill(UNTOUCHED);
    copy(source, new Float32Array(target.buffer).subarray(GAP, GAP + length));
    return target.every((value, i) =>
      value === (i >= GAP && i < GAP + length ? bits[i] : UNTOUCHED)
    );
  });
}

/** Whether rows of a wider matrix are rounded to the nearest bfloat16, ties to even, and what is not a number stays so. */
function roundsToNearest(narrow: Bfloat16Products["narrow"], random: Random): boolean {
  const tie = 0x3f808000; // 1 + 2⁻⁸, between two of bfloat16
  return [[1, 5, 5], [3, 17, 20], [40, 130, 130]].every(([rows, columns, stride]) => {
    const bits = Uint32Array.from({ length: rows * stride }, () => random.uint32());
    bits.set([0x7fc00000, 0x7f800000, tie, tie + 0x10000, tie + 1]);
    const rounded = new Uint16Array(rows * columns);
    narrow(new Float32Array(bits.buffer), stride, rows, columns, rounded);
    return rounded.every((value, i) => {
      const from = bits[Math.floor(i / columns) * stride + i % columns];
      const [exponent, mantissa] = [from & 0x7f800000, from & 0x7fffff];
      if (exponent === 0x7f800000 && mantissa !== 0) return (value & 0x7fff) > 0x7f80;
      // Processors take numbers below the normal ones as zeros, or do not.
      if (exponent === 0 && (value & 0x7fff) === 0) return true;
      return value === ((from + 0x7fff + (from >>> 16 & 1)) >>> 16);
    });
  });
}

/** (m, n, k) of products of values that are not finite, and of ones that are computed again. */
const SPECIAL_SHAPES = [[1, 70, 90], [9, 33, 40], [100, 130, 257]] as const;

/** How many floats further matrices begin when they are multiplied again: memory begins at multiples of 16 bytes. */
const SHIFTS = [0, 4, 8, 12];

interface Product {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly a: Float32Array;
  readonly b: Float32Array;
  readonly bias: Float32Array;
  readonly transposeA: number;
  readonly transposeB: number;
  readonly accumulate: number;
  readonly hasBias: number;
}

/** Multiplies as threads of a device do. */
function multiply(threads: readonly Context[], { a, b, bias, ...shape }: Product): Float32Array {
  const { m, n, accumulate } = shape;
  const cStride = n + GAP;
  // A product that is not added to anything must not look at what is there: memory is used again.
  const fill = accumulate ? 0.5 : NaN;
  const c = new Float32Array(GAP + m * cStride).fill(UNTOUCHED);
  for (let row = 0; row < m; row++) {
    c.fill(fill, GAP + row * cStride, GAP + row * cStride + n);
  }
  for (const context of threads) {
    context.reset();
    matmul.run(context, { a, b, bias, c }, { ...shape, ...OFFSETS, cStride });
  }
  return c;
}

/** A NaN in a, and in b an infinity, by one of which a zero is multiplied. */
function withSpecialValues({ m, n, k, a, b, transposeA, transposeB }: Product) {
  const [x, y] = [a.slice(), b.slice()];
  const row = m >> 1, column = n >> 1, term = k >> 1;
  const atA = (i: number, l: number) => OFFSETS.aOffset + (transposeA ? l * m + i : i * k + l);
  const atB = (l: number, j: number) => OFFSETS.bOffset + (transposeB ? j * k + l : l * n + j);
  x[atA(row, 0)] = NaN;
  x[atA(0, term)] = 0;
  y[atB(term, column)] = Infinity;
  return { a: x, b: y };
}

/** A copy at another place relative to whole cache lines. */
function shifted(values: Float32Array, by: number): Float32Array {
  const copy = new Float32Array(values.length + by).subarray(by);
  copy.set(values);
  return copy;
}

function describe({ m, n, k, transposeA, transposeB }: Product): string {
  const left = transposeA ? `(${k}, ${m})ᵀ` : `(${m}, ${k})`;
  const right = transposeB ? `(${n}, ${k})ᵀ` : `(${k}, ${n})`;
  return `${left} · ${right}`;
}

const VARIANTS = [0, 1].flatMap((transposeA) =>
  [0, 1].flatMap((transposeB) =>
    [[0, 0], [1, 0], [0, 1]].map(([accumulate, hasBias]) => (
      { transposeA, transposeB, accumulate, hasBias }
    ))
  )
);

/** Numbers that bfloat16 has too. */
function withoutLowerHalves(numbers: Float32Array<ArrayBuffer>): Float32Array<ArrayBuffer> {
  const bits = new Uint32Array(numbers.buffer);
  bits.forEach((value, i) => bits[i] = value & 0xffff0000);
  return numbers;
}

/** Infinity where only one of them is not a number, or infinite. */
function largestDifference(x: Float32Array, y: Float32Array): number {
  let largest = 0;
  for (let i = 0; i < x.length; i++) {
    if (Object.is(x[i], y[i])) continue;
    const difference = Math.abs(x[i] - y[i]);
    if (!(difference <= largest)) largest = Number.isNaN(difference) ? Infinity : difference;
  }
  return largest;
}
