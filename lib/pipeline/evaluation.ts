/**
 * A model's answers beside their references, and how they score.
 *
 * @module
 */

import { isChatEntry } from "../dataset/chat_entry.ts";
import type { DatasetEntry } from "../dataset/mod.ts";
import type { ResponseEntry, ResponseScores } from "../eval/mod.ts";

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
}

/**
 * An entry with a model's answer; a conversation also as the question and answer that it ends with.
 *
 * @param entry The entry.
 * @param response The answer.
 * @returns What `writeResponses()` writes.
 */
export function withResponse(entry: DatasetEntry, response: string): ResponseEntry {
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
