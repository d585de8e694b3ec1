/**
 * Supervised fine-tuning: `for await (const step of sft(model, options))`.
 *
 * @module
 */

import { formatOf } from "../dataset/encode.ts";
import type { BatchSizes, EntryFormat, ForestBatch } from "../dataset/mod.ts";
import { type DataFile, originsOf } from "../dataset/origin.ts";
import { assertNetwork } from "../model/model.ts";
import type { Network } from "../model/model.ts";
import { trainableParameters } from "../model/trainable.ts";
import { evaluate } from "./evaluate.ts";
import { GradientSum } from "./gradient_sum.ts";
import { rankLeader } from "./notebook_ranks.ts";
import { type Objective, withCellCheckpoint } from "./objective.ts";
import type { AdamW } from "./optimizer.ts";
import { assertSftOptions, assertValidated, type Evaluation, type SftOptions } from "./options.ts";
import { resolveSftOptions, type TrainingSettings } from "./settings.ts";
import { describeSettings } from "./state.ts";
import { lossWeight, type SharedStep, takeStep } from "./step.ts";
import { Training } from "./training.ts";
import { TrainingData } from "./training_data.ts";

/**
 * Sets up supervised fine-tuning of a model's trainable weights: all of them, those that `freeze()`
 * left, or the adapters of `addLora()`. Nothing is computed before the loop begins.
 *
 * The loop may be left at any step, by `break`, an error or a signal. The model then has the
 * weights of the last complete step, and looping over the same object again continues from there.
 *
 * @param model The model, changed in place.
 * @param options Data and settings.
 * @returns The training, to loop over.
 * @throws {TypeError} If there is an unknown option; the message suggests the intended one.
 * @throws {RangeError} If an option is out of range, or a batch or all examples have no counted
 * tokens.
 *
 * @example Two steps on a tiny network
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Gpt2, pick, sft } from "tunebook";
 *
 * const device = await pick({ device: "cpu" });
 * const network = Gpt2.create(device, {
 *   vocabularySize: 9, contextLength: 8, width: 4, layers: 1, heads: 2,
 * });
 * const examples = [
 *   { promptIds: [1, 2], responseIds: [3, 8], instructionLength: 1 },
 *   { promptIds: [1, 4], responseIds: [5, 8], instructionLength: 1 },
 * ];
 * using training = sft(network, { examples, epochs: 2, batchSize: 2, learningRate: 1e-2 });
 * for await (const { step, loss } of training) console.log(step, loss);
 * assertEquals(training.history.length, 2);
 * device.close();
 * ```
 */
export function sft(model: Network, options: SftOptions): Training {
  assertSftOptions(options);
  assertNetwork("train", model);
  const { communicator = rankLeader()?.communicator } = options;
  const settings = resolveSftOptions({ ...withCellCheckpoint(options), communicator }, model);
  return new Training(model, settings, new CrossEntropyObjective(model, settings));
}

/** The mean cross-entropy of the tokens that count. */
class CrossEntropyObjective implements Objective {
  readonly #model: Network;
  readonly #settings: TrainingSettings;
  readonly #data: TrainingData;
  /** Sums gradients with other ranks, if there are any. */
  readonly #sum: GradientSum | undefined;

  constructor(model: Network, settings: TrainingSettings) {
    this.#model = model;
    this.#settings = settings;
    this.#data = new TrainingData(model, settings);
    assertValidated(settings, this.#data.evaluated.validation);
    const { communicator } = settings;
    this.#sum = communicator &&
      new GradientSum(communicator, trainableParameters(model).values());
  }

  get format(): EntryFormat | undefined {
    return formatOf(this.#settings.examples);
  }

  get examples(): number {
    return this.#data.examples.length;
  }

  get files(): DataFile[] {
    return originsOf(this.#settings.examples);
  }

  get validation(): number {
    return this.#data.evaluated.validation.length;
  }

  get stepsPerEpoch(): number {
    return this.#data.stepsPerEpoch;
  }

  get notices(): readonly string[] {
    return this.#data.notices;
  }

  describe(): Promise<Record<string, unknown>> {
    return describeSettings(this.#settings, this.#data);
  }

  async step(
    taken: number,
    optimizer: AdamW,
    { signal, ...settings }: Parameters<Objective["step"]>[2],
  ): ReturnType<Objective["step"]> {
    const { own, all: batches, shared } = this.#batchesOf(taken);
    const { loss, gradientNorm } = await takeStep(this.#model, optimizer, own, {
      ...settings,
      // Ranks stop together, between steps.
      signal: shared ? undefined : signal,
      shared,
      dropoutSeed: this.#model.hasDropout ? [this.#settings.seed, settings.step] : undefined,
    });
    return {
      loss,
      tokensComputed: batches.reduce((sum, { tokensComputed }) => sum + tokensComputed, 0),
      tokensCounted: batches.reduce((sum, { tokensCounted }) => sum + tokensCounted, 0),
      gradientNorm,
    };
  }

  evaluate(signal: AbortSignal | undefined): Promise<Evaluation> {
    return evaluate(this.#model, this.#data, this.#settings, signal);
  }

  /** A step's batches: this rank's parts, and what it must know of the others'. */
  #batchesOf(taken: number): {
    own: ForestBatch[];
    all: (ForestBatch & BatchSizes)[];
    shared?: SharedStep;
  } {
    const { communicator } = this.#settings;
    if (!communicator || !this.#sum) {
      const all = this.#data.batchesOf(taken);
      return { own: all, all };
    }
    const parts = this.#data.partsOf(taken, communicator.size);
    const all = parts.flat().map(({ batch }) => batch).filter((batch) => batch !== undefined);
    const own = parts.flatMap((batch, at) => {
      const { batch: part, rows } = batch[communicator.rank];
      return part ? [{ part, at, rows }] : [];
    });
    return {
      own: own.map(({ part }) => part),
      all,
      shared: {
        normalizer: all.reduce((sum, batch) => sum + lossWeight(batch), 0),
        parts: own,
        sum: this.#sum,
      },
    };
  }
}
