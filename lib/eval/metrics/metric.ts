/**
 * What a metric is. Every metric gives each example a few numbers, its statistics, which add up: the score of many examples
 * is made from the sum of their statistics. So resampling examples, for intervals and for comparisons, is one sum per
 * resample, also for BLEU, whose corpus score is not a mean.
 *
 * @module
 */
import type { ResponseEntry } from "../responses.ts";

/** What a metric reads of an entry. */
export type Answered =
  & Pick<ResponseEntry, "output" | "model_response">
  & Partial<Omit<ResponseEntry, "output" | "model_response">>;

/** A metric with its settings. */
export interface Measure {
  /** All that its numbers depend on, such as `nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0`. */
  readonly signature: string;
  /**
   * The statistics of one example, equally many for each.
   *
   * @param entry Reference and response.
   * @param index The entry's place, for errors.
   */
  measure(entry: Answered, index: number): readonly number[];
  /** The score of examples whose statistics add up to these. */
  score(sum: ArrayLike<number>): number;
  /** The score of a single example, where that is another formula. */
  each?(statistics: readonly number[]): number;
}

/** A row of the table of metrics. */
export interface Metric {
  /** Its name in code and on the command line, such as `bleu`. */
  readonly name: string;
  /** Its name in tables, such as `BLEU`. */
  readonly label: string;
  /** What it measures, in one line. */
  readonly summary: string;
  /** The score of a perfect answer, 1 or 100; undefined where a lower score is better. */
  readonly top?: number;
  /** Settings by name, as in `bleu:char`; the first is used where none is named. */
  readonly variants: readonly string[];
  /** Makes it ready to measure. */
  prepare(variant: string): Measure;
}

/**
 * A measure whose corpus score is the mean of the examples' scores.
 *
 * @param signature All that its numbers depend on.
 * @param score The score of one response.
 * @returns The measure.
 */
export function meanOf(
  signature: string,
  score: (reference: string, response: string) => number,
): Measure {
  return {
    signature,
    measure: ({ output, model_response }) => [score(output, model_response), 1],
    score: (sum) => sum[0] / sum[1],
  };
}
