/**
 * Training on preferences: `for await (const step of dpo(model, options))`.
 *
 * @module
 */

import { join } from "@std/path/join";
import { formatOf } from "../dataset/encode.ts";
import { type DataFile, originsOf } from "../dataset/origin.ts";
import type { EntryFormat } from "../dataset/mod.ts";
import type { EncodedPair } from "../dataset/preferences.ts";
import { assertNetwork } from "../model/model.ts";
import type { Network } from "../model/mod.ts";
import { noGrad, scope, type Tensor } from "../tensor/mod.ts";
import { openSafetensors } from "../weights/safetensors/read.ts";
import { writeSafetensors } from "../weights/safetensors/write.ts";
import {
  assertDpoOptions,
  type DpoEvaluation,
  type DpoOptions,
  type DpoSettings,
  type DpoStep,
  resolveDpoOptions,
} from "./dpo_options.ts";
import { type Objective, withCellCheckpoint } from "./objective.ts";
import type { AdamW } from "./optimizer.ts";
import { examplesOf, PreferenceData, type ReferredBatch } from "./preference_data.ts";
import {
  answerLogProbs,
  measurePairs,
  preferenceLoss,
  type PreferenceMetrics,
} from "./preference_loss.ts";
import { describeLoop, hashExamples } from "./state.ts";
import { type BatchLoss, takeStep } from "./step.ts";
import { Training } from "./training.ts";

/**
 * Sets up direct preference optimization of a model's trainable weights (Rafailov et al., "Direct Preference Optimization:
 * Your Language Model is Secretly a Reward Model", 2023): of two answers to a prompt, the chosen one becomes more likely
 * than the rejected one, measured from a reference model. The loss of a pair is −log σ(β Δ), where Δ is by how much the
 * log-ratio log π(answer)/π_ref(answer) of the chosen answer is above that of the rejected one.
 *
 * The reference's log-probabilities are measured once, before the first step, and kept in checkpoints: no second model is
 * loaded. With `addLora()`, the reference of a new adapter is the frozen base. Dropout is off, as in TRL. Everything else is
 * as with `sft()`: the loop may be left at any step, and is resumed to the same bits.
 *
 * @param model The model, changed in place; as a rule, one that has been fine-tuned on answers before.
 * @param options Data and settings.
 * @returns The training, to loop over.
 * @throws {TypeError} If there is an unknown option; the message suggests the intended one.
 * @throws {RangeError} If an option is out of range, or no pair has tokens of both answers left.
 *
 * @example Two steps on a tiny network
 * ```ts
 * import { assert } from "@std/assert";
 * import { Gpt2, pick } from "tunebook";
 * import { dpo } from "tunebook/train";
 *
 * const device = await pick({ device: "cpu" });
 * const network = Gpt2.create(device, {
 *   vocabularySize: 9, contextLength: 8, width: 4, layers: 1, heads: 2,
 * });
 * const prompt = { promptIds: [1, 2], instructionLength: 1 };
 * const pairs = [{
 *   chosen: { ...prompt, responseIds: [3, 8] },
 *   rejected: { ...prompt, responseIds: [4, 5, 8] },
 * }];
 * using training = dpo(network, { pairs, epochs: 2, learningRate: 1e-2 });
 * for await (const { step, loss, margin } of training) console.log(step, loss, margin);
 * const [first, second] = training.history;
 * assert(first.margin === 0 && second.margin > 0);
 * device.close();
 * ```
 */
export function dpo(model: Network, options: DpoOptions): Training<DpoStep, DpoSettings> {
  assertDpoOptions(options);
  assertNetwork("train on preferences", model);
  const settings = resolveDpoOptions(withCellCheckpoint(options), model);
  return new Training(model, settings, new PreferenceObjective(model, settings));
}

/** Log-probabilities of answers under the reference model, (2 N): those of a pair one after the other. */
interface Reference {
  readonly train: Float32Array;
  readonly validation: Float32Array;
}

const REFERENCE_FILE = "reference.safetensors";

class PreferenceObjective implements Objective<DpoStep> {
  readonly notices: readonly string[];
  readonly #model: Network;
  readonly #settings: DpoSettings;
  readonly #data: PreferenceData;
  #reference: Reference | undefined;

  constructor(model: Network, settings: DpoSettings) {
    this.#model = model;
    this.#settings = settings;
    this.#data = new PreferenceData(model, settings);
    this.notices = this.#data.notices;
  }

