/**
 * Answers to many questions, each as soon as it is finished.
 *
 * @module
 */

import { Decoding, type Finish } from "../model/decoding.ts";
import type { GenerateOptions, Network } from "../model/mod.ts";
import { samplingOf } from "../model/sampling.ts";
import { Random } from "../random.ts";

/** An answer that is finished, as tokens. */
export interface FinishedTokens {
  /** The question's index. */
  readonly index: number;
  /** Which of its samples, from 0. */
  readonly sample: number;
  /** The answer's tokens, without the one that ended it. */
  readonly tokens: readonly number[];
  /** Why it ended. */
  readonly finish: Finish;
}

/**
 * Continues prompts, up to `batchSize` at a time; when one ends, the next one takes its place. Each has the draws of its
 * index and sample, so that neither the batches nor the prompts that are left out matter.
 *
 * @param network The model.
 * @param prompts The prompts, with their indexes. They fit the context.
 * @param options How tokens are chosen, and how many results each prompt has. They have been checked.
 * @returns The results, in the order in which they end.
 */
export async function* continueEach(
  network: Network,
  prompts: readonly { readonly index: number; readonly prompt: readonly number[] }[],
  options: GenerateOptions & { readonly samples?: number },
): AsyncGenerator<FinishedTokens, void, void> {
  const { seed = 123, maxNewTokens = 256, batchSize = 64, samples = 1, signal } = options;
  const { eosId = [], stopper } = options;
  const ends = new Set(typeof eosId === "number" ? [eosId] : eosId);
  const waiting = prompts.flatMap(({ index, prompt }) =>
    Array.from({ length: samples }, (_, sample) => ({
      index,
      sample,
      prompt,
      sampling: samplingOf(options),
      // The first sample is what a question without further ones gets.
      random: new Random(sample === 0 ? [seed, index] : [seed, index, sample]),
      maxNewTokens,
      ends,
      ...(stopper && { stops: stopper() }),
      tokens: [] as number[],
    }))
  );
  using decoding = new Decoding<typeof waiting[number]>(network);
  while (waiting.length > 0 || decoding.size > 0) {
    signal?.throwIfAborted();
    const joining = waiting.splice(0, batchSize - decoding.size);
    const decoded = joining.length > 0 ? decoding.add(joining) : decoding.step();
    for await (const { of, token, finish } of decoded) {
      if (token !== undefined) of.tokens.push(token);
      if (finish) yield { index: of.index, sample: of.sample, tokens: of.tokens, finish };
    }
  }
}
