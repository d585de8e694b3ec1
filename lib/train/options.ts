/**
 * What a fine-tuning is told, and what it tells of each step.
 *
 * @module
 */

import type { BatchLayout, EncodedExample } from "../dataset/mod.ts";
import type { Network } from "../model/mod.ts";
import { assertKnownOptions, type OptionNames } from "../options.ts";
import type { Mask } from "../text/mod.ts";
import type { EarlyStopping } from "./early_stopping.ts";
import { ADAMW_OPTIONS, type AdamWOptions } from "./optimizer.ts";
import type { TrainingSettings } from "./settings.ts";
import { SCHEDULE_OPTIONS, type ScheduleOptions, SCHEDULES } from "./schedule.ts";

/** Where and when a training writes checkpoints. */
export interface CheckpointOptions {
  /** The directory that holds them. */
  readonly directory: string;
  /** Steps between two checkpoints. 50 by default. */
  readonly every?: number;
  /** Writes more files into a checkpoint before it takes its place; `Model.train()` adds tokenizer and record. */
  readonly complete?: (directory: string) => Promise<void>;
}

/** Options of {@linkcode sft}. */
export interface SftOptions extends AdamWOptions, ScheduleOptions {
  /** What to learn from. */
  readonly examples: readonly EncodedExample[];
  /** What to evaluate on; none by default. */
  readonly validation?: readonly EncodedExample[];
  /** How often to go through the examples. 1 by default. */
  readonly epochs?: number;
  /** Stops after so many steps, if the epochs have more. */
  readonly maxSteps?: number;
  /** Examples a batch. 8 by default. */
  readonly batchSize?: number;
  /**
   * Batches a step, whose gradients are added up: the step of one batch so many times as large, in the memory of one.
   * Of a given order so many batches in a row make a step. 1 by default.
   */
  readonly accumulate?: number;
  /** Whether a last batch that is not full is left out, as the reference does. True by default. */
  readonly dropLast?: boolean;
  /** `shuffled` anew each epoch (the default), as `given`, or batches of indices. */
  readonly order?: "given" | "shuffled" | readonly (readonly number[])[];
  /** How a batch's sequences stand together; `forest` by default, `packed` where the model has dropout. */
  readonly layout?: BatchLayout;
  /** Gradients longer than this, all taken together, are shortened to it. Not by default. */
  readonly maxGradientNorm?: number;
  /** Decides order and dropout. 123 by default. */
  readonly seed?: number;
  /** Which tokens count; `prompt` by default. */
  readonly mask?: Mask;
  /** The most tokens of a sequence; the model's context by default. */
  readonly maxLength?: number;
  /** Evaluates after every so many steps, and after the last; 0 for never. 5 by default. */
  readonly evalEvery?: number;
  /**
   * On so many batches of each part, 5 by default; or `"all"`: on all validation examples, and as many of the others (which needs validation examples).
   */
  readonly evalIters?: number | "all";
  /** Ends the training where the validation loss no longer falls. Not by default. */
  readonly earlyStopping?: EarlyStopping;
  /**
   * Whether the model has the weights of the best validation loss when the loop comes to its end. They are kept in
   * memory, outside of the device. False by default: it has the last step's.
   */
  readonly keepBest?: boolean;
  /**
   * Whether a block's activations are computed again for its gradients, rather than kept since the forward: to the same
   * bits in less memory, and in a third more time. False by default.
   */
  readonly recompute?: boolean;
  /** Run at the end of each epoch; what it returns is the step's `sample`. An error that it throws ends the loop. */
  readonly sample?: (model: Network) => string | Promise<string>;
  /**
   * Where checkpoints are kept, and after how many steps one is written (50 by default, and when it ends). A step's is
   * written when the loop's body is through with the step, so that what the body wrote down is never behind it.
   */
  readonly checkpoint?: CheckpointOptions;
  /**
   * Goes on from the newest checkpoint, if there is one. By default it begins anew, and its first checkpoint replaces
   * those of an earlier training.
   */
  readonly resume?: boolean;
  /**
   * Asked where the checkpoint was made with another device, BLAS or number of threads, so that bits will differ.
   * By default the answer is no, and resuming fails.
   */
  readonly confirmOtherBits?: (differences: readonly string[]) => boolean | Promise<boolean>;
  /** Stops between steps: the loop rejects with the signal's reason. By default the stop button of a notebook. */
  readonly signal?: AbortSignal;
}

/** The names of the options. */
export const SFT_OPTIONS: OptionNames<SftOptions> = {
  examples: true,
  validation: true,
  epochs: true,
  maxSteps: true,
  batchSize: true,
  accumulate: true,
  dropLast: true,
  order: true,
  layout: true,
  ...SCHEDULE_OPTIONS,
  ...ADAMW_OPTIONS,
  maxGradientNorm: true,
  seed: true,
  mask: true,
  maxLength: true,
  evalEvery: true,
  evalIters: true,
  earlyStopping: true,
  keepBest: true,
  recompute: true,
  sample: true,
  checkpoint: true,
  resume: true,
  confirmOtherBits: true,
  signal: true,
};
const EARLY_STOPPING_NAMES: OptionNames<EarlyStopping> = { patience: true, minImprovement: true };
const CHECKPOINT_NAMES: OptionNames<CheckpointOptions> = {
  directory: true,
  every: true,
  complete: true,
};

