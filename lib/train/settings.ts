/**
 * The defaults of a training, resolved in this one place. The resolved settings are used, shown and
 * checkpointed.
 *
 * @module
 */

import type { BatchLayout } from "../dataset/mod.ts";
import type { Network } from "../model/mod.ts";
import { ADAMW_DEFAULTS } from "./optimizer.ts";
import type { SftOptions } from "./options.ts";
import { SCHEDULE_DEFAULTS } from "./schedule.ts";

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
  dropLast: true,
  order: "shuffled",
  ...SCHEDULE_DEFAULTS,
  ...ADAMW_DEFAULTS,
  maxGradientNorm: Infinity,
  seed: 123,
  mask: "prompt",
  evalEvery: 5,
  evalIters: 5,
  keepBest: false,
  recompute: false,
  resume: false,
} as const satisfies Partial<SftOptions>;

/** Steps between two checkpoints, the default of `checkpoint.every`. */
export const CHECKPOINT_EVERY = 50;

/**
 * The types of the defaults.
 *
 * @internal
 */
type Defaults = {
  readonly [Name in keyof typeof SFT_DEFAULTS]-?: NonNullable<SftOptions[Name & keyof SftOptions]>;
};

/** The options of a training with every default filled in. */
export interface TrainingSettings extends Omit<SftOptions, keyof Defaults>, Defaults {
  /** Validation examples; empty if there are none. */
  readonly validation: NonNullable<SftOptions["validation"]>;
  /** The most tokens of a sequence. */
  readonly maxLength: number;
  /** How a batch's sequences are laid out. */
  readonly layout: BatchLayout;
}

/**
 * Fills in the defaults of a training.
 *
 * @param options The options. An undefined option has its default.
 * @param network The network, whose context limits sequences, and whose dropout decides the layout.
 * @returns The settings.
 */
export function resolveSftOptions(
  options: SftOptions,
  network: Pick<Network, "contextLength" | "hasDropout">,
): TrainingSettings {
  const given = Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  ) as unknown as SftOptions;
  return {
    ...SFT_DEFAULTS,
    validation: [],
    layout: network.hasDropout ? "packed" : "forest",
    ...given,
    maxLength: Math.min(given.maxLength ?? Infinity, network.contextLength),
  };
}
