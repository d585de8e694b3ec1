/**
 * Every default of a training, in one place: `sft()`, the optimizer, the schedule and the command
 * line take theirs here. It imports nothing but types.
 *
 * @module
 */

/** PyTorch's defaults, except the weight decay. */
export const ADAMW_DEFAULTS = {
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  weightDecay: 0.1,
} as const;

/** The defaults of a schedule. */
export const SCHEDULE_DEFAULTS = {
  learningRate: 5e-5,
  schedule: "constant",
  warmup: 0,
  minLearningRate: 0,
} as const;

/**
 * The defaults. Those of the optimizer are PyTorch's, except the weight decay; batch size, learning
 * rate, seed and evaluations are those of chapter 7 of Raschka's "Build a Large Language Model
 * (From Scratch)".
 */
export const SFT_DEFAULTS = {
  epochs: 1,
  maxSteps: Infinity,
  batchSize: 8,
  accumulate: 1,
  dropLast: false,
  order: "shuffled",
  ...SCHEDULE_DEFAULTS,
  ...ADAMW_DEFAULTS,
  maxGradientNorm: Infinity,
  seed: 123,
  mask: "prompt",
  evalEvery: 5,
  evalIters: 5,
  restoreBest: false,
  recompute: false,
  resume: false,
} as const;

/** Steps between two checkpoints, the default of `checkpoint.every`. */
export const CHECKPOINT_EVERY = 50;
