/**
 * Tracks the best validation loss of a training, or another score, its weights, and whether the
 * patience is exhausted.
 *
 * @module
 */

import type { Tensor } from "../tensor/mod.ts";
import { partsOf } from "../tensor/parts.ts";

/** The metric that early stopping follows by default. */
export const VALIDATION_LOSS = "validationLoss";

/** When a training ends before its last step. */
export interface EarlyStopping {
  /** Ends the training after this many consecutive evaluations without improvement. */
  readonly patience: number;
  /**
   * By how much a validation loss must be lower than the best to be an improvement, in nats; or a
   * score better, in its own unit. 0 by default.
   */
  readonly minImprovement?: number;
  /** What is followed: `"validationLoss"`, the default, or a score of the answers, such as `"rougeL"`. */
  readonly metric?: string;
  /** Which values of the metric are better. `Model.train()` knows it of each metric; of a loss, lower ones are. */
  readonly better?: "higher" | "lower";
}

/** The best evaluation so far. */
export interface Best {
  /** The step of the evaluation. */
  readonly step: number;
  /** Its validation loss, in nats, if that is what early stopping follows. */
  readonly validationLoss?: number;
  /** Its score, if early stopping follows one. */
  readonly score?: number;
  /** The number of evaluations without improvement since then. */
  readonly evaluationsSince: number;
  /** The step of the latest evaluation. */
  readonly evaluatedAt: number;
}

/** Tracks validation losses, or scores. */
export class BestTracker {
  /** What it tracks: `"validationLoss"`, or the name of a score. */
  readonly metric: string;
  readonly #higherIsBetter: boolean;
  readonly #patience: number;
  readonly #minImprovement: number;
  readonly #kept: ReadonlyMap<string, Tensor> | undefined;
  #best: Best | undefined;
  #weights: ReadonlyMap<string, Float32Array> | undefined;

  /**
   * @param stopping When to stop; never by default.
   * @param kept Weights that are copied to host memory at each improvement; none by default.
   */
  constructor(
    { patience, minImprovement = 0, metric = VALIDATION_LOSS, better = "lower" }: EarlyStopping = {
      patience: Infinity,
    },
    kept?: ReadonlyMap<string, Tensor>,
  ) {
    this.metric = metric;
    this.#higherIsBetter = better === "higher";
    this.#patience = patience;
    this.#minImprovement = minImprovement;
    this.#kept = kept;
  }

  /** The best evaluation so far, if there was any. */
  get best(): Best | undefined {
    return this.#best;
  }

  /** Whether the patience is exhausted. */
  get exhausted(): boolean {
    return (this.#best?.evaluationsSince ?? 0) >= this.#patience;
  }

  /** The best evaluation's weights by name, if they are kept. */
  get weights(): ReadonlyMap<string, Float32Array> | undefined {
    return this.#weights;
  }

  /**
   * Records an evaluation, and copies the weights if it is the best.
   *
   * @param step The step of the evaluation.
   * @param value Its validation loss or score.
   */
  async observe(step: number, value: number): Promise<void> {
    const best = this.#best;
    if (best && !this.#improves(value, best)) {
      this.#best = { ...best, evaluationsSince: best.evaluationsSince + 1, evaluatedAt: step };
      return;
    }
    if (this.#kept) {
      const weights = new Map(this.#weights);
      for (const [name, tensor] of this.#kept) {
        // The previous best's memory is written over, so that there are never two copies.
        const values = weights.get(name) ?? new Float32Array(tensor.size);
        let at = 0;
        for await (const part of partsOf(tensor)) {
          values.set(part, at);
          at += part.length;
        }
        weights.set(name, values);
      }
      this.#weights = weights;
    }
    this.#best = {
      step,
      ...(this.metric === VALIDATION_LOSS ? { validationLoss: value } : { score: value }),
      evaluationsSince: 0,
      evaluatedAt: step,
    };
  }

  #improves(value: number, { validationLoss, score }: Best): boolean {
    const best = (validationLoss ?? score)!;
    return this.#higherIsBetter
      ? value > best + this.#minImprovement
      : value < best - this.#minImprovement;
  }

  /** Restores the state from a checkpoint. */
  resume(best: Best | undefined, weights?: ReadonlyMap<string, Float32Array>): void {
    this.#best = best;
    this.#weights = weights;
  }

  /** Restores the model's weights of the best evaluation. */
  restore(): void {
    for (const [name, values] of this.#weights ?? []) this.#kept!.get(name)!.assign(values);
  }
}
