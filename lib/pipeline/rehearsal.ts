/**
 * A training as a plan rehearses it: the batches of each step, and the calls that the training makes on its device. There is
 * one for each way to learn.
 *
 * @module
 */

import { chunk } from "@std/collections/chunk";
import type { EncodedExample } from "../dataset/mod.ts";
import { forest } from "../dataset/mod.ts";
import type { BatchSizes } from "../dataset/sequences.ts";
import type { ForestBatch } from "../forest.ts";
import { lossOf, type Network } from "../model/mod.ts";
import { noGrad, scope, type Tensor } from "../tensor/mod.ts";
import { lossOfPairs } from "../train/dpo.ts";
import type { DpoSettings } from "../train/dpo_options.ts";
import type { AdamW } from "../train/optimizer.ts";
import { examplesOf, PreferenceData, type ReferredBatch } from "../train/preference_data.ts";
import { answerLogProbs, preferenceLoss } from "../train/preference_loss.ts";
import type { LoopSettings, TrainingSettings } from "../train/settings.ts";
import { takeStep } from "../train/step.ts";
import { TrainingData } from "../train/training_data.ts";

/** A batch that is computed without gradients. */
export interface Pass {
  /** Its tokens, with none shared. */
  readonly tokens: number;
  /** Lays it out. */
  layOut(): ForestBatch & BatchSizes;
  /** Computes it. */
  compute(): void;
}

/** A training on a device that computes nothing. */
export interface Rehearsal {
  /** The settings that every training has. */
  readonly settings: LoopSettings;
  /** How many examples or pairs it learns from. */
  readonly examples: number;
  /** Notices about the data for the user. */
  readonly notices: readonly string[];
  /** The number of steps per epoch. */
  readonly stepsPerEpoch: number;
  /** What is computed once, before the first step. */
  readonly prepared: readonly Pass[];
  /** What each evaluation computes. */
  readonly evaluated: readonly Pass[];
  /** The batches of the step after `taken` steps. */
  batchesOf(taken: number): readonly (ForestBatch & BatchSizes)[];
  /** The tokens of its largest batch, with none shared. */
  sizeOf(taken: number): number;
  /** Takes it. */
  take(taken: number, optimizer: AdamW): Promise<void>;
}

/**
 * Rehearses supervised fine-tuning.
 *
 * @param network The network on a device that computes nothing.
 * @param settings The training's settings.
 * @returns The rehearsal.
 */
export function rehearseSft(network: Network, settings: TrainingSettings): Rehearsal {
  const data = new TrainingData(network, settings);
  const { batchSize, seed } = settings;
  const passOf = (examples: readonly EncodedExample[]): Pass => ({
    tokens: tokensOf(examples, settings.maxLength),
    layOut: () => forest(examples, data.count),
    compute() {
      using _loss = scope(() => noGrad(() => lossOf(network, forest(examples, data.count))));
    },
  });
  const { train, validation } = data.evaluated;
  const most = evaluatedCount(settings, validation);
  return {
    settings,
    examples: data.examples.length,
    notices: data.notices,
    stepsPerEpoch: data.stepsPerEpoch,
    prepared: [],
    evaluated: [train, validation]
      .flatMap((part) => chunk(part.slice(0, most), batchSize)).map(passOf),
    batchesOf: (taken) => data.batchesOf(taken),
    sizeOf: (taken) => data.sizeOf(taken),
    async take(taken, optimizer) {
      await takeStep(network, optimizer, data.batchesOf(taken), {
        ...stepSettings(taken, settings),
        dropoutSeed: network.hasDropout ? [seed, taken] : undefined,
      });
    },
  };
}

/**
 * Rehearses a training on preferences.
 *
 * @param network The network on a device that computes nothing.
 * @param settings The training's settings.
 * @returns The rehearsal.
 */
export function rehearseDpo(network: Network, settings: DpoSettings): Rehearsal {
  const data = new PreferenceData(network, settings);
  const { pairs: learnt, validation } = data;
  type Pairs = typeof learnt;
  const layOut = (pairs: Pairs, indices: readonly number[]) =>
    data.batchOf(pairs, new Float32Array(2 * pairs.length), indices);
  const sizeOf = (pairs: Pairs, indices: readonly number[]) =>
    tokensOf(examplesOf(indices.map((i) => pairs[i]!)), settings.maxLength);
  const passesOf = (count: number, run: (batch: ReferredBatch) => Tensor) =>
    [learnt, validation].flatMap((pairs) =>
      Array.from(data.inOrder(Math.min(count, pairs.length)), (indices): Pass => ({
        tokens: sizeOf(pairs, indices),
        layOut: () => layOut(pairs, indices),
        compute() {
          using _result = scope(() => noGrad(() => run(layOut(pairs, indices))));
        },
      }))
    );
  const logProbsOf = (batch: ReferredBatch) => answerLogProbs(network, batch);
  const lossesOf = (batch: ReferredBatch) =>
    preferenceLoss(logProbsOf(batch), batch.reference, batch, settings, 1);
  const batchesOf = (taken: number) =>
    data.indicesOf(taken).map((indices) => layOut(learnt, indices));
  return {
    settings,
    examples: learnt.length,
    notices: data.notices,
    stepsPerEpoch: data.stepsPerEpoch,
    prepared: passesOf(Infinity, logProbsOf),
    evaluated: passesOf(evaluatedCount(settings, validation), lossesOf),
    batchesOf,
    sizeOf: (taken) => Math.max(...data.indicesOf(taken).map((indices) => sizeOf(learnt, indices))),
    async take(taken, optimizer) {
      const kept: Tensor[] = [];
      await takeStep(network, optimizer, batchesOf(taken), {
        ...stepSettings(taken, settings),
        loss: lossOfPairs(settings, kept),
      });
      for (const one of kept) one.dispose();
    },
  };
}

function stepSettings(taken: number, { maxGradientNorm, recompute }: LoopSettings) {
  return { step: taken + 1, learningRate: 0, maxGradientNorm, recompute };
}

/** How many examples of each part an evaluation takes. */
function evaluatedCount(
  { evalEvery, evalIters, batchSize }: LoopSettings,
  validation: readonly unknown[],
): number {
  if (evalEvery === 0) return 0;
  return evalIters === "all" ? validation.length : evalIters * batchSize;
}

function tokensOf(examples: readonly EncodedExample[], maxLength: number): number {
  return examples.reduce(
    (sum, { promptIds, responseIds }) =>
      sum + Math.min(promptIds.length + responseIds.length, maxLength),
    0,
  );
}
