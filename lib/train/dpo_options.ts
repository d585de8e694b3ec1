/**
 * The options of a training on preferences, their defaults, and its report of each step.
 *
 * @module
 */

import { assertPairs, type EncodedPair } from "../dataset/preferences.ts";
import type { Network } from "../model/mod.ts";
import { assertKnownOptions, type OptionNames } from "../options.ts";
import { DPO_DEFAULTS } from "./defaults.ts";
import {
  assertOneOf,
  assertOptions,
  type Evaluation,
  type Step,
  TRAINING_OPTIONS,
  type TrainingOptions,
} from "./options.ts";
import {
  PREFERENCE_LOSSES,
  type PreferenceLoss,
  type PreferenceMetrics,
} from "./preference_loss.ts";
import { type LoopSettings, withoutUndefined } from "./settings.ts";

/** Options of {@linkcode dpo}. */
export interface DpoOptions extends TrainingOptions {
  /** The pairs to learn from, as `encodePreferences()` makes them. */
  readonly pairs: readonly EncodedPair[];
  /** The pairs to validate on; none by default. */
  readonly validation?: readonly EncodedPair[];
  /** β: a higher one holds the model closer to the reference. 0.1 by default. */
  readonly beta?: number;
  /**
   * What is minimized, by TRL's names: `sigmoid` (the default; Rafailov et al., 2023), `hinge` (Zhao et al., 2023), `ipo`
   * (Azar et al., 2023; of log-probabilities per token) or `robust` (Chowdhury et al., 2024; with `labelSmoothing`).
   */
  readonly loss?: PreferenceLoss;
  /**
   * For the loss `robust`: the share of pairs whose answers are taken to be exchanged by mistake, below 0.5. 0 by default.
   */
  readonly labelSmoothing?: number;
  /**
   * The model from which log-ratios are measured: `start`, the model when the training begins, with its adapters (the default);
   * or `base`, the model without its adapters.
   */
  readonly reference?: "start" | "base";
}

/** The names of {@linkcode DpoOptions}. */
export const DPO_OPTIONS: OptionNames<DpoOptions> = {
  ...TRAINING_OPTIONS,
  pairs: true,
  validation: true,
  beta: true,
  loss: true,
  labelSmoothing: true,
  reference: true,
};

/**
 * The types of the defaults.
 *
 * @internal
 */
type Defaults = {
  readonly [Name in keyof typeof DPO_DEFAULTS]-?: NonNullable<DpoOptions[Name & keyof DpoOptions]>;
};

/** The options of a training on preferences with every default filled in. */
export interface DpoSettings
  extends Omit<LoopSettings, keyof Defaults | "communicator">, Defaults, Pick<DpoOptions, "pairs"> {
  /** Validation pairs; empty if there are none. */
  readonly validation: readonly EncodedPair[];
}

/** Losses and rewards on parts of the data; losses are means over pairs. */
export interface DpoEvaluation extends Evaluation {
  /** What was measured on the first batches of the training pairs. */
  readonly train: PreferenceMetrics;
  /** What was measured on the first batches of the validation pairs, if there are any. */
  readonly validation?: PreferenceMetrics;
}

/** The report of a step. Its measurements are of its pairs before the update. */
export interface DpoStep extends Step, PreferenceMetrics {
  /** Mean loss of its pairs before the update (`loss`). */
  readonly loss: number;
  /** What was measured after the update, on steps with an evaluation; absent if a stop came first. */
  readonly evaluation?: DpoEvaluation;
}

/**
 * Checks the options of {@linkcode dpo}.
 *
 * @param options The options.
 * @throws {TypeError} If an option is unknown, for which the message suggests the intended one, or not a number.
 * @throws {RangeError} If one is out of range; the message names it.
 */
export function assertDpoOptions(options: DpoOptions): void {
  if (options === undefined) {
    throw new TypeError('Cannot train on preferences without options: expected "pairs"');
  }
  assertKnownOptions("train on preferences", options, DPO_OPTIONS);
  assertOptions(options);
  const { pairs, validation = [], beta, loss, labelSmoothing, reference } = options;
  assertPairs("train on", pairs);
  assertPairs("validate on", validation);
  assertOneOf("loss", loss, PREFERENCE_LOSSES);
  assertOneOf("reference", reference, ["start", "base"]);
  if (beta !== undefined && !(typeof beta === "number" && beta > 0 && beta < Infinity)) {
    throw new RangeError(
      `Cannot train with "beta" ${JSON.stringify(beta)}: expected a number above 0`,
    );
  }
  if (labelSmoothing === undefined) return;
  if (!(typeof labelSmoothing === "number" && labelSmoothing >= 0 && labelSmoothing < 0.5)) {
    throw new RangeError(
      `Cannot train with "labelSmoothing" ${
        JSON.stringify(labelSmoothing)
      }: expected a number from 0 up to, but ` +
        "not including, 0.5",
    );
  }
  if (labelSmoothing > 0 && loss !== "robust") {
    throw new RangeError(
      `Cannot train with "labelSmoothing" ${labelSmoothing} and the loss "${
        loss ?? "sigmoid"
      }": expected ` +
        'the loss "robust"',
    );
  }
}

/**
 * Fills in the defaults of a training on preferences.
 *
 * @param options The options. An undefined option has its default.
 * @param network The network, whose context limits sequences.
 * @returns The settings.
 */
export function resolveDpoOptions(
  options: DpoOptions,
  network: Pick<Network, "contextLength">,
): DpoSettings {
  const given = withoutUndefined(options);
  return {
    ...DPO_DEFAULTS,
    validation: [],
    layout: "forest",
    ...given,
    maxLength: Math.min(given.maxLength ?? Infinity, network.contextLength),
  };
}
