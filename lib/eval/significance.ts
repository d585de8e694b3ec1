/**
 * Tests of whether a difference between two systems on the same examples could be chance.
 *
 * @module
 */
import { Random } from "../random.ts";
import type { Measure } from "./metrics/metric.ts";
import { normalQuantile } from "./normal.ts";
import { addRows, drawRows, type StatisticsTable, total } from "./resample.ts";

/** Two systems' statistics of the same examples, under one metric. */
export interface PairedStatistics {
  readonly measure: Measure;
  readonly a: StatisticsTable;
  readonly b: StatisticsTable;
}

/**
 * The paired bootstrap of a corpus score: examples are drawn with replacement, the same for both systems.
 *
 * @param paired Both systems' statistics.
 * @param samples How many times.
 * @param seed Seed of the draws.
 * @returns The differences b − a of all resamples, in ascending order, and the p-value as sacrebleu computes it: how often a
 * difference departs from the mean one by more than the observed difference.
 */
export function bootstrapDifferences(
  { measure, a, b }: PairedStatistics,
  samples: number,
  seed: number,
): { differences: Float64Array; p: number } {
  const random = new Random(seed);
  const rows = new Uint32Array(a.rows);
  const sum = new Float64Array(a.width);
  const differences = new Float64Array(samples);
  for (let sample = 0; sample < samples; sample++) {
    drawRows(random, rows);
    addRows(a, rows, sum);
    const scoreA = measure.score(sum);
    addRows(b, rows, sum);
    differences[sample] = measure.score(sum) - scoreA;
  }
  const observed = Math.abs(measure.score(total(b)) - measure.score(total(a)));
  const sizes = differences.map(Math.abs);
  const mean = sizes.reduce((sum, size) => sum + size, 0) / samples;
  const p = pValue(sizes.map((size) => size - mean), observed);
  return { differences: differences.sort(), p };
}

/**
 * Approximate randomisation (Riezler and Maxwell, 2005): if the systems were equal, exchanging their answers to any examples
 * would change nothing. Each trial exchanges each example's answers with probability one half.
 *
 * @param paired Both systems' statistics.
 * @param trials How many times.
 * @param seed Seed of the draws.
 * @returns The p-value: how often the difference is at least the observed one. It is 1 where none was observed. sacrebleu counts
 * only greater differences, which is the same to four digits where all examples differ; where few do, as under a metric that
 * is 0 for most answers, exchanging them gives the observed difference again and again, and sacrebleu's p-value is too small.
 */
export function approximateRandomization(
  { measure, a, b }: PairedStatistics,
  trials: number,
  seed: number,
): number {
  const random = new Random(seed);
  const [sumA, sumB] = [total(a), total(b)];
  const observed = Math.abs(measure.score(sumB) - measure.score(sumA));
  if (observed === 0) return 1;
  const { width } = a;
  const moved = new Float64Array(width);
  const differences = new Float64Array(trials);
  for (let trial = 0; trial < trials; trial++) {
    moved.fill(0);
    for (let start = 0; start < a.values.length; start += width) {
      if (random.integer(2) === 0) continue;
      for (let k = 0; k < width; k++) moved[k] += b.values[start + k] - a.values[start + k];
    }
    const scoreA = measure.score(sumA.map((value, k) => value + moved[k]));
    const scoreB = measure.score(sumB.map((value, k) => value - moved[k]));
    differences[trial] = Math.abs(scoreB - scoreA);
  }
  // A rounding error does not make a difference smaller: where all are exchanged, it is the same.
  return pValue(differences, observed * (1 - 1e-12) - 1e-15);
}

/** The fraction that is greater, one trial added to each side so that it is never 0. */
function pValue(values: Float64Array, observed: number): number {
  let greater = 0;
  for (const value of values) if (value > observed) greater++;
  return (greater + 1) / (values.length + 1);
}

/**
 * McNemar's exact test of two systems that are right or wrong per example: only examples on which one is right and the other
 * is not say which is better, and without a difference each of them could as well be the other way round.
 *
 * @param onlyA How many examples only the one system has right.
 * @param onlyB How many only the other has right.
 * @returns The two-sided p-value.
 * @throws {RangeError} If a count is not a whole number of 0 or more.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { mcnemar } from "tunebook/eval";
 *
 * assertEquals(mcnemar(1, 9).toFixed(5), "0.02148");
 * ```
 */
export function mcnemar(onlyA: number, onlyB: number): number {
  for (const count of [onlyA, onlyB]) {
    if (!(Number.isSafeInteger(count) && count >= 0)) {
      throw new RangeError(`Cannot test with the count ${count}: expected a whole number from 0`);
    }
  }
  const pairs = onlyA + onlyB;
  // The binomial distribution's tail, in logarithms, since 0.5 to the power of 1100 is 0.
  let logarithm = -pairs * Math.LN2;
  let tail = Math.exp(logarithm);
  for (let k = 1; k <= Math.min(onlyA, onlyB); k++) {
    logarithm += Math.log((pairs - k + 1) / k);
    tail += Math.exp(logarithm);
  }
  return Math.min(1, 2 * tail);
}

/**
 * Adjusts the p-values of several tests by Holm's method (1979), so that the probability of even one false finding among them
 * is that of a single test.
 *
 * @param pValues The p-values.
 * @returns The adjusted ones, in the same order.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { holm } from "tunebook/eval";
 *
 * assertEquals(holm([0.01, 0.04, 0.03]), [0.03, 0.06, 0.06]);
 * ```
 */
export function holm(pValues: readonly number[]): number[] {
  const order = [...pValues.keys()].sort((i, j) => pValues[i] - pValues[j]);
  const adjusted = new Array<number>(pValues.length);
  let greatest = 0;
  for (const [rank, i] of order.entries()) {
    greatest = Math.min(1, Math.max(greatest, (pValues.length - rank) * pValues[i]));
    adjusted[i] = greatest;
  }
  return adjusted;
}

/**
 * The smallest difference that a comparison of this many examples would probably show: smaller ones are more often missed
 * than the power says, so a tie is not a proof of equality.
 *
 * @param standardError The standard error of the difference.
 * @param confidence The confidence level of the test.
 * @param power The probability with which a difference of this size is found.
 * @returns The difference, on the metric's scale.
 */
export function smallestDifference(
  standardError: number,
  confidence: number,
  power: number,
): number {
  return (normalQuantile((1 + confidence) / 2) + normalQuantile(power)) * standardError;
}
