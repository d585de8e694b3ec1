/**
 * The part of a product that a thread computes.
 *
 * @module
 */

import type { Range } from "../../cpu/context.ts";

/** Matrices of a product, each with the floats from one of its rows to the next. */
export interface Matrices {
  readonly a: Float32Array;
  readonly aStride: number;
  readonly b: Float32Array;
  readonly bStride: number;
  readonly bias: Float32Array | undefined;
  readonly c: Float32Array;
  readonly cStride: number;
}

/** Which part of a result is computed. */
export interface Part {
  readonly rows: Range;
  readonly columns: Range;
}

/** What is computed: c = op(a) · op(b) (+ bias) (+ c), with inner sums of `k` terms. */
export interface PartOptions {
  readonly k: number;
  readonly transposeA: number;
  readonly transposeB: number;
  readonly accumulate: number;
  /** Whether a and b are rounded to bfloat16 first. */
  readonly bfloat16: boolean;
}
