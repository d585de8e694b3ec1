/**
 * Filters of what is asked and answered.
 *
 * @module
 */

import { checkMessages } from "../eval/filters/check_messages.ts";
import { checkText, type FilterRule } from "../eval/filters/mod.ts";
import type { FilteredSide, FilterFinding } from "../eval/filters/filter.ts";
import type { Ask } from "./api.ts";
import { RequestError } from "./errors.ts";

/** What a filter found in a request or its answer. */
export interface ServedFinding extends FilterFinding {
  /** What it was found in. */
  readonly of: FilteredSide;
  /** The index of the message, where a conversation was asked. */
  readonly message?: number;
}

/** What was asked, after the filters. */
export interface CheckedAsk {
  /** What the model may see, or of a refused request a log: with masks. */
  readonly ask: Ask;
  /** What was found. */
  readonly found: readonly ServedFinding[];
  /** Why it is refused, if it is. */
  readonly refusal?: string;
}

/**
 * Checks what is asked: a text, or each message of a conversation.
 *
 * @param ask What is asked.
 * @param rules The filters.
 * @returns What may be asked.
 */
export function checkAsk(ask: Ask, rules: readonly FilterRule[]): CheckedAsk {
  if ("text" in ask) {
    const { text, findings, refusal } = checkText(ask.text, "prompt", rules);
    const found = findings.map((finding) => ({ of: "prompt" as const, ...finding }));
    return { ask: { text }, found, refusal };
  }
  const { messages, found, refusal } = checkMessages(ask.messages, rules);
  return {
    ask: { messages },
    found: found.map((finding) => ({ of: "prompt" as const, ...finding })),
    refusal,
  };
}

/** The error of a request that a filter refused. Clients know the code from other services. */
export function refusedPrompt(refusal: string): RequestError {
  return new RequestError(400, refusal, { code: "content_filter", param: "messages" });
}

/** The error of an answer that a filter refused. */
export function refusedAnswer(refusal: string): RequestError {
  return new RequestError(422, refusal, { code: "content_filter" });
}