/** Losses on parts of the data. */
export interface Evaluation {
  /** On the first batches of the examples. */
  readonly trainLoss: number;
  /** On the first batches of the validation examples, if there are any. */
  readonly validationLoss?: number;
}

/** What happened in a step. */
export interface Step {
  /** Its number, from 1. */
  readonly step: number;
  /** How many there will be. */
  readonly totalSteps: number;
  /** Its epoch, from 1. */
  readonly epoch: number;
  /** Mean loss of a counted token of its batch before the update, in nats. */
  readonly loss: number;
  /** Of this step. */
  readonly learningRate: number;
  /** Tokens that the model computed. */
  readonly tokensComputed: number;
  /** Targets that counted. */
  readonly tokensCounted: number;
  /** Wall time of forward, backward and update. */
  readonly seconds: number;
  /** Euclidean norm of all gradients, before clipping. */
  readonly gradientNorm: number;
  /** Losses measured after the update, on steps that evaluate; left out where a stop comes first. */
  readonly evaluation?: Evaluation;
  /** What {@linkcode SftOptions.sample} returned, on the last step of an epoch. */
  readonly sample?: string;
}

/**
 * Checks the options' names and the numbers among them.
 *
 * @param options What was given.
 * @throws {TypeError} If there is an option of another name; the message names it and the one meant.
 * @throws {RangeError} If one is out of range; the message names it.
 */
export function assertOptions(options: SftOptions): void {
  assertKnownOptions("train", options, SFT_OPTIONS);
  assertKnownOptions("stop early", options.earlyStopping, EARLY_STOPPING_NAMES);
  assertKnownOptions("write checkpoints", options.checkpoint, CHECKPOINT_NAMES);
  const check = (name: keyof SftOptions, valid: (value: number) => boolean, expected: string) => {
    const value = options[name];
    if (value !== undefined && !valid(value as number)) {
      throw new RangeError(`Cannot train with "${name}" ${value}: expected ${expected}`);
    }
  };
  const isCount = (value: number) => Number.isInteger(value) && value >= 1;
  const isWhole = (value: number) => Number.isInteger(value) && value >= 0;
  const isSeed = (value: number) => Number.isSafeInteger(value) && value >= 0;
  const isRate = (value: number) => value >= 0 && value < Infinity;
  const isDecay = (value: number) => value >= 0 && value < 1;
  const isWarmup = (value: number) => isWhole(value) || (value > 0 && value < 1);
  check("epochs", isCount, "a positive integer");
  check("maxSteps", isCount, "a positive integer");
  check("batchSize", isCount, "a positive integer");
  check("accumulate", isCount, "a positive integer");
  check("maxLength", isCount, "a positive integer");
  check("evalEvery", isWhole, "an integer of 0 or more");
  if (options.evalIters !== "all") check("evalIters", isCount, 'a positive integer or "all"');
  check("seed", isSeed, "an integer of 0 or more");
  check("learningRate", isRate, "a number of 0 or more");
  check("warmup", isWarmup, "a whole number of steps, or a fraction of all of them below 1");
  check("minLearningRate", isRate, "a number of 0 or more");
  check("weightDecay", isRate, "a number of 0 or more");
  check("maxGradientNorm", (value) => value > 0, "a number above 0");
  check("epsilon", isRate, "a number of 0 or more");
  check("beta1", isDecay, "a number from 0 up to, not including, 1");
  check("beta2", isDecay, "a number from 0 up to, not including, 1");
  const { checkpoint, schedule } = options;
  if (schedule !== undefined && !SCHEDULES.includes(schedule)) {
    throw new RangeError(
      `Cannot train with the schedule "${schedule}": expected one of "${SCHEDULES.join('", "')}"`,
    );
  }
  if (checkpoint?.every !== undefined && !isCount(checkpoint.every)) {
    throw new RangeError(
      `Cannot write checkpoints every ${checkpoint.every} steps: expected a positive integer`,
    );
  }
  if (options.earlyStopping) assertEarlyStopping(options.earlyStopping);
}

/**
 * Checks that there are the validation losses that early stopping and the best weights need.
 *
 * @param options What was given.
 * @param validation Examples of the validation part of which something counts.
 * @throws {RangeError} If there are none.
 */
export function assertValidated(
  { earlyStopping, keepBest, evalEvery }: Pick<
    TrainingSettings,
    "earlyStopping" | "keepBest" | "evalEvery"
  >,
  validation: readonly EncodedExample[],
): void {
  if ((!earlyStopping && !keepBest) || (evalEvery > 0 && validation.length > 0)) return;
  throw new RangeError(
    `Cannot train with "${earlyStopping ? "earlyStopping" : "keepBest"}" without validation ` +
      'losses: expected examples in "validation" and "evalEvery" of 1 or more',
  );
}

function assertEarlyStopping(earlyStopping: EarlyStopping): void {
  const { patience, minImprovement = 0 } = earlyStopping;
  if (!Number.isInteger(patience) || patience < 1) {
    throw new RangeError(
      `Cannot train with a patience of ${patience} evaluations: expected a positive integer`,
    );
  }
  if (!(minImprovement >= 0 && minImprovement < Infinity)) {
    throw new RangeError(
      `Cannot train with "minImprovement" ${minImprovement}: expected a number of 0 or more`,
    );
  }
}
