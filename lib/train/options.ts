/**
 * The options of a training, and its report of each step.
 *
 * @module
 */

import { assertExamples } from "../dataset/encode.ts";
import { type BatchLayout, LAYOUTS } from "../dataset/forest.ts";
import type { EncodedExample } from "../dataset/mod.ts";
import type { Network } from "../model/mod.ts";
import type { Communicator } from "../mpi/mod.ts";
import { assertKnownOptions, type OptionNames } from "../options.ts";
import { type Mask, MASKS } from "../text/mask.ts";
import { type EarlyStopping, VALIDATION_LOSS } from "./early_stopping.ts";
import { ADAMW_OPTIONS, type AdamWOptions } from "./optimizer.ts";
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

/** One of the answers that a model gives while it learns. */
export interface SampleAnswer {
  /** What it was asked. */
  readonly prompt: string;
  /** What it answered. */
  readonly answer: string;
  /** The answer that the data has. */
  readonly reference: string;
}

/** What is measured of a model while it learns. */
export interface Observation {
  /** Scores by the names of metrics. */
  readonly scores: Readonly<Record<string, number>>;
  /** The answers that are scored. */
  readonly answers: readonly SampleAnswer[];
}

/** How a model is measured while it learns, besides its losses. It must not change the model. */
export interface Measurement {
  /** Measures after every this many steps, and after the last. */
  readonly every: number;
  /** Measures the model; rejects with the signal's reason if it is stopped. */
  readonly measure: (model: Network, signal?: AbortSignal) => Promise<Observation>;
  /** All that the scores depend on, which checkpoints record where early stopping depends on a score. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/** Options of every training: its steps, its evaluations, its checkpoints. */
export interface TrainingOptions extends AdamWOptions, ScheduleOptions {
  /** The number of passes over the examples. 1 by default. */
  readonly epochs?: number;
  /** Stops after this many steps, if the epochs have more. */
  readonly maxSteps?: number;
  /** Examples per batch. 8 by default. */
  readonly batchSize?: number;
  /**
   * Batches per step, whose gradients are accumulated: the step of a batch that many times larger,
   * in the memory of one. With a given order, consecutive batches form a step. 1 by default.
   */
  readonly accumulate?: number;
  /** Whether an incomplete last batch of each epoch is left out, as in Raschka's chapter 7. False by default. */
  readonly dropLast?: boolean;
  /** `shuffled` again for each epoch (the default), as `given`, or batches of indices. */
  readonly order?: "given" | "shuffled" | readonly (readonly number[])[];
  /**
   * How the sequences of a batch are laid out; `forest` by default, `packed` if the model has
   * dropout.
   */
  readonly layout?: BatchLayout;
  /** The gradient norm, over all parameters, is clipped to this. Not clipped by default. */
  readonly maxGradientNorm?: number;
  /** Seed of order and dropout. 123 by default. */
  readonly seed?: number;
  /** The most tokens of a sequence; the model's context by default. */
  readonly maxLength?: number;
  /** Evaluates after every this many steps, and after the last; 0 for never. 5 by default. */
  readonly evalEvery?: number;
  /**
   * The number of batches of each part to evaluate on, 5 by default; or `"all"`: all validation
   * examples, and as many training examples (which needs validation examples).
   */
  readonly evalIters?: number | "all";
  /** Answers and scores that are taken as the model learns; none by default. `Model.train()` makes it of its `answers`. */
  readonly measurement?: Measurement;
  /** Ends the training if the validation loss, or another score, no longer improves. Not by default. */
  readonly earlyStopping?: EarlyStopping;
  /**
   * Whether the model gets the weights of the best validation loss, or score, when the loop ends. They are
   * kept in host memory. False by default: the model has the last step's weights.
   */
  readonly restoreBest?: boolean;
  /**
   * Whether a block's activations are recomputed for its gradients instead of being kept:
   * bit-identical results with less memory in a third more time. False by default.
   */
  readonly recompute?: boolean;
  /**
   * Called at the end of each epoch; its result is the step's `sample`. An error that it throws
   * ends the loop.
   */
  readonly sample?: (model: Network) => string | Promise<string>;
  /**
   * Where checkpoints are kept, and after how many steps one is written (50 by default, and at the
   * end). The checkpoint of a step is written after the loop's body has run, so that the body's own
   * records are never behind it.
   */
  readonly checkpoint?: CheckpointOptions;
  /**
   * Resumes from the newest checkpoint, if there is one. By default the training starts from the
   * beginning, and its first checkpoint replaces those of an earlier training.
   */
  readonly resume?: boolean;
  /**
   * Called if the checkpoint was made with another device, BLAS or number of threads, so that bits
   * will differ. By default resuming then fails.
   */
  readonly confirmOtherBits?: (differences: readonly string[]) => boolean | Promise<boolean>;
  /** Stops between steps: the loop rejects with the signal's reason. By default the stop button of a notebook. */
  readonly signal?: AbortSignal;
}

/** Options of {@linkcode sft}. */
export interface SftOptions extends TrainingOptions {
  /** The training examples. */
  readonly examples: readonly EncodedExample[];
  /** The validation examples; none by default. */
  readonly validation?: readonly EncodedExample[];
  /** Which tokens count; `prompt` by default. */
  readonly mask?: Mask;
  /**
   * Other processes that each compute a part of every batch, from `joinRanks()`. All take the same steps with the same
   * model, data and settings; rank 0 samples and reads and writes checkpoints. Alone by default.
   */
  readonly communicator?: Communicator;
}

/** The names of {@linkcode TrainingOptions}. */
export const TRAINING_OPTIONS: OptionNames<TrainingOptions> = {
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
  maxLength: true,
  evalEvery: true,
  evalIters: true,
  measurement: true,
  earlyStopping: true,
  restoreBest: true,
  recompute: true,
  sample: true,
  checkpoint: true,
  resume: true,
  confirmOtherBits: true,
  signal: true,
};
/** The names of {@linkcode SftOptions}. */
export const SFT_OPTIONS: OptionNames<SftOptions> = {
  ...TRAINING_OPTIONS,
  examples: true,
  validation: true,
  mask: true,
  communicator: true,
};
const EARLY_STOPPING_NAMES: OptionNames<EarlyStopping> = {
  patience: true,
  minImprovement: true,
  metric: true,
  better: true,
};
const MEASUREMENT_NAMES: OptionNames<Measurement> = { every: true, measure: true, settings: true };
/** The names of {@linkcode CheckpointOptions}. */
export const CHECKPOINT_OPTIONS: OptionNames<CheckpointOptions> = {
  directory: true,
  every: true,
  complete: true,
};

/** Losses on parts of the data. */
export interface Evaluation {
  /** The loss on the first batches of the training examples. */
  readonly trainLoss: number;
  /** The loss on the first batches of the validation examples, if there are any. */
  readonly validationLoss?: number;
  /**
   * The loss of each topic on the same validation examples, or training examples if there are none; only if they have more
   * than one topic.
   */
  readonly topicLosses?: Readonly<Record<string, number>>;
  /** Topics that are not learnt while others are, or whose loss swings, in sentences; only if there are any. */
  readonly warnings?: readonly string[];
}

/** The report of a step. */
export interface Step {
  /** Its number, from 1. */
  readonly step: number;
  /** The number of steps of the training. */
  readonly totalSteps: number;
  /** Its epoch, from 1. */
  readonly epoch: number;
  /** Mean loss of its batch before the update, per counted token in nats; of {@linkcode dpo}, per pair. */
  readonly loss: number;
  /** The learning rate of this step. */
  readonly learningRate: number;
  /** Tokens that the model computed. */
  readonly tokensComputed: number;
  /** Targets that counted. */
  readonly tokensCounted: number;
  /** Wall time of forward, backward and update. */
  readonly seconds: number;
  /** Euclidean norm of all gradients, before clipping. */
  readonly gradientNorm: number;
  /** Losses measured after the update, on steps with an evaluation; absent if a stop came first. */
  readonly evaluation?: Evaluation;
  /** Answers and scores after the update, on steps with a measurement; absent if a stop came first. */
  readonly observation?: Observation;
  /** What went wrong in a sentence, if the loss rises far above what it was. */
  readonly warning?: string;
  /** The result of {@linkcode TrainingOptions.sample}, on the last step of an epoch. */
  readonly sample?: string;
}

/**
 * Checks the options of {@linkcode sft}.
 *
 * @param options The options.
 * @throws {TypeError} If an option is unknown, for which the message suggests the intended one, or not a number.
 * @throws {RangeError} If one is out of range; the message names it.
 */
export function assertSftOptions(options: SftOptions): void {
  if (options === undefined) {
    throw new TypeError('Cannot train without options: expected "examples"');
  }
  assertKnownOptions("train", options, SFT_OPTIONS);
  assertOptions(options);
  const { examples, validation = [], mask } = options;
  assertExamples("train on", examples);
  assertExamples("validate on", validation);
  assertOneOf("mask", mask, MASKS);
}

/**
 * Checks an option that is one of several names.
 *
 * @param name The option.
 * @param value Its value; undefined is not checked.
 * @param known The names.
 * @throws {RangeError} If it is another.
 */
export function assertOneOf(name: string, value: unknown, known: readonly string[]): void {
  if (value === undefined || (known as readonly unknown[]).includes(value)) return;
  throw new RangeError(
    `Cannot train with the ${name} ${JSON.stringify(value)}: expected one of ` +
      `"${known.join('", "')}"`,
  );
}

/**
 * Checks the values of the options that every training has; their names are checked before.
 *
 * @param options The options.
 * @throws {TypeError} If an option is not a number, or one of an option's own names is unknown.
 * @throws {RangeError} If one is out of range; the message names it.
 */
export function assertOptions(options: TrainingOptions): void {
  assertKnownOptions("stop early", options.earlyStopping, EARLY_STOPPING_NAMES);
  assertKnownOptions("write checkpoints", options.checkpoint, CHECKPOINT_OPTIONS);
  assertKnownOptions("measure", options.measurement, MEASUREMENT_NAMES);
  const check = (
    name: keyof TrainingOptions,
    valid: (value: number) => boolean,
    expected: string,
  ) => {
    const value = options[name];
    if (value === undefined) return;
    if (typeof value !== "number") {
      const found = JSON.stringify(value);
      throw new TypeError(`Cannot train with "${name}" ${found}: expected ${expected}`);
    }
    if (!valid(value)) {
      throw new RangeError(`Cannot train with "${name}" ${value}: expected ${expected}`);
    }
  };
  const isCount = (value: number) => Number.isInteger(value) && value >= 1;
  const isWhole = (value: number) => Number.isInteger(value) && value >= 0;
  const isSeed = (value: number) => Number.isSafeInteger(value) && value >= 0;
  const isRate = (value: number) => value >= 0 && value < Infinity;
  const isDecay = (value: number) => value >= 0 && value < 1;
  const isWarmup = (value: number) => isWhole(value) || (value > 0 && value < 1);
  for (const name of ["dropLast", "recompute", "restoreBest"] as const) {
    const value = options[name];
    if (value === undefined || typeof value === "boolean") continue;
    const found = JSON.stringify(value);
    throw new TypeError(`Cannot train with "${name}" ${found}: expected true or false`);
  }
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
  check("beta1", isDecay, "a number from 0 up to, but not including, 1");
  check("beta2", isDecay, "a number from 0 up to, but not including, 1");
  const { checkpoint } = options;
  if (typeof options.schedule !== "function") assertOneOf("schedule", options.schedule, SCHEDULES);
  assertOneOf("layout", options.layout, LAYOUTS);
  if (checkpoint?.every !== undefined && !isCount(checkpoint.every)) {
    throw new RangeError(
      `Cannot write checkpoints every ${checkpoint.every} steps: expected a positive integer`,
    );
  }
  const { measurement, earlyStopping } = options;
  if (measurement !== undefined && !isCount(measurement.every)) {
    throw new RangeError(
      `Cannot measure after every ${measurement.every} steps: expected a positive integer`,
    );
  }
  if (earlyStopping) assertEarlyStopping(earlyStopping, measurement);
}

/**
 * Checks that there are validation losses, which early stopping and the best weights need.
 *
 * @param options The options.
 * @param validation Validation examples with counted tokens.
 * @throws {RangeError} If there are none.
 */
export function assertValidated(
  { earlyStopping, restoreBest, evalEvery }: Pick<SftOptions, "earlyStopping" | "restoreBest"> & {
    readonly evalEvery: number;
  },
  validation: readonly unknown[],
): void {
  if (earlyStopping?.metric !== undefined && earlyStopping.metric !== VALIDATION_LOSS) return;
  if ((!earlyStopping && !restoreBest) || (evalEvery > 0 && validation.length > 0)) return;
  throw new RangeError(
    `Cannot train with "${earlyStopping ? "earlyStopping" : "restoreBest"}" without validation ` +
      'losses: expected examples in "validation" and "evalEvery" of 1 or more',
  );
}

function assertEarlyStopping(earlyStopping: EarlyStopping, measurement?: Measurement): void {
  const { patience, minImprovement = 0, metric = VALIDATION_LOSS, better } = earlyStopping;
  if (metric !== VALIDATION_LOSS && !measurement) {
    throw new TypeError(
      `Cannot stop early by "${metric}" without answers to score: expected "answers" with this metric`,
    );
  }
  if (metric !== VALIDATION_LOSS && better !== "higher" && better !== "lower") {
    throw new TypeError(
      `Cannot stop early by "${metric}" with "better" ${
        JSON.stringify(better)
      }: expected "higher" or "lower"`,
    );
  }
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
