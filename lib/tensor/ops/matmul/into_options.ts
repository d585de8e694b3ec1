/**
 * What a product into memory that exists takes.
 *
 * @module
 */

import type { Tensor } from "../../tensor.ts";

/** Arguments of {@linkcode matmulInto}. */
export interface MatmulIntoOptions {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
  readonly bias?: Tensor;
  readonly accumulate?: 0 | 1;
  /** First element of `a` that is used. */
  readonly aOffset?: number;
  /** First element of `b` that is used. */
  readonly bOffset?: number;
  /** First element of `c` that is written. */
  readonly cOffset?: number;
  /** Elements from one row of `c` to the next: more than `n`, its default, where these are some of its columns. */
  readonly cStride?: number;
  /** First element of `bias` that is used. */
  readonly biasOffset?: number;
}
