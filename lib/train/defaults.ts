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

/** The defaults that every training has. */
const LOOP_DEFAULTS = {
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
  evalEvery: 5,
  evalIters: 5,
  restoreBest: false,
  recompute: false,
  resume: false,
} as const;

/**
 * The defaults. Those of the optimizer are PyTorch's, except the weight decay; batch size, learning
 * rate, seed and evaluations are those of chapter 7 of Raschka's "Build a Large Language Model
 * (From Scratch)".
 */
export const SFT_DEFAULTS = { ...LOOP_DEFAULTS, mask: "prompt" } as const;

/** The defaults of a training on preferences; those that differ are TRL's. */
export const DPO_DEFAULTS = {
  ...LOOP_DEFAULTS,
  learningRate: 1e-6,
  weightDecay: 0,
  maxGradientNorm: 1,
  beta: 0.1,
  loss: "sigmoid",
  labelSmoothing: 0,
  reference: "start",
} as const;

/**
 * What `tunebook train` uses for LoRA where nothing else is asked for: adapters begin at 0, and learn with
 * a higher rate than whole weights do (2e-4 in Dettmers et al., "QLoRA", 2023, Table 9).
 */
export const LORA_DEFAULTS = {
  learningRate: 2e-4,
  maxGradientNorm: 1,
  /** The most steps of the warm-up, and the most as a share of an epoch. */
  warmup: { steps: 10, share: 0.1 },
} as const;

/** What `tunebook train --method dpo` uses for LoRA; TRL's documentation recommends this rate for adapters. */
export const DPO_LORA_DEFAULTS = { learningRate: 1e-5 } as const;

/** Steps between two checkpoints, the default of `checkpoint.every`. */
export const CHECKPOINT_EVERY = 50;
