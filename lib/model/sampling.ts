/**
 * Choosing the next token from logits.
 *
 * @module
 */

import type { Random } from "../random.ts";
import { assertKnownOptions, type OptionNames } from "../options.ts";

/** Options of {@linkcode chooseToken}. */
export interface SamplingOptions {
  /** The divisor of logits; 0, the default, always takes the most likely token. */
  readonly temperature?: number;
  /** Draws only from this many of the most likely tokens. All by default. */
  readonly topK?: number;
  /**
   * Draws only from the most likely tokens whose probabilities add up to this much. 1 by default.
   */
  readonly topP?: number;
  /**
   * Draws only from tokens that are at least this many times as likely as the most likely one
   * (Nguyen et al., "Turning Up the Heat: Min-p Sampling", 2024). 0 by default.
   */
  readonly minP?: number;
  /**
   * Makes tokens of the prompt and the answer less likely, if above 1: a logit above 0 is divided by it,
   * one below is multiplied (Keskar et al., "CTRL", 2019; as transformers' `repetition_penalty`). 1 by default.
   */
  readonly repetitionPenalty?: number;
  /** Subtracted from the logits of tokens that the answer contains, as in OpenAI's interface. 0 by default. */
  readonly presencePenalty?: number;
  /** Subtracted as often as the answer contains the token. 0 by default. */
  readonly frequencyPenalty?: number;
  /** Changes the logits after the penalties and before the temperature. None by default. */
  readonly processLogits?: LogitsProcessor;
}

/**
 * A function that changes logits, as transformers' `LogitsProcessor`. −Infinity excludes a token.
 *
 * @param logits One number per token, (V); it may be changed in place.
 * @param tokens The prompt's tokens and those of the answer so far.
 * @param promptLength How many of them are the prompt's.
 * @returns Other logits, (V); nothing if they were changed in place.
 */
export type LogitsProcessor = (
  logits: Float32Array,
  tokens: readonly number[],
  promptLength: number,
) => Float32Array | void;

/** What has been read and written before a token, which penalties depend on. */
export interface SamplingContext {
  /** The prompt's tokens, then the answer's. */
  readonly tokens: readonly number[];
  /** How many of them are the prompt's. */
  readonly promptLength: number;
}

const NOTHING: SamplingContext = { tokens: [], promptLength: 0 };

/** The names of {@linkcode SamplingOptions}. */
export const SAMPLING_OPTIONS: OptionNames<SamplingOptions> = {
  temperature: true,
  topK: true,
  topP: true,
  minP: true,
  repetitionPenalty: true,
  presencePenalty: true,
  frequencyPenalty: true,
  processLogits: true,
};

/**
 * The options that say how tokens are drawn, among others.
 *
 * @param options Options of any function that samples.
 * @returns Those of {@linkcode SamplingOptions}.
 */
export function samplingOf(options: SamplingOptions): SamplingOptions {
  const names = Object.keys(SAMPLING_OPTIONS) as (keyof SamplingOptions)[];
  return Object.fromEntries(
    names.filter((name) => options[name] !== undefined).map((name) => [name, options[name]]),
  );
}

/**
 * Checks options before anything is computed.
 *
 * @param options The caller's options.
 * @throws {RangeError} If one is out of range.
 */
export function assertSampling(options: SamplingOptions): void {
  const { temperature = 0, topK, topP = 1, minP = 0, repetitionPenalty = 1 } = options;
  const { presencePenalty = 0, frequencyPenalty = 0, processLogits } = options;
  if (typeof temperature !== "number" || !(temperature >= 0 && temperature < Infinity)) {
    throw new RangeError(
      `Cannot sample at temperature ${JSON.stringify(temperature)}: expected a number of 0 or more`,
    );
  }
  if (topK !== undefined && !(Number.isInteger(topK) && topK >= 1)) {
    throw new RangeError(
      `Cannot sample from the top ${JSON.stringify(topK)}: expected a positive integer as topK`,
    );
  }
  if (!(topP > 0 && topP <= 1)) {
    throw new RangeError(
      `Cannot sample with topP ${JSON.stringify(topP)}: expected more than 0 and at most 1`,
    );
  }
  if (!(minP >= 0 && minP <= 1)) {
    throw new RangeError(`Cannot sample with minP ${JSON.stringify(minP)}: expected 0 to 1`);
  }
  if (!(repetitionPenalty > 0 && repetitionPenalty < Infinity)) {
    throw new RangeError(
      `Cannot sample with repetitionPenalty ${JSON.stringify(repetitionPenalty)}: expected a ` +
        "number above 0",
    );
  }
  for (const [name, value] of Object.entries({ presencePenalty, frequencyPenalty })) {
    if (Number.isFinite(value)) continue;
    throw new RangeError(`Cannot sample with ${name} ${JSON.stringify(value)}: expected a number`);
  }
  if (processLogits !== undefined && typeof processLogits !== "function") {
    throw new TypeError(
      `Cannot sample with processLogits ${JSON.stringify(processLogits)}: expected a function`,
    );
  }
}

/**
 * Chooses a token.
 *
 * @param logits One number per token, (V).
 * @param options Penalties, temperature, top-k, top-p (Holtzman et al., "The Curious Case of Neural Text Degeneration",
 * 2020) and min-p, which apply in this order.
 * @param random The source of random numbers; unused at temperature 0.
 * @param context The tokens before, on which penalties depend; none by default.
 * @returns A token id; the lowest of several that are equally likely at temperature 0.
 * @throws {RangeError} If a logit is not a number, because the model has diverged; or if `processLogits` leaves no token.
 *
 * @example The most likely token
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Random } from "tunebook";
 * import { chooseToken } from "tunebook/model";
 *
 * assertEquals(chooseToken(new Float32Array([0, 2, 1]), {}, new Random(1)), 1);
 * ```
 */
