/**
 * How a request is to be answered: what it asks for, within what the server allows.
 *
 * @module
 */

import type { SamplingOptions } from "../model/mod.ts";
import { RequestError } from "./errors.ts";

/** What a request asks for; what is left out is the server's default. */
export interface Asked {
  /** The divisor of logits; 0 takes the most likely token. */
  readonly temperature?: number | null;
  /** Draws only from this many of the most likely tokens. */
  readonly topK?: number | null;
  /** Draws only from the most likely tokens with this total probability. */
  readonly topP?: number | null;
  /** Draws only from tokens that are at least this many times as likely as the most likely one. */
  readonly minP?: number | null;
  /** Makes tokens of the prompt and the answer less likely. */
  readonly repetitionPenalty?: number | null;
  /** Subtracted from the logits of tokens that the answer contains. */
  readonly presencePenalty?: number | null;
  /** Subtracted as often as the answer contains the token. */
  readonly frequencyPenalty?: number | null;
  /** Decides the draws; by default a new one for each request. */
  readonly seed?: number | null;
  /** The most tokens of the answer. */
  readonly maxNewTokens?: number | null;
  /** The most tokens of prompt and answer together. */
  readonly contextLength?: number | null;
  /** Strings that end the answer. */
  readonly stop?: readonly string[];
}

/** What the server allows, and what it does where a request does not say. */
export interface Allowed {
  /** The most tokens of an answer. */
  readonly maxNewTokens: number;
  /** The most tokens of prompt and answer together. */
  readonly contextLength: number;
  /** The temperature of requests that name none. */
  readonly temperature: number;
}

/** How a request is answered. */
export interface Settings {
  /** How tokens are chosen. */
  readonly sampling: SamplingOptions;
  /** Decides the draws. */
  readonly seed: number;
  /** The most tokens of the answer. */
  readonly maxNewTokens: number;
  /** The most tokens of prompt and answer together. */
  readonly contextLength: number;
  /** Strings that end the answer. */
  readonly stop: readonly string[];
}

/** As many stop strings as OpenAI allows would do; more only cost time. */
const MOST_STOPS = 16;

/**
 * Decides how a request is answered.
 *
 * @param asked What it asks for.
 * @param allowed What the server allows.
 * @param names How the request's fields are called, for errors.
 * @returns Its settings, the seed included.
 * @throws {RequestError} If it asks for more than is allowed.
 */
export function settle(
  asked: Asked,
  allowed: Allowed,
  names: { readonly maxNewTokens: string; readonly stop: string },
): Settings {
  const { temperature, seed, maxNewTokens, contextLength, stop = [] } = asked;
  const { topK, topP, minP, repetitionPenalty, presencePenalty, frequencyPenalty } = asked;
  if (maxNewTokens != null && maxNewTokens > allowed.maxNewTokens) {
    throw new RequestError(
      400,
      `Cannot write ${maxNewTokens} tokens: expected at most ${allowed.maxNewTokens} as "${names.maxNewTokens}"`,
      { param: names.maxNewTokens },
    );
  }
  if (stop.length > MOST_STOPS) {
    throw new RequestError(
      400,
      `Cannot stop at ${stop.length} strings: expected at most ${MOST_STOPS} as "${names.stop}"`,
      { param: names.stop },
    );
  }
  return {
    sampling: {
      temperature: temperature ?? allowed.temperature,
      ...(topK != null && { topK }),
      ...(topP != null && { topP }),
      ...(minP != null && { minP }),
      ...(repetitionPenalty != null && { repetitionPenalty }),
      ...(presencePenalty != null && { presencePenalty }),
      ...(frequencyPenalty != null && { frequencyPenalty }),
    },
    // A seed's sign has no meaning here; clients send any 64-bit number.
    seed: seed == null ? newSeed() : Math.abs(seed) % 2 ** 53,
    maxNewTokens: maxNewTokens ?? allowed.maxNewTokens,
    contextLength: Math.min(contextLength ?? Infinity, allowed.contextLength),
    stop,
  };
}

/**
 * Refuses a prompt that leaves no room for an answer.
 *
 * @param prompt The prompt's tokens.
 * @param settings How it is answered.
 * @throws {RequestError} If it is empty or too long.
 */
export function assertFits(prompt: readonly number[], { contextLength }: Settings): void {
  if (prompt.length === 0) throw new RequestError(400, "Cannot answer: the prompt has no tokens");
  if (prompt.length < contextLength) return;
  throw new RequestError(
    400,
    `Cannot answer a prompt of ${prompt.length} tokens: the context holds ${contextLength}, the answer included`,
    { code: "context_length_exceeded", param: "messages" },
  );
}

function newSeed(): number {
  const [high, low] = crypto.getRandomValues(new Uint32Array(2));
  return (high & 0x1fffff) * 2 ** 32 + low;
}
