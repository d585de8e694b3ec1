/**
 * Loss and gradients of a step, over one batch or several that together make a larger one.
 *
 * @module
 */

import { lossOf, type Network } from "../model/mod.ts";
import { Random } from "../random.ts";
import { backward, globalNorm, scope, type Tensor } from "../tensor/mod.ts";
import { type TrainingBatch, weightOf } from "./batch.ts";

/** Options of {@linkcode learn}. */
export interface LearnOptions {
  /** Chooses what is dropped; nothing without it. Each batch drops something else. */
  readonly dropoutSeed?: readonly number[];
  /** Whether blocks' activations are computed again for the gradients, rather than kept. */
  readonly recompute?: boolean;
  /** Stops between two batches: rejects with its reason, gradients of those before left as they are. */
  readonly signal?: AbortSignal;
}

/** What {@linkcode learn} found. */
export interface Learnt {
  /** Mean loss of a counted token over all the batches, in nats. */
  readonly loss: number;
  /** Euclidean norm of all gradients. */
  readonly gradientNorm: number;
}

/**
 * Adds the gradients of batches to those that a model's parameters have. Each batch's loss is divided by the counted
 * tokens of all of them, so that loss and gradients are those of one batch with the examples of all.
 *
 * @param model The model.
 * @param parameters Those of its parameters that learn.
 * @param batches The batches, at least one.
 * @param options Dropout, memory, stopping.
 * @returns The loss, and the gradients' norm.
 */
export async function learn(
  model: Network,
  parameters: Iterable<Tensor>,
  batches: readonly TrainingBatch[],
  options: LearnOptions = {},
): Promise<Learnt> {
  const { dropoutSeed, recompute, signal } = options;
  const normalizer = batches.reduce((sum, batch) => sum + weightOf(batch), 0);
  const batchLoss = (batch: TrainingBatch, at: number) => {
    const seed = dropoutSeed && new Random(at === 0 ? dropoutSeed : [...dropoutSeed, at]).uint32();
    return scope(() => {
      const loss = lossOf(model, batch, { normalizer, dropoutSeed: seed, recompute });
      backward(loss);
      return loss;
    });
  };
  let sum = 0;
  for (const [at, batch] of batches.slice(0, -1).entries()) {
    using loss = batchLoss(batch, at);
    sum += await loss.item();
    signal?.throwIfAborted();
  }
  // The last batch's loss is waited for together with the norm.
  using loss = batchLoss(batches.at(-1)!, batches.length - 1);
  const gradients = Array.from(parameters, ({ grad }) => grad).filter((grad) => grad !== undefined);
  const [gradientNorm, last] = await Promise.all([globalNorm(gradients), loss.item()]);
  return { loss: sum + last, gradientNorm };
}
