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
}

/** The names of {@linkcode SamplingOptions}. */
export const SAMPLING_OPTIONS: OptionNames<SamplingOptions> = {
  temperature: true,
  topK: true,
  topP: true,
};

/**
 * Checks options before anything is computed.
 *
 * @param options The caller's options.
 * @throws {RangeError} If one is out of range.
 */
export function assertSampling({ temperature = 0, topK, topP = 1 }: SamplingOptions): void {
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
}

/**
 * Chooses a token.
 *
 * @param logits One number per token, (V).
 * @param options Temperature, top-k, top-p (Holtzman et al., "The Curious Case of Neural Text Degeneration", 2020).
 * @param random The source of random numbers; unused at temperature 0.
 * @returns A token id; the lowest of several that are equally likely at temperature 0.
 * @throws {RangeError} If a logit is not a number: the model has diverged.
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
): number {
  assertKnownOptions("sample", options, SAMPLING_OPTIONS);
  return sampleToken(logits, options, random);
}

/** {@linkcode chooseToken} for checked options. */
export function sampleToken(
  logits: Float32Array,
  options: SamplingOptions,
  random: Random,
): number {
  const { temperature = 0, topK = logits.length, topP = 1 } = options;
  const best = argmax(logits);
  if (temperature === 0 || topK === 1) return best;

  const weightOf = (id: number) => Math.exp((logits[id] - logits[best]) / temperature);
  let candidates = topK < logits.length ? largest(logits, topK) : Array.from(logits.keys());
  let weights = candidates.map(weightOf);
  let total = weights.reduce((sum, weight) => sum + weight, 0);
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
    candidates.length = kept;
    total = sum;
  }
  let left = random.float() * total;
  for (let i = 0; i < candidates.length; i++) {
    left -= weights[i];
    if (left < 0) return candidates[i];
  }
  return candidates.at(-1)!;
}

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
  return best;
}
