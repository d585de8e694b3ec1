/**
 * Tracks the best validation loss of a training, its weights, and whether the patience is
 * exhausted.
 *
 * @module
 */

import type { Tensor } from "../tensor/mod.ts";

/** When a training ends before its last step. */
export interface EarlyStopping {
  /** Ends the training after this many consecutive evaluations without improvement. */
  readonly patience: number;
  /**
   * By how much a validation loss must be lower than the best to be an improvement, in nats. 0 by
   * default.
   */
  readonly minImprovement?: number;
}

/** The best evaluation so far. */
export interface Best {
  /** The step of the evaluation. */
  readonly step: number;
  /** Its validation loss, in nats. */
  readonly validationLoss: number;
  /** The number of evaluations without improvement since then. */
  readonly evaluationsSince: number;
  /** The step of the latest evaluation. */
  readonly evaluatedAt: number;
}

/** Tracks validation losses. */
export class BestTracker {
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
    { patience, minImprovement = 0 }: EarlyStopping = { patience: Infinity },
    kept?: ReadonlyMap<string, Tensor>,
  ) {
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
   * @param validationLoss Its validation loss.
   */
  async observe(step: number, validationLoss: number): Promise<void> {
    const best = this.#best;
    if (best && !(validationLoss < best.validationLoss - this.#minImprovement)) {
      this.#best = { ...best, evaluationsSince: best.evaluationsSince + 1, evaluatedAt: step };
      return;
    }
    if (this.#kept) {
      const weights = new Map<string, Float32Array>();
      for (const [name, tensor] of this.#kept) weights.set(name, await tensor.data());
      this.#weights = weights;
    }
    this.#best = { step, validationLoss, evaluationsSince: 0, evaluatedAt: step };
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
