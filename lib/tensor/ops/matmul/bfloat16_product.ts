/**
 * Products of matrices that are rounded to bfloat16 first, a block at a time, and summed in float32. Each thread has this
 * module, and its blocks, to itself.
 *
 * @module
 */

import type { Context, Range } from "../../cpu/context.ts";
import type { Matrices, Part, PartOptions } from "./part.ts";

/** With fewer rows, columns or terms, rounding takes longer than it saves. */
const LEAST = 16;

/** Numbers of a block. */
const BLOCK_NUMBERS = 4 * 1024 * 1024;

/** Rows or columns of a block at least, however long they are. */
const LEAST_IN_BLOCK = 64;

const blocks = { a: new Uint16Array(0), b: new Uint16Array(0) };

/**
 * Whether a product is computed in bfloat16. It depends on the whole product alone, so that any number of threads decides
 * the same.
 *
 * @param context The thread.
 * @param m Rows of the result.
 * @param n Columns of the result.
 * @param k Terms of its sums.
 * @returns Whether it is.
 */
export function isInBfloat16(context: Context, m: number, n: number, k: number): boolean {
  return context.blas?.bfloat16 !== undefined && Math.min(m, n, k) >= LEAST;
}

/**
 * Computes a part of a product.
 *
 * @param context The thread.
 * @param matrices Whole matrices, in float32.
 * @param part Which part.
 * @param options Terms, and which matrices are transposed.
 * @param beta What is there is multiplied by this, and the product added to it.
 */
export function multiplyInBfloat16(
  context: Context,
  { a, aStride, b, bStride, c, cStride }: Matrices,
  part: Part,
  { k, transposeA, transposeB }: PartOptions,
  beta: number,
): void {
  const { gemm, narrow } = context.blas!.bfloat16!;
  const terms = { first: 0, last: k };
  /** Gives the floats from one row of the block to the next. */
  const round = (
    to: keyof typeof blocks,
    { matrix, stride }: Strided,
    rows: Range,
    columns: Range,
  ) => {
    const [height, width] = [rows.last - rows.first, columns.last - columns.first];
    if (blocks[to].length < height * width) blocks[to] = new Uint16Array(height * width);
    narrow(matrix.subarray(rows.first * stride + columns.first), stride, height, width, blocks[to]);
    return width;
  };
  const [left, right] = [{ matrix: a, stride: aStride }, { matrix: b, stride: bStride }];
  for (const rows of blocksOf(part.rows, k)) {
    const aWidth = transposeA ? round("a", left, terms, rows) : round("a", left, rows, terms);
    for (const columns of blocksOf(part.columns, k)) {
      const bWidth = transposeB
        ? round("b", right, columns, terms)
        : round("b", right, terms, columns);
      gemm(
        transposeA === 1,
        transposeB === 1,
        rows.last - rows.first,
        columns.last - columns.first,
        k,
        blocks.a,
        aWidth,
        blocks.b,
        bWidth,
        beta,
        c.subarray(rows.first * cStride + columns.first),
        cStride,
      );
    }
  }
}

/** A matrix, and the floats from one of its rows to the next. */
interface Strided {
  readonly matrix: Float32Array;
  readonly stride: number;
}

/** Divides rows or columns of `k` numbers among blocks. */
function* blocksOf({ first, last }: Range, k: number): Generator<Range> {
  const step = Math.max(LEAST_IN_BLOCK, Math.floor(BLOCK_NUMBERS / k));
  for (let at = first; at < last; at += step) {
    yield { first: at, last: Math.min(last, at + step) };
  }
}
