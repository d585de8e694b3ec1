/**
 * Records the trainings of a network for saving it later, regardless of the level at which it was
 * trained. A log contains no tensors, so that it does not retain device memory.
 *
 * @module
 */

import type { DataFile } from "../dataset/origin.ts";
import type { EntryFormat } from "../dataset/mod.ts";
import type { LoraSettings } from "../model/lora.ts";
import type { Network } from "../model/model.ts";
import type { Evaluation } from "./options.ts";

/** One training of a network. */
export interface TrainingLog {
  /** The format of its entries, if they have one format. */
  readonly format?: EntryFormat;
  /** The trained adapters, if the weights were frozen. */
  readonly adapter?: LoraSettings;
  /**
   * The settings that decide its steps: mask, lengths, seeds, rates, the data's hash; empty until
   * it begins.
   */
  settings: Readonly<Record<string, unknown>>;
  /** The number of training examples. */
  readonly examples: number;
  /** The files that the examples were read from, as far as that is known. */
  readonly files: readonly DataFile[];
  /** The device. */
  readonly device: string;
  /** Steps taken. */
  step: number;
  /** How many there will be. */
  readonly totalSteps: number;
  /** The last step's loss, in nats. */
  loss?: number;
  /** The last evaluation. */
  evaluation?: Evaluation;
}

const logs = new WeakMap<Network, TrainingLog[]>();

/** Adds a training to those of a network. */
export function addTrainingLog(network: Network, log: TrainingLog): void {
  logs.set(network, [...logs.get(network) ?? [], log]);
}

/**
 * The trainings of a network in this process.
 *
 * @param network The network.
 * @returns Those that took a step, in order.
 */
export function trainingsOf(network: Network): readonly TrainingLog[] {
  return (logs.get(network) ?? []).filter(({ step }) => step > 0);
}
