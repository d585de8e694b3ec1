/**
 * The settings of a training: its options with every default filled in. They are used, shown and
 * checkpointed.
 *
 * @module
 */

import type { BatchLayout } from "../dataset/mod.ts";
import type { Network } from "../model/mod.ts";
import { SFT_DEFAULTS } from "./defaults.ts";
import type { SftOptions } from "./options.ts";

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

/** The settings that every training has. */
export type LoopSettings = Omit<TrainingSettings, "examples" | "validation" | "mask">;

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
  const given = withoutUndefined(options);
  return {
    ...SFT_DEFAULTS,
    validation: [],
    layout: network.hasDropout ? "packed" : "forest",
    ...given,
    maxLength: Math.min(given.maxLength ?? Infinity, network.contextLength),
  };
}

/** The options that are given. */
export function withoutUndefined<T extends object>(options: T): T {
  return Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  ) as T;
}
