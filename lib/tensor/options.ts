/**
 * What operations take beside tensors.
 *
 * @module
 */

/** Options of reductions. */
export interface ReductionOptions {
  /** The dimension or dimensions to reduce; negative ones count from the end. All by default. */
  readonly axis?: number | readonly number[];
  /** Whether reduced dimensions stay, with length 1. By default they go. */
  readonly keepDims?: boolean;
}

/** Options of `variance()`. */
export interface VarianceOptions extends ReductionOptions {
  /**
   * What is subtracted from the number of elements before dividing by it: 0, by default, as in norms and NumPy; 1 for an
   * estimate from a sample, as PyTorch's `var` has it.
   */
  readonly correction?: number;
}

/** Options of `argmax()`. */
export interface ArgmaxOptions {
  /** The dimension; negative numbers count from the end. By default all elements are numbered in order. */
  readonly axis?: number;
  /** Whether the dimension stays, with length 1. By default it goes. */
  readonly keepDims?: boolean;
}

/**
 * What to take of a dimension: one index, which the dimension goes with, or `[start, end, step]`, of which each may be
 * missing. Negative numbers count from the end; `[]` takes all.
 */
export type SliceRange = number | readonly [start?: number, end?: number, step?: number];
