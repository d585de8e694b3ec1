/**
 * What trainings did to a network, kept beside it for whoever saves it: at whichever level it was trained, what it was
 * taught is known. A log holds no tensors, so that it keeps no memory of the device.
 *
 * @module
 */

import type { EntryFormat } from "../dataset/mod.ts";
import type { LoraSettings } from "../model/lora.ts";
import type { Network } from "../model/model.ts";
import type { Evaluation } from "./options.ts";

/** One training of a network. */
export interface TrainingLog {
  /** How its entries were written, where they were encoded as one. */
  readonly format?: EntryFormat;
  /** The adapters that learnt, where not the weights did. */
  readonly adapter?: LoraSettings;
  /** What decides its steps: mask, lengths, seeds, rates, the data's hash; empty until it begins. */
  settings: Readonly<Record<string, unknown>>;
  /** How many examples it learns from. */
  readonly examples: number;
  /** What computed it. */
  readonly device: string;
  /** Steps taken. */
  step: number;
  /** How many there will be. */
  readonly totalSteps: number;
  /** The last step's loss, in nats. */
  loss?: number;
  /** What was measured last. */
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
 * @returns Those that took a step, first to last.
 */
export function trainingsOf(network: Network): readonly TrainingLog[] {
  return (logs.get(network) ?? []).filter(({ step }) => step > 0);
}
