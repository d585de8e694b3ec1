/** Two models' answers to the same questions, compared by any metrics. */
import { assertArray } from "../kind_of.ts";
import { assertKnownOptions, type OptionNames } from "../options.ts";
import { recordProvenance } from "../provenance.ts";
import type { Answered } from "./metrics/metric.ts";
import { findMetric, type FoundMetric } from "./metrics/mod.ts";
import { assertResampling, percentileInterval, rowOf, tabulate, total } from "./resample.ts";
import {
  approximateRandomization,
  bootstrapDifferences,
  holm,
  mcnemar,
  type PairedStatistics,
  smallestDifference,
} from "./significance.ts";

/** Options of {@linkcode compareResponses}. */
export interface CompareOptions {
  /** The number of resamples of the paired bootstrap. 1000 by default, as sacrebleu. */
  readonly samples?: number;
  /** The number of trials of the approximate randomisation. 10,000 by default, as sacrebleu. */
  readonly trials?: number;
  /** The confidence level of intervals and verdicts, between 0 and 1. 0.95 by default. */
  readonly confidence?: number;
  /** The probability with which {@linkcode Comparison.smallest} would be found. 0.8 by default. */
  readonly power?: number;
  /** Seed of the draws. 123 by default. */
  readonly seed?: number;
}

/** The names of {@linkcode CompareOptions}. */
export const COMPARE_OPTIONS: OptionNames<CompareOptions> = {
  samples: true,
  trials: true,
  confidence: true,
  power: true,
  seed: true,
};

/** What one metric says of two models. */
export interface Comparison {
  /** The metric's name, as it was given. */
  readonly metric: string;
  /** Its name in tables. */
  readonly label: string;
  /** All that its numbers depend on. */
  readonly signature: string;
  /** The one model's corpus score. */
  readonly a: number;
  /** The other's. */
  readonly b: number;
  /** `b − a`. */
  readonly difference: number;
  /** Where the difference is to be expected on other examples of this kind: the percentile interval of a paired bootstrap. */
  readonly interval: readonly [low: number, high: number];
  /** How many examples were compared. */
  readonly examples: number;
  /** The p-values of the tests; `mcnemar` only where each answer is right or wrong. */
  readonly p: {
    /** Of the approximate randomisation. */
    readonly randomization: number;
    /** Of the paired bootstrap. */
    readonly bootstrap: number;
    /** Of McNemar's exact test. */
    readonly mcnemar?: number;
  };
  /** McNemar's p-value if there is one, otherwise the randomisation's, adjusted by Holm's method for all metrics asked for. */
  readonly adjusted: number;
  /** The smallest difference that this many examples would probably show. */
  readonly smallest: number;
  /** The better model where the difference is outside the noise: `adjusted` and `interval` must agree on it. */
  readonly winner: "a" | "b" | "tied";
}

/**
 * Compares two models by their answers to the same questions.
 *
 * A winner is named only where the test's adjusted p-value is at most 1 minus the confidence level, and the interval of the
 * difference does not hold 0; everything else is a tie, and `smallest` says how large a difference had to be.
 *
 * @param a Entries with the answers of one model, such as the base.
 * @param b The same entries, in the same order, with those of the other.
 * @param names The metrics, as for {@linkcode scoreMetrics}.
 * @param options Numbers of draws, confidence, power, seed.
 * @returns A comparison for each metric.
 * @throws {RangeError} If the entries are not the same, there are none, or a metric is unknown.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { compareResponses } from "tunebook/eval";
 *
 * const answered = (model_response: string) =>
 *   Array.from({ length: 20 }, () => ({ instruction: "Say yes.", input: "", output: "Yes.", model_response }));
 * const [{ winner, difference }] = compareResponses(answered("No."), answered("Yes."), ["exactMatch"]);
 * assertEquals([winner, difference], ["b", 1]);
 * ```
 */
export function compareResponses(
  a: readonly Answered[],
  b: readonly Answered[],
  names: readonly string[],
  options: CompareOptions = {},
): Comparison[] {
  assertKnownOptions("compare responses", options, COMPARE_OPTIONS);
  assertArray("compare by", names, "names of metrics");
  const { samples = 1000, trials = 10_000, confidence = 0.95, power = 0.8, seed = 123 } = options;
  assertResampling(samples, confidence);
  assertResampling(trials, power);
  assertSameQuestions(a, b);
  const settings = { samples, trials, confidence, power, seed };
  const found = names.map((name) => [name, findMetric(name)] as const);
  const measured = found.map(([name, metric]) => measureBoth(name, metric, a, b, settings));
  const adjusted = holm(measured.map(({ p }) => p.mcnemar ?? p.randomization));
  return measured.map((one, i) => {
    const comparison = { ...one, adjusted: adjusted[i], winner: winnerOf(one, adjusted[i]) };
    const { metric, signature, winner } = comparison;
    recordProvenance("comparison", { metric, signature, winner, examples: a.length, ...settings });
    return comparison;
  });

  function winnerOf({ metric, interval: [low, high] }: Measured, p: number): Comparison["winner"] {
    if (p > 1 - confidence || (low <= 0 && high >= 0)) return "tied";
    const higher = low > 0 ? "b" : "a";
    const lower = low > 0 ? "a" : "b";
    return findMetric(metric).metric.top === undefined ? lower : higher;
  }
}

