/**
 * Text generation for a batch of prompts, token by token, with a key-value cache. The common prefix
 * of the prompts is computed once.
 *
 * @module
 */

import { assertArray, kindOf } from "../kind_of.ts";
import { Random } from "../random.ts";
import { Decoding, type Finish } from "./decoding.ts";
import { assertNetwork, type Network } from "./model.ts";
import { assertSampling, SAMPLING_OPTIONS, samplingOf, type SamplingOptions } from "./sampling.ts";
import { assertKnownOptions, type OptionNames } from "../options.ts";

/** Options of {@linkcode generate}. */
export interface GenerateOptions extends SamplingOptions {
  /** The most tokens to add. 256 by default. */
  readonly maxNewTokens?: number;
  /** The token or tokens that end a sequence; they are not part of the result. */
  readonly eosId?: number | readonly number[];
  /**
   * Makes, for each prompt, a function that is told each of its new tokens and ends the sequence
   * there by `true`; that token is part of the result. None by default.
   */
  readonly stopper?: () => (token: number) => boolean;
  /**
   * Seed of all draws; each prompt has its own stream, so that batching does not matter. 123 by
   * default.
   */
  readonly seed?: number;
  /** How many prompts are computed at a time. 64 by default. */
  readonly batchSize?: number;
  /** Stops the generation: the call rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** The names of {@linkcode GenerateOptions}. */
export const GENERATE_OPTIONS: OptionNames<GenerateOptions> = {
  ...SAMPLING_OPTIONS,
  maxNewTokens: true,
  eosId: true,
  stopper: true,
  seed: true,
  batchSize: true,
  signal: true,
};

/** A new token of one sequence. */
export interface GeneratedToken {
  /** Index of the prompt. */
  readonly sequence: number;
  /** The token; undefined if the sequence ends without one. */
  readonly token?: number;
  /** Why the sequence ends here, if it does: an end token, the stopper, enough tokens, or a full context. */
  readonly finish?: Finish;
}

/** The result for one prompt. */
export interface Generation {
  /** The new tokens, without the end token. */
  readonly tokens: number[];
  /** Why it ended. */
  readonly finish: Finish;
}

/**
 * Answers prompts and returns when all are done.
 *
 * @param model The model.
 * @param prompts Token ids of each prompt; none may be empty.
 * @param options How tokens are chosen, and when to stop.
 * @returns One result per prompt.
 * @throws {RangeError} If a prompt is empty or does not fit the context, or an option is out of range.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { generate, gpt2Tokenizer, loadNetwork, pick } from "tunebook";
 *
 * const device = await pick({ device: "cpu" });
 * const { network } = await loadNetwork("nano", { device });
 * const tokenizer = gpt2Tokenizer();
 * const [{ tokens }] = await generate(network, [tokenizer.encode("The")], { maxNewTokens: 4 });
 * assertEquals(tokens.length, 4);
 * device.close();
 * ```
 */
export async function generate(
  model: Network,
  prompts: readonly (readonly number[])[],
  options: GenerateOptions = {},
): Promise<Generation[]> {
  assertKnownOptions("generate", options, GENERATE_OPTIONS);
  assertNetwork("generate", model);
  assertArray("continue", prompts, "prompts, each of token ids");
  const results = prompts.map(() => ({ tokens: [] as number[], finish: "length" as const }));
  const generations: Generation[] = results;
  for await (const { sequence, token, finish } of generateTokens(model, prompts, options)) {
    if (token !== undefined) generations[sequence].tokens.push(token);
    if (finish) generations[sequence] = { ...generations[sequence], finish };
  }
  return generations;
}

/**
 * Answers prompts and yields each token as soon as it is known.
 *
 * @param model The model.
 * @param prompts Token ids of each prompt; none may be empty.
 * @param options How tokens are chosen, and when to stop.
 * @returns Tokens of all sequences as they arrive; the last one of a sequence says why it ends.
 * @throws {RangeError} If a prompt is empty or does not fit the context, or an option is out of range.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { gpt2Tokenizer, loadNetwork, pick } from "tunebook";
 * import { generateTokens } from "tunebook/model";
 *
 * const device = await pick({ device: "cpu" });
 * const { network } = await loadNetwork("nano", { device });
 * const prompts = [gpt2Tokenizer().encode("The")];
 * const finishes = [];
 * for await (const { finish } of generateTokens(network, prompts, { maxNewTokens: 2 })) {
 *   finishes.push(finish);
 * }
 * assertEquals(finishes, [undefined, "length"]);
 * device.close();
 * ```
 */
export async function* generateTokens(
  model: Network,
  prompts: readonly (readonly number[])[],
  options: GenerateOptions = {},
): AsyncGenerator<GeneratedToken, void, void> {
  assertKnownOptions("generate", options, GENERATE_OPTIONS);
  assertNetwork("generate", model);
  assertPrompts(model, prompts, options);
  const { maxNewTokens = 256, batchSize = 64 } = options;
  for (let first = 0; first < prompts.length; first += batchSize) {
    const batch = prompts.slice(first, first + batchSize);
    yield* generateBatch(model, batch, first, maxNewTokens, options);
  }
}

/**
 * Checks prompts and options before anything is computed.
 *
 * @param model The model.
 * @param prompts Token ids of each prompt.
 * @param options How tokens are chosen.
 * @throws {RangeError} If a prompt is empty or does not fit the context, or an option is out of range.
 */
export function assertPrompts(
  model: Network,
  prompts: readonly (readonly number[])[],
  options: GenerateOptions,
): void {
  const { maxNewTokens = 256 } = options;
  assertSampling(options);
  if (!Number.isInteger(maxNewTokens) || maxNewTokens < 1) {
    throw new RangeError(
      `Cannot generate ${JSON.stringify(maxNewTokens)} tokens: expected a positive integer as ` +
        "maxNewTokens",
    );
  }
  assertArray("continue", prompts, "prompts, each of token ids");
  prompts.forEach((prompt, i) => {
    if (!Array.isArray(prompt) || !prompt.every(Number.isInteger)) {
      throw new TypeError(
        `Cannot continue prompt ${i}, ${
          kindOf(prompt)
        }: expected token ids, as encodePrompt() gives`,
      );
    }
    if (prompt.length === 0) throw new RangeError(`Cannot answer prompt ${i}: it has no tokens`);
    if (prompt.length > model.contextLength) {
      throw new RangeError(
        `Cannot answer prompt ${i} of ${prompt.length} tokens: ` +
          `the model's context holds ${model.contextLength}`,
      );
    }
  });
}

async function* generateBatch(
  model: Network,
  prompts: readonly (readonly number[])[],
  firstIndex: number,
  maxNewTokens: number,
  options: GenerateOptions,
): AsyncGenerator<GeneratedToken, void, void> {
  const { eosId = [], seed = 123, signal, stopper } = options;
  const ends = new Set(typeof eosId === "number" ? [eosId] : eosId);
  const continuations = prompts.map((prompt, i) => ({
    index: firstIndex + i,
    prompt,
    sampling: samplingOf(options),
    random: new Random([seed, firstIndex + i]),
    maxNewTokens,
    ends,
    ...(stopper && { stops: stopper() }),
  }));
  using decoding = new Decoding<typeof continuations[number]>(model);
  signal?.throwIfAborted();
  for await (const { of, ...token } of decoding.add(continuations)) {
    yield { sequence: of.index, ...token };
  }
  while (decoding.size > 0) {
    signal?.throwIfAborted();
    for await (const { of, ...token } of decoding.step()) yield { sequence: of.index, ...token };
  }
}
