/**
 * The facts that decide a training's steps and their bits, written into checkpoints and compared on
 * resuming.
 *
 * @module
 */

import { encodeHex } from "@std/encoding/hex";
import type { EncodedExample } from "../dataset/mod.ts";
import { describeFrozen } from "../model/trainable.ts";
import type { Network } from "../model/mod.ts";
import { describeDifferences } from "../tensor/facts.ts";
import { type Best, VALIDATION_LOSS } from "./early_stopping.ts";
import type { TrainingOptions } from "./options.ts";
import { allRates } from "./schedule.ts";
import type { LoopSettings, TrainingSettings } from "./settings.ts";
import type { TrainingData } from "./training_data.ts";

/** The content of a checkpoint's `training.json`. */
export interface TrainingState {
  /** The file's version. */
  readonly version: 1;
  /** Steps taken. */
  readonly step: number;
  /**
   * The facts that decide the steps: seeds, order, learning rate, the data's hash. They must be
   * equal on resuming.
   */
  readonly options: Readonly<Record<string, unknown>>;
  /**
   * The best evaluation so far, if the training tracks it; its weights are in `best.safetensors` if
   * kept.
   */
  readonly best?: Best;
  /**
   * The facts that decide the bits: the device's facts (BLAS, its kernels and variables, threads,
   * tilings).
   */
  readonly facts: Readonly<Record<string, string | number | boolean>>;
  /** SHA-256 of each file of tensors in the checkpoint, by its name; there once it is written. */
  readonly files?: Readonly<Record<string, string>>;
  /** SHA-256 of all of the above as JSON without spaces; there once it is written. */
  readonly sha256?: string;
}

/**
 * Describes everything that decides a training's steps. Their number is left out if neither the
 * learning rate nor a relevant evaluation depends on it: such a training may be extended.
 *
 * @param model The model.
 * @param options The training's settings.
 * @param settings What {@linkcode describeSettings} says, or the like.
 * @param totalSteps The number of steps.
 * @returns Plain values by name; long ones as hashes.
 */
export async function describeOptions(
  model: Network,
  options: LoopSettings,
  settings: Readonly<Record<string, unknown>>,
  totalSteps: number,
): Promise<Record<string, unknown>> {
  const { schedule, warmup } = options;
  const prolongable = schedule === "constant" && (warmup >= 1 || warmup === 0) &&
    !followsBest(options);
  const config = Object.entries(model.toConfig()).map(([name, value]) => [`model.${name}`, value]);
  return {
    ...settings,
    ...(!prolongable && { totalSteps }),
    // A function cannot be written down, but what it gave for each step can.
    ...(typeof schedule === "function" && {
      rates: await hash(new Int32Array(allRates(totalSteps, options).buffer)),
    }),
    ...Object.fromEntries(config),
    ...await describeFrozen(model),
  };
}

/**
 * Describes a training's settings: everything that decides its steps except the model.
 *
 * @param options The training's settings.
 * @param data The prepared examples.
 * @returns Plain values by name; long ones as hashes.
 */
export async function describeSettings(
  options: TrainingSettings,
  data: TrainingData,
): Promise<Record<string, unknown>> {
  const { examples, count: { mask, maxLength } } = data;
  return {
    mask,
    maxLength,
    ...await describeLoop(options, () => hashExamples(data.evaluated.validation)),
    examples: await hashExamples(examples),
    ...(examples.some(({ weight }) => weight !== undefined) && {
      weights: await hash(new Int32Array(Float32Array.from(examples, weightOf).buffer)),
    }),
  };
}

/**
 * Describes the settings that every training has.
 *
 * @param options The training's settings.
 * @param hashValidation Identifies the validation examples.
 * @returns Plain values by name; long ones as hashes.
 */
