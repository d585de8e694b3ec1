/**
 * A model's answers and their scores against references.
 *
 * @module
 */

import type { MetricScore, ResponseEntry, ResponseScores } from "../eval/mod.ts";

/** What {@linkcode Model.evaluate} measures. */
export interface ModelEvaluation extends ResponseScores {
  /** Mean negative log-likelihood of a counted token, in nats. */
  readonly loss: number;
  /** How many tokens the loss is over. */
  readonly tokens: number;
  /** The model's answers, one for each entry. */
  readonly answers: string[];
  /** The entries with the answers, as `writeResponses()` writes them and judges read them. */
  readonly responses: ResponseEntry[];
  /** The scores by the metrics that were asked for, each with interval and signature. */
  readonly metrics: Readonly<Record<string, MetricScore>>;
}
