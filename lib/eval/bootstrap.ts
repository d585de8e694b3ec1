/** The paired bootstrap: whether one set of scores is better than another, by resampling. */
import { Random } from "../random.ts";
import { assertKnownOptions, type OptionNames } from "../options.ts";
import { assertResampling, percentileInterval } from "./resample.ts";

/** Options of {@linkcode pairedBootstrap}. */
export interface BootstrapOptions {
  /** The number of resamples. 10,000 by default. */
  samples?: number;
  /** The confidence level of the interval, between 0 and 1. 0.95 by default. */
  confidence?: number;
  /** Seed of the draws. 123 by default. */
  seed?: number;
}

/** The names of {@linkcode BootstrapOptions}. */
export const BOOTSTRAP_OPTIONS: OptionNames<BootstrapOptions> = {
  samples: true,
  confidence: true,
  seed: true,
};

/** The comparison of two sets of scores. */
export interface BootstrapResult {
  /** Mean of `b − a`. */
  difference: number;
  /** The interval's lower end. */
  low: number;
  /** The interval's upper end. */
  high: number;
  /** The share of resamples in which `b` is better than `a`; ties count half. */
  better: number;
  /** The number of pairs. */
  pairs: number;
  /** The mean differences of all resamples, in ascending order. */
  differences: Float64Array;
}

/**
 * Compares two systems by their scores on the same examples. Pairs are drawn with replacement many
 * times: the variation of the mean difference between resamples estimates its variation between
 * sets of examples.
 *
 * Efron, "Bootstrap Methods: Another Look at the Jackknife", 1979; for this use Koehn, "Statistical Significance Tests
 * for Machine Translation Evaluation", 2004. The interval is the percentile interval.
 *
 * @param a Scores of one system, one per example.
 * @param b Scores of the other on the same examples, in the same order.
 * @param options Draws, confidence, seed.
 * @returns The difference and its interval.
 * @throws {RangeError} If there are no scores, the numbers of scores differ, or an option is out of
 * range.
 *
 * @example
 * ```ts
 * import { pairedBootstrap } from "tunebook";
 * import { assert } from "@std/assert";
 *
 * const { difference, low } = pairedBootstrap([1, 2, 3, 4], [2, 3, 4, 6]);
 * assert(difference === 1.25 && low > 0); // b is better
 * ```
 */
export function pairedBootstrap(
  a: readonly number[],
  b: readonly number[],
  options: BootstrapOptions = {},
): BootstrapResult {
  assertKnownOptions("compare scores", options, BOOTSTRAP_OPTIONS);
  const { samples = 10_000, confidence = 0.95, seed = 123 } = options;
  const pairs = a.length;
  if (pairs === 0 || pairs !== b.length) {
    throw new RangeError(
      `Cannot compare ${a.length} with ${b.length} scores: expected equal numbers, at least one`,
    );
  }
  assertResampling(samples, confidence);
  const gains = a.map((score, i) => b[i] - score);
  const random = new Random(seed);
  const differences = new Float64Array(samples);
  let better = 0;
  for (let sample = 0; sample < samples; sample++) {
    let sum = 0;
    for (let i = 0; i < pairs; i++) sum += gains[random.integer(pairs)];
    differences[sample] = sum / pairs;
    better += sum > 0 ? 1 : sum === 0 ? 0.5 : 0;
  }
  differences.sort();
  const [low, high] = percentileInterval(differences, confidence);
  return {
    difference: gains.reduce((sum, gain) => sum + gain, 0) / pairs,
    low,
    high,
    better: better / samples,
    pairs,
    differences,
  };
}