export async function describeLoop(
  options: LoopSettings,
  hashValidation: () => Promise<string>,
): Promise<Record<string, unknown>> {
  const { learningRate, maxGradientNorm, seed, batchSize, order, dropLast, layout } = options;
  const { beta1, beta2, epsilon, weightDecay } = options;
  const { accumulate, schedule, warmup, minLearningRate } = options;
  return {
    layout,
    batchSize,
    dropLast,
    order: typeof order === "string"
      ? order
      : await hash(order.flatMap((batch) => [batch.length, ...batch])),
    seed,
    learningRate,
    maxGradientNorm: maxGradientNorm === Infinity ? null : maxGradientNorm,
    beta1,
    beta2,
    epsilon,
    weightDecay,
    // Newer options are left out if they have their defaults, so that older checkpoints still
    // match.
    ...(accumulate > 1 && { accumulate }),
    ...(typeof schedule === "function"
      ? { schedule: "a function" }
      : schedule !== "constant" && { schedule, minLearningRate }),
    ...(warmup > 0 && { warmup }),
    ...(followsBest(options) && await describeBest(options, hashValidation)),
  };
}

/** Whether the end or the result depends on the best validation loss or score. */
function followsBest({ earlyStopping, restoreBest }: LoopSettings): boolean {
  return earlyStopping !== undefined || restoreBest;
}

/**
 * Checks that a training resumes from a checkpoint as if it had not been interrupted.
 *
 * @param path The checkpoint's directory.
 * @param state The checkpoint's state.
 * @param now The training's own state.
 * @param options The number of steps, and the function to call if bits will differ.
 * @throws {RangeError} If the checkpoint belongs to another training, or the results would not be
 * bit-identical.
 */
export async function assertResumable(
  path: string,
  state: TrainingState,
  now: TrainingState,
  options: Pick<TrainingOptions, "confirmOtherBits"> & { totalSteps: number },
): Promise<void> {
  const { totalSteps, confirmOtherBits } = options;
  const others = describeDifferences(state.options, now.options);
  if (others.length > 0) {
    throw new RangeError(
      `Cannot resume from "${path}": it was made with other options (${others.join("; ")})`,
    );
  }
  if (state.step > totalSteps) {
    throw new RangeError(
      `Cannot resume from "${path}": it is after step ${state.step}, and ${totalSteps} steps ` +
        "are asked for",
    );
  }
  const otherBits = describeDifferences(state.facts, now.facts);
  if (otherBits.length > 0 && !await confirmOtherBits?.(otherBits)) {
    throw new RangeError(
      `Cannot resume from "${path}" to the same bits: ${otherBits.join("; ")}`,
    );
  }
}

/** The settings that decide when a training ends early, and which weights are its best. */
async function describeBest(
  { earlyStopping, restoreBest, evalEvery, evalIters, measurement }: LoopSettings,
  hashValidation: () => Promise<string>,
): Promise<Record<string, unknown>> {
  const { metric = VALIDATION_LOSS, better } = earlyStopping ?? {};
  if (metric !== VALIDATION_LOSS) {
    return {
      restoreBest,
      ...{ metric, better, patience: earlyStopping?.patience },
      minImprovement: earlyStopping?.minImprovement ?? 0,
      measureEvery: measurement?.every,
      ...measurement?.settings,
    };
  }
  return {
    restoreBest,
    patience: earlyStopping?.patience ?? null,
    minImprovement: earlyStopping?.minImprovement ?? 0,
    evalEvery,
    evalIters,
    validation: await hashValidation(),
  };
}

/**
 * Identifies the tokens of examples.
 *
 * @param examples The examples.
 * @returns SHA-256 over tokens and lengths.
 */
export function hashExamples(examples: readonly EncodedExample[]): Promise<string> {
  return hash(
    examples.flatMap(({ promptIds, responseIds, instructionLength, answers = [] }) => [
      promptIds.length,
      responseIds.length,
      instructionLength,
      ...promptIds,
      ...responseIds,
      ...answers.flatMap(({ marker, start, end }) => [marker, start, end]),
    ]),
  );
}

const weightOf = ({ weight = 1 }: EncodedExample) => weight;

async function hash(integers: ArrayLike<number>): Promise<string> {
  return encodeHex(await crypto.subtle.digest("SHA-256", Int32Array.from(integers)));
}
