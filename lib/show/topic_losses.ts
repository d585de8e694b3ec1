// Losses of topics by step: whether each takes part in what is learnt.

import { assertArray } from "../kind_of.ts";
import { assertKnownOptions } from "../options.ts";
import { CHART_OPTIONS, type ChartOptions, lineChart } from "./charts.ts";
import type { Figure } from "./figure.ts";
import type { StepRecord } from "./step_record.ts";

/**
 * Draws the loss of each topic by step, as measured at the evaluations of a training whose examples have topics.
 *
 * @param history The steps so far, in order: `training.history`.
 * @param options Titles.
 * @returns The chart.
 * @throws {RangeError} If no evaluation has losses of topics.
 *
 * @example
 * ```ts
 * import { topicLosses } from "tunebook/show";
 * import { assertStringIncludes } from "@std/assert";
 *
 * const chart = topicLosses([
 *   { step: 5, loss: 3, evaluation: { topicLosses: { orders: 3.2, returns: 3.6 } } },
 *   { step: 10, loss: 2, evaluation: { topicLosses: { orders: 2.1, returns: 3.5 } } },
 * ]);
 * assertStringIncludes(chart.text, "returns");
 * ```
 */
export function topicLosses(history: readonly StepRecord[], options: ChartOptions = {}): Figure {
  assertKnownOptions("draw losses of topics", options, CHART_OPTIONS);
  assertArray("draw losses of topics of", history, "steps, such as training.history");
  const measured = history.filter(({ evaluation }) => evaluation?.topicLosses);
  if (measured.length === 0) {
    throw new RangeError(
      "Cannot draw losses of topics: expected evaluations of examples with more than one topic",
    );
  }
  const topics = new Set(
    measured.flatMap(({ evaluation }) => Object.keys(evaluation!.topicLosses!)),
  );
  const series = Array.from(topics, (name) => {
    const steps = measured.filter(({ evaluation }) => name in evaluation!.topicLosses!);
    return {
      name,
      x: steps.map(({ step }) => step),
      y: steps.map(({ evaluation }) => evaluation!.topicLosses![name]!),
    };
  });
  return lineChart(series, { xLabel: "step", yLabel: "loss (nats per token)", ...options });
}
