/**
 * What a training minimizes: its data, its loss and what it measures. The loop in `training.ts` does the rest.
 *
 * @module
 */

import type { EntryFormat } from "../dataset/mod.ts";
import type { DataFile } from "../dataset/origin.ts";
import { nextCellCheckpoint } from "../restorable.ts";
import type { AdamW } from "./optimizer.ts";
import type { Evaluation, Step, TrainingOptions } from "./options.ts";
import type { StepSettings } from "./step.ts";

/** The parts of a step's report that the loop itself knows. */
type KnownToLoop =
  | "step"
  | "totalSteps"
  | "epoch"
  | "learningRate"
  | "seconds"
  | "warning"
  | "sample"
  | "observation"
  | "evaluation";

/** What a training minimizes. */
export interface Objective<Report extends Step = Step> {
  /** The format of its entries, if they have one format. */
  readonly format: EntryFormat | undefined;
  /** How many examples it learns from. */
  readonly examples: number;
  /** The files that these were read from, as far as that is known. */
  readonly files: readonly DataFile[];
  /** How many it is validated on. */
  readonly validation: number;
  /** The number of steps per epoch. */
  readonly stepsPerEpoch: number;
  /** Warnings to show before it begins. */
  readonly notices: readonly string[];
  /** Describes all that decides its steps except the model: plain values by name; long ones as hashes. */
  describe(): Promise<Record<string, unknown>>;
  /** Measures what is needed before the first step, unless that is known. */
  prepare?(signal: AbortSignal | undefined): Promise<void>;
  /** Reads what {@linkcode Objective.save} wrote. */
  resume?(checkpoint: string): Promise<void>;
  /** Writes files of its own into a checkpoint. */
  save?(checkpoint: string): Promise<void>;
  /**
   * Takes a step: forward, backward, clip, update. If it is stopped or fails, the weights are unchanged.
   *
   * @param taken The number of steps before it.
   * @param optimizer The optimizer of the trainable parameters.
   * @param settings Learning rate, clipping, memory, stopping.
   * @returns The report of the step.
   */
  step(
    taken: number,
    optimizer: AdamW,
    settings: Pick<
      StepSettings,
      "step" | "learningRate" | "maxGradientNorm" | "recompute" | "signal"
    >,
  ): Promise<Omit<Report, KnownToLoop>>;
  /** Measures losses on training and validation examples. */
  evaluate(signal: AbortSignal | undefined): Promise<Evaluation>;
}

/** In a notebook cell with cached results, a training without a checkpoint directory gets one. */
export function withCellCheckpoint<Options extends TrainingOptions>(options: Options): Options {
  const cell = options.checkpoint ? undefined : nextCellCheckpoint();
  if (!cell) return options;
  const { directory, resume } = cell;
  return { ...options, checkpoint: { directory }, resume: options.resume ?? resume };
}
