/**
 * The table of metrics. To add one, write its file and its row here.
 *
 * @module
 */
import { similarName } from "../../similar_name.ts";
import { bleu } from "./bleu.ts";
import { chrf } from "./chrf.ts";
import { completeness } from "./completeness.ts";
import { exactMatchMetric } from "./exact_match.ts";
import { f1 } from "./f1.ts";
import { meteor } from "./meteor.ts";
import type { Measure, Metric } from "./metric.ts";
import { numberedList } from "./numbered_list.ts";
import { perplexity } from "./perplexity.ts";
import { rouge1Metric, rouge2Metric, rougeLMetric, rougeLsumMetric } from "./rouge.ts";
import { stepAccuracy } from "./step_accuracy.ts";

/**
 * All metrics, each with its name, what it measures, and its variants: `bleu:char` is BLEU over characters.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { METRICS } from "tunebook/eval";
 *
 * assertEquals(METRICS.find(({ name }) => name === "bleu")?.variants, ["13a", "intl", "char"]);
 * ```
 */
export const METRICS: readonly Metric[] = [
  bleu,
  chrf,
  rouge1Metric,
  rouge2Metric,
  rougeLMetric,
  rougeLsumMetric,
  meteor,
  exactMatchMetric,
  f1,
  numberedList,
  stepAccuracy,
  completeness,
  perplexity,
];

/** A metric that was found by its name. */
export interface FoundMetric {
  /** The row of the table. */
  readonly metric: Metric;
  /** Its label, with the variant where one was named. */
  readonly label: string;
  /** It, ready to measure. */
  readonly measure: Measure;
}

/**
 * Finds a metric by its name.
 *
 * @param name A name of the table, with a variant after a colon or without: `rougeL`, `bleu:char`.
 * @returns The metric, ready to measure.
 * @throws {RangeError} If there is none of this name, or it has no such variant.
 */
export function findMetric(name: string): FoundMetric {
  const [plain, variant, ...more] = name.split(":");
  const metric = METRICS.find((one) => one.name === plain);
  if (metric === undefined) {
    const names = METRICS.map((one) => one.name);
    const meant = similarName(plain, names);
    const question = meant === undefined ? "there are" : `did you mean "${meant}"? There are`;
    throw new RangeError(`Cannot find the metric "${name}": ${question} ${names.join(", ")}`);
  }
  if (variant !== undefined && (!metric.variants.includes(variant) || more.length > 0)) {
    throw new RangeError(
      `Cannot find the metric "${name}": expected "${plain}" or ` +
        metric.variants.map((one) => `"${plain}:${one}"`).join(", "),
    );
  }
  return {
    metric,
    label: variant === undefined ? metric.label : `${metric.label} (${variant})`,
    measure: metric.prepare(variant ?? metric.variants[0]),
  };
}
