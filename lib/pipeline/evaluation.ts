/**
 * A model's answers and their scores against references.
 *
 * @module
 */

import { createHash } from "node:crypto";
import type { DatasetEntry } from "../dataset/mod.ts";
import { originsOf } from "../dataset/origin.ts";
import { stringifyJson } from "../json_source.ts";
import type { MetricScore, ResponseEntry, ResponseScores } from "../eval/mod.ts";
import type { EvaluationFacts, RecordedScore } from "./record.ts";

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

/**
 * Describes an evaluation for the record.
 *
 * @param entries What was evaluated on.
 * @param evaluation What was measured.
 * @param settings How the answers were generated, and what the loss counts; what is undefined is left out.
 * @returns Its facts. Numbers that are not finite, which JSON does not have, are left out.
 */
export function describeEvaluation(
  entries: readonly DatasetEntry[],
  { loss, rougeL, exactMatch, metrics }: ModelEvaluation,
  settings: Record<string, unknown>,
): EvaluationFacts {
  const files = originsOf(entries);
  const scores: [string, RecordedScore][] = Object.keys(metrics).length === 0
    ? [["rougeL", { corpus: rougeL }], ["exactMatch", { corpus: exactMatch }]]
    : Object.entries(metrics).map((
      [name, { corpus, interval, signature }],
    ) => [name, { corpus, interval, signature }]);
  const isNumeric = ({ corpus, interval = [0, 0] }: RecordedScore) =>
    [corpus, ...interval].every(Number.isFinite);
  return {
    examples: entries.length,
    data: createHash("sha256").update(stringifyJson(entries)).digest("hex"),
    ...(files.length > 0 && { files }),
    ...(Number.isFinite(loss) && { loss }),
    metrics: Object.fromEntries(scores.filter(([, score]) => isNumeric(score))),
    settings: JSON.parse(JSON.stringify(settings)),
  };
}