  get format(): EntryFormat | undefined {
    return formatOf(examplesOf(this.#data.pairs));
  }

  get examples(): number {
    return this.#data.pairs.length;
  }

  get files(): DataFile[] {
    return originsOf(this.#data.pairs);
  }

  get validation(): number {
    return this.#data.validation.length;
  }

  get stepsPerEpoch(): number {
    return this.#data.stepsPerEpoch;
  }

  async describe(): Promise<Record<string, unknown>> {
    const { maxLength, beta, loss, labelSmoothing, reference } = this.#settings;
    const validation = await hashExamples(examplesOf(this.#data.validation));
    return {
      method: "dpo",
      mask: "prompt",
      maxLength,
      ...{ beta, loss, labelSmoothing, reference },
      ...await describeLoop(this.#settings, () => Promise.resolve(validation)),
      examples: await hashExamples(examplesOf(this.#data.pairs)),
      // Checkpoints have the reference's log-probabilities of these too.
      validation,
    };
  }

  async prepare(signal: AbortSignal | undefined): Promise<void> {
    this.#reference ??= await withoutAdapters(this.#model, this.#settings.reference, async () => ({
      train: await this.#measureReference(this.#data.pairs, signal),
      validation: await this.#measureReference(this.#data.validation, signal),
    }));
  }

  async save(checkpoint: string): Promise<void> {
    const entries = Object.entries(this.#reference!).map(([name, values]) => ({
      name,
      shape: [values.length / 2, 2],
      data: () => Promise.resolve(values),
    }));
    await writeSafetensors(join(checkpoint, REFERENCE_FILE), entries);
  }

  async resume(checkpoint: string): Promise<void> {
    using file = await openSafetensors(join(checkpoint, REFERENCE_FILE));
    this.#reference = {
      train: await file.read("train"),
      validation: await file.read("validation"),
    };
  }

  async step(
    taken: number,
    optimizer: AdamW,
    settings: Parameters<Objective["step"]>[2],
  ): ReturnType<Objective<DpoStep>["step"]> {
    const reference = this.#reference!.train;
    const batches = this.#data.indicesOf(taken)
      .map((indices) => this.#data.batchOf(this.#data.pairs, reference, indices));
    const kept: Tensor[] = [];
    try {
      const { loss, gradientNorm } = await takeStep(this.#model, optimizer, batches, {
        ...settings,
        loss: lossOfPairs(this.#settings, kept),
      });
      const logProbs = (await Promise.all(kept.map((one) => one.data()))).flatMap((
        one,
      ) => [...one]);
      const referred = batches.flatMap((batch) => [...batch.reference]);
      return {
        ...measurePairs(logProbs, referred, this.#settings.beta),
        loss,
        tokensComputed: batches.reduce((sum, { tokensComputed }) => sum + tokensComputed, 0),
        tokensCounted: batches.reduce((sum, { tokensCounted }) => sum + tokensCounted, 0),
        gradientNorm,
      };
    } finally {
      for (const one of kept) one.dispose();
    }
  }

  async evaluate(signal: AbortSignal | undefined): Promise<DpoEvaluation> {
    const { batchSize, evalIters } = this.#settings;
    const most = evalIters === "all" ? this.#data.validation.length : evalIters * batchSize;
    const reference = this.#reference!;
    const train = await this.#measure(this.#data.pairs, reference.train, most, signal);
    if (this.#data.validation.length === 0) return { trainLoss: train.loss, train };
    const validation = await this.#measure(
      this.#data.validation,
      reference.validation,
      most,
      signal,
    );
    return { trainLoss: train.loss, validationLoss: validation.loss, train, validation };
  }

  async #measureReference(
    pairs: readonly EncodedPair[],
    signal: AbortSignal | undefined,
  ): Promise<Float32Array<ArrayBuffer>> {
    const measured = new Float32Array(2 * pairs.length);
    for (const indices of this.#data.inOrder(pairs.length)) {
      signal?.throwIfAborted();
      const batch = this.#data.batchOf(pairs, measured, indices);
      using logProbs = scope(() => noGrad(() => answerLogProbs(this.#model, batch)));
      measured.set(await logProbs.data(), 2 * indices[0]!);
    }
    return measured;
  }

  async #measure(
    pairs: readonly EncodedPair[],
    reference: Float32Array,
    most: number,
    signal: AbortSignal | undefined,
  ): Promise<PreferenceMetrics> {
    const count = Math.min(most, pairs.length);
    const all: number[] = [];
    let sum = 0;
    for (const indices of this.#data.inOrder(count)) {
      signal?.throwIfAborted();
      const batch = this.#data.batchOf(pairs, reference, indices);
      const measured = scope(() =>
        noGrad(() => {
          const logProbs = answerLogProbs(this.#model, batch);
          const loss = preferenceLoss(logProbs, batch.reference, batch, this.#settings, 1);
          return { logProbs, loss };
        })
      );
      using logProbs = measured.logProbs;
      using loss = measured.loss;
      sum += await loss.item();
      all.push(...await logProbs.data());
    }
    const { beta } = this.#settings;
    return { ...measurePairs(all, reference.subarray(0, 2 * count), beta), loss: sum / count };
  }
}

/**
 * The loss of a training's batches.
 *
 * @param settings The loss and its constants.
 * @param kept Takes the log-probabilities of each batch's answers, which the caller disposes.
 * @returns The mean over pairs.
 */
export function lossOfPairs(settings: DpoSettings, kept: Tensor[]): BatchLoss<ReferredBatch> {
  return {
    weigh: ({ pairs }) => pairs,
    compute: (network, batch, { normalizer, recompute }) => {
      const logProbs = answerLogProbs(network, batch, { recompute }).keep();
      kept.push(logProbs);
      return preferenceLoss(logProbs, batch.reference, batch, settings, normalizer);
    },
  };
}

/** Calls a function while the model has no adapters, if the reference is the base. */
async function withoutAdapters<T>(
  { linears }: Network,
  reference: DpoSettings["reference"],
  body: () => Promise<T>,
): Promise<T> {
  if (reference !== "base") return await body();
  const adapted = [...linears.values()].filter(({ adapter }) => adapter)
    .map((linear) => ({ linear, adapter: linear.adapter }));
  for (const { linear } of adapted) linear.adapter = undefined;
  try {
    return await body();
  } finally {
    for (const { linear, adapter } of adapted) linear.adapter = adapter;
  }
}
