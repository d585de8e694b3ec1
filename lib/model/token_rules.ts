/**
 * Rules that exclude tokens from an answer, as the logits processors of transformers' `generate()` do: tokens that never come,
 * or not first, words that are never completed, sequences that come once, and an answer's least length.
 *
 * @module
 */

import type { LogitsProcessor } from "./sampling.ts";

/** The rules, with transformers' names in TypeScript's spelling. */
export interface TokenRules {
  /** Length of the sequences of tokens that come at most once, the prompt included (`no_repeat_ngram_size`). */
  readonly noRepeat?: number;
  /** Sequences of tokens that are never completed (`bad_words_ids`). */
  readonly badWords?: readonly (readonly number[])[];
  /** The least tokens of an answer (`min_new_tokens`). */
  readonly minNewTokens?: number;
  /** The least tokens of prompt and answer together (`min_length`). */
  readonly minLength?: number;
  /** Tokens that never come (`suppress_tokens`). */
  readonly suppressed?: readonly number[];
  /** Tokens with which an answer does not begin (`begin_suppress_tokens`). */
  readonly suppressedFirst?: readonly number[];
}

/**
 * Makes a function that applies rules.
 *
 * @param rules The rules.
 * @param ends The tokens that end an answer.
 * @returns The function; undefined if there is no rule.
 */
export function ruleProcessor(
  rules: TokenRules,
  ends: readonly number[],
): LogitsProcessor | undefined {
  const { noRepeat = 0, badWords = [], minNewTokens = 0, minLength = 0 } = rules;
  const { suppressed = [], suppressedFirst = [] } = rules;
  // transformers leaves out words that are one end token
  const words = badWords.filter((word) => word.length > 1 || !ends.includes(word[0]!));
  const isEmpty = noRepeat === 0 && words.length === 0 && minNewTokens === 0 && minLength === 0 &&
    suppressed.length === 0 && suppressedFirst.length === 0;
  if (isEmpty) return undefined;
  return (logits, tokens, promptLength) => {
    const exclude = (ids: Iterable<number>) => {
      for (const id of ids) logits[id] = -Infinity;
    };
    if (noRepeat > 0) exclude(repeating(tokens, noRepeat));
    exclude(
      words.filter((word) => endsWith(tokens, word.slice(0, -1))).map((word) => word.at(-1)!),
    );
    if (tokens.length < minLength || tokens.length - promptLength < minNewTokens) exclude(ends);
    exclude(suppressed);
    if (tokens.length === promptLength) exclude(suppressedFirst);
  };
}

/** The tokens that would repeat a sequence of a length. */
function* repeating(tokens: readonly number[], length: number): Generator<number, void, void> {
  const beginning = tokens.slice(tokens.length + 1 - length);
  for (let at = 0; at + length <= tokens.length; at++) {
    if (beginning.every((id, i) => tokens[at + i] === id)) yield tokens[at + length - 1]!;
  }
}

function endsWith(tokens: readonly number[], ending: readonly number[]): boolean {
  const from = tokens.length - ending.length;
  return from >= 0 && ending.every((id, i) => tokens[from + i] === id);
}