type Measured = Omit<Comparison, "adjusted" | "winner">;

function measureBoth(
  name: string,
  { label, measure }: FoundMetric,
  a: readonly Answered[],
  b: readonly Answered[],
  { samples, trials, confidence, power, seed }: Required<CompareOptions>,
): Measured {
  const paired = { measure, a: tabulate(measure, a), b: tabulate(measure, b) };
  const [scoreA, scoreB] = [paired.a, paired.b].map((table) => measure.score(total(table)));
  const { differences, p } = bootstrapDifferences(paired, samples, seed);
  const right = rightOrWrong(paired);
  return {
    metric: name,
    label,
    signature: measure.signature,
    a: scoreA,
    b: scoreB,
    difference: scoreB - scoreA,
    interval: percentileInterval(differences, confidence),
    examples: a.length,
    p: {
      randomization: approximateRandomization(paired, trials, seed),
      bootstrap: p,
      ...(right && { mcnemar: mcnemar(right.onlyA, right.onlyB) }),
    },
    smallest: smallestDifference(deviationOf(differences), confidence, power),
  };
}

/** How often only one of both is right, for metrics that say only right or wrong. */
function rightOrWrong({ a, b }: PairedStatistics): { onlyA: number; onlyB: number } | undefined {
  let [onlyA, onlyB] = [0, 0];
  for (let i = 0; i < a.rows; i++) {
    const [rowA, rowB] = [rowOf(a, i), rowOf(b, i)];
    const yesOrNo = [rowA, rowB].every((row) =>
      row.length === 2 && row[1] === 1 && (row[0] === 0 || row[0] === 1)
    );
    if (!yesOrNo) return undefined;
    onlyA += Number(rowA[0] > rowB[0]);
    onlyB += Number(rowB[0] > rowA[0]);
  }
  return { onlyA, onlyB };
}

function deviationOf(values: Float64Array): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return Math.sqrt(squares / Math.max(1, values.length - 1));
}

function assertSameQuestions(a: readonly Answered[], b: readonly Answered[]): void {
  assertArray("compare", a, "entries with responses");
  assertArray("compare", b, "entries with responses");
  if (a.length === 0 || a.length !== b.length) {
    throw new RangeError(
      `Cannot compare ${a.length} with ${b.length} responses: expected equal numbers, at least one`,
    );
  }
  for (const [i, entry] of a.entries()) {
    const differing = (["instruction", "input", "output"] as const)
      .find((field) => entry[field] !== b[i][field]);
    if (differing === undefined) continue;
    throw new RangeError(
      `Cannot compare responses to different questions: "${differing}" of entry ${i + 1} differs`,
    );
  }
}

/**
 * Says what a comparison found, in one line.
 *
 * @param comparison The comparison.
 * @param names What the models are called; `"other"` and `"this"` by default.
 * @returns For example `"BLEU: this 21.30, other 18.12, difference 3.18 [0.40, 5.90], p 0.031: this is better"`.
 *
 * @example
 * ```ts
 * import { assertStringIncludes } from "@std/assert";
 * import { compareResponses, describeComparison } from "tunebook/eval";
 *
 * const answered = [{ instruction: "Say yes.", input: "", output: "Yes.", model_response: "Yes." }];
 * const [comparison] = compareResponses(answered, answered, ["exactMatch"]);
 * assertStringIncludes(describeComparison(comparison), "tied");
 * ```
 */
export function describeComparison(
  comparison: Comparison,
  names: readonly [a: string, b: string] = ["other", "this"],
): string {
  const { metric, label, a, b, difference, interval, adjusted, winner } = comparison;
  const digits = findMetric(metric).metric.top === 1 ? 4 : 2;
  const [low, high] = interval.map((end) => end.toFixed(digits));
  const verdict = winner === "tied"
    ? `tied; ${describeTie(comparison, digits)}`
    : `${winner === "a" ? names[0] : names[1]} is better`;
  return `${label}: ${names[1]} ${b.toFixed(digits)}, ${names[0]} ${
    a.toFixed(digits)
  }, difference ` +
    `${difference.toFixed(digits)} [${low}, ${high}], p ${adjusted.toFixed(4)}: ${verdict}`;
}

/** What a tie means: what this many examples could show, which is unknown where all of them differ alike. */
function describeTie({ difference, smallest, examples }: Comparison, digits: number): string {
  if (smallest > 0) {
    return `${examples} examples would probably show a difference of ${smallest.toFixed(digits)}`;
  }
  return difference === 0 ? "the scores are the same" : "there are too few examples for a verdict";
}
