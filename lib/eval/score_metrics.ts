/** Scores of responses by any metrics of the table, each with an interval and a signature. */
import { assertArray } from "../kind_of.ts";
import { assertKnownOptions, type OptionNames } from "../options.ts";
import { recordProvenance } from "../provenance.ts";
import { Random } from "../random.ts";
import type { Answered } from "./metrics/metric.ts";
import { findMetric, type FoundMetric } from "./metrics/mod.ts";
import {
  addRows,
  assertResampling,
  drawRows,
  percentileInterval,
  rowOf,
  type StatisticsTable,
  tabulate,
  total,
} from "./resample.ts";

/** Options of {@linkcode scoreMetrics}. */
export interface ScoreMetricsOptions {
  /** The number of resamples for the intervals. 1000 by default. */
  readonly samples?: number;
  /** The confidence level of the intervals, between 0 and 1. 0.95 by default. */
  readonly confidence?: number;
  /** Seed of the draws. 123 by default. */
  readonly seed?: number;
}

/** The names of {@linkcode ScoreMetricsOptions}. */
export const SCORE_METRICS_OPTIONS: OptionNames<ScoreMetricsOptions> = {
  samples: true,
  confidence: true,
  seed: true,
};

/** What a metric makes of responses. */
export interface MetricScore {
  /** The score of all responses together. */
  readonly corpus: number;
  /** Each response's own score, in order. */
  readonly each: readonly number[];
  /** All that the numbers depend on, such as `nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0`. */
  readonly signature: string;
  /** Where the corpus score of other examples of this kind is to be expected: the percentile interval of a bootstrap. */
  readonly interval: readonly [low: number, high: number];
}

/**
 * Scores responses against their references by metrics of the table {@linkcode METRICS}.
 *
 * Signatures, corpus scores and intervals are recorded for the report's manifest.
 *
 * @param entries Entries with a model's responses.
 * @param names The metrics, such as `"bleu"`, `"rougeL"` or, with a variant, `"bleu:char"`.
 * @param options The intervals' confidence, number of resamples, and seed.
 * @returns Each metric's scores, by the names given.
 * @throws {RangeError} If there are no entries, or a metric is unknown.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { scoreMetrics } from "tunebook/eval";
 *
 * const entry = { instruction: "Name a fruit.", input: "", output: "An apple." };
 * const { rouge1, exactMatch } = scoreMetrics([
 *   { ...entry, model_response: "An apple." },
 *   { ...entry, model_response: "A pear." },
 * ], ["rouge1", "exactMatch"]);
 * assertEquals([rouge1.each, exactMatch.corpus, exactMatch.interval], [[1, 0], 0.5, [0, 1]]);
 * ```
 */
export function scoreMetrics(
  entries: readonly Answered[],
  names: readonly string[],
  options: ScoreMetricsOptions = {},
): Record<string, MetricScore> {
  assertKnownOptions("score responses", options, SCORE_METRICS_OPTIONS);
  assertArray("score", entries, "entries with responses");
  assertArray("score by", names, "names of metrics");
  if (entries.length === 0) throw new RangeError("Cannot score no responses");
  const { samples = 1000, confidence = 0.95, seed = 123 } = options;
  assertResampling(samples, confidence);
  const scores: Record<string, MetricScore> = {};
  // All are found before any is measured, so that a misspelt name costs no time.
  for (const [name, found] of names.map((name) => [name, findMetric(name)] as const)) {
    const table = tabulate(found.measure, entries);
    const interval = bootstrapInterval(found, table, { samples, confidence, seed });
    scores[name] = scoreOf(found, table, interval);
    const { corpus, signature } = scores[name];
    recordProvenance("metric", {
      metric: name,
      signature,
      examples: entries.length,
      corpus: finite(corpus),
      interval: interval.map(finite),
      confidence,
      samples,
      seed,
    });
  }
  return scores;
}

/** JSON has no other numbers. */
const finite = (value: number) => Number.isFinite(value) ? value : String(value);

function scoreOf(
  { measure }: FoundMetric,
  table: StatisticsTable,
  interval: [number, number],
): MetricScore {
  const one = measure.each ?? measure.score;
  return {
    corpus: measure.score(total(table)),
    each: Array.from({ length: table.rows }, (_, i) => one(rowOf(table, i))),
    signature: measure.signature,
    interval,
  };
}

function bootstrapInterval(
  { measure }: FoundMetric,
  table: StatisticsTable,
  { samples, confidence, seed }: Required<ScoreMetricsOptions>,
): [number, number] {
  const random = new Random(seed);
  const rows = new Uint32Array(table.rows);
  const sum = new Float64Array(table.width);
  const scores = new Float64Array(samples);
  for (let sample = 0; sample < samples; sample++) {
    drawRows(random, rows);
    addRows(table, rows, sum);
    scores[sample] = measure.score(sum);
  }
  return percentileInterval(scores.sort(), confidence);
}