export function chooseToken(
  logits: Float32Array,
  options: SamplingOptions,
  random: Random,
  context: SamplingContext = NOTHING,
): number {
  assertKnownOptions("sample", options, SAMPLING_OPTIONS);
  assertSampling(options);
  return sampleToken(logits, options, random, context);
}

/** {@linkcode chooseToken} for checked options. */
export function sampleToken(
  logits: Float32Array,
  options: SamplingOptions,
  random: Random,
  context: SamplingContext,
): number {
  const { candidates, weights, total } = chooseCandidates(logits, options, context);
  const { temperature = 0, topK } = options;
  if (temperature === 0 || topK === 1) return candidates[0];
  let left = random.float() * total;
  for (let i = 0; i < candidates.length; i++) {
    left -= weights[i];
    if (left < 0) return candidates[i];
  }
  return candidates.at(-1)!;
}

/** The tokens that may be drawn, with weights in proportion to their probabilities. */
export interface Candidates {
  /** Token ids. */
  readonly candidates: readonly number[];
  /** The weight of each. */
  readonly weights: readonly number[];
  /** The weights' sum. */
  readonly total: number;
}

/**
 * The tokens that may be drawn.
 *
 * @param given One number per token, (V).
 * @param options How to choose. They have been checked.
 * @param context The tokens before.
 * @returns At least one.
 * @throws {RangeError} If a logit is not a number, or no token is left.
 */
export function chooseCandidates(
  given: Float32Array,
  options: SamplingOptions,
  context: SamplingContext,
): Candidates {
  const logits = adjust(given, options, context);
  const { temperature = 0, topK = logits.length, topP = 1, minP = 0 } = options;
  const best = argmax(logits);
  if (temperature === 0 || topK === 1 || logits[best] === Infinity) {
    return { candidates: [best], weights: [1], total: 1 };
  }
  const weightOf = (id: number) => Math.exp((logits[id] - logits[best]) / temperature);
  let candidates = topK < logits.length ? largest(logits, topK) : Array.from(logits.keys());
  let weights = candidates.map(weightOf);
  let total = sumOf(weights);
  if (topP < 1) {
    // Sorting a whole vocabulary takes longer than a small model's step. All tokens below this
    // weight together have less than 1 − topP of the total, so the candidates are among the others.
    const least = (1 - topP) * total / weights.length;
    candidates = candidates.filter((_, i) => weights[i] >= least)
      .sort((a, b) => logits[b] - logits[a] || a - b);
    weights = candidates.map(weightOf);
    let kept = 0;
    let sum = 0;
    while (kept < weights.length && sum < topP * total) sum += weights[kept++];
    candidates.length = weights.length = kept;
    total = sum;
  }
  if (minP > 0) {
    candidates = candidates.filter((_, i) => weights[i] >= minP); // the best one's weight is 1
    weights = candidates.map(weightOf);
    total = sumOf(weights);
  }
  return { candidates, weights, total };
}

/** Logits after penalties and the caller's own processor. The given ones are not changed. */
function adjust(
  given: Float32Array,
  options: SamplingOptions,
  { tokens, promptLength }: SamplingContext,
): Float32Array {
  const { repetitionPenalty = 1, presencePenalty = 0, frequencyPenalty = 0 } = options;
  const { processLogits } = options;
  const repeats = repetitionPenalty !== 1;
  const counts = presencePenalty !== 0 || frequencyPenalty !== 0;
  if (!repeats && !counts && !processLogits) return given;
  const logits = given.slice();
  if (repeats) {
    for (const id of new Set(tokens)) {
      logits[id] = logits[id] < 0 ? logits[id] * repetitionPenalty : logits[id] / repetitionPenalty;
    }
  }
  if (counts) {
    for (const [id, times] of countTokens(tokens, promptLength)) {
      logits[id] -= frequencyPenalty * times + presencePenalty;
    }
  }
  const processed = processLogits?.(logits, tokens, promptLength) ?? logits;
  if (processed instanceof Float32Array && processed.length === given.length) return processed;
  throw new TypeError(
    `Cannot sample from what processLogits returned: expected ${given.length} logits in a Float32Array`,
  );
}

/** How often each token occurs from a place on. */
function countTokens(tokens: readonly number[], first: number): Map<number, number> {
  const counts = new Map<number, number>();
  for (let i = first; i < tokens.length; i++) {
    counts.set(tokens[i], (counts.get(tokens[i]) ?? 0) + 1);
  }
  return counts;
}

const sumOf = (numbers: readonly number[]) => numbers.reduce((sum, number) => sum + number, 0);

/** The tokens with the largest logits, unordered; lower ids win ties. */
function largest(logits: Float32Array, count: number): number[] {
  const threshold = logits.slice().sort()[logits.length - count];
  const above: number[] = [];
  const equal: number[] = [];
  for (let id = 0; id < logits.length; id++) {
    if (logits[id] > threshold) above.push(id);
    else if (logits[id] === threshold) equal.push(id);
  }
  return above.concat(equal.slice(0, count - above.length)).sort((a, b) => a - b);
}

function argmax(logits: Float32Array): number {
  let best = 0;
  for (let id = 0; id < logits.length; id++) {
    if (Number.isNaN(logits[id])) {
      throw new RangeError(`Cannot choose a token: the logit of token ${id} is not a number`);
    }
    if (logits[id] > logits[best]) best = id;
  }
  if (logits[best] === -Infinity) {
    throw new RangeError("Cannot choose a token: all logits are −Infinity");
  }
  return best;
}
