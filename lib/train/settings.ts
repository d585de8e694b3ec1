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
