/**
 * A model's answers and their scores against references.
 *
 * @module
 */

import { isChatEntry, isTextEntry } from "../dataset/chat_entry.ts";
import type { DatasetEntry } from "../dataset/mod.ts";
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

/**
 * Adds a model's answer to an entry. A conversation also gets its last question and answer as instruction and output.
 *
 * @param entry The entry.
 * @param response The answer.
 * @returns What `writeResponses()` writes.
 */
export function withResponse(entry: DatasetEntry, response: string): ResponseEntry {
  if (isTextEntry(entry)) throw new TypeError("Cannot answer a text: it asks nothing");
  if (!isChatEntry(entry)) return { ...entry, model_response: response };
  const last = (role: string) => entry.messages.findLast((one) => one.role === role)?.content ?? "";
  return {
    instruction: last("user"),
    input: "",
    output: last("assistant"),
    ...entry,
    model_response: response,
  };
}
