/**
 * The best validation loss of a training: when it was, its weights, and whether waiting for a better one has lasted
 * long enough.
 *
 * @module
 */

import type { Tensor } from "../tensor/mod.ts";

/** When a training ends before its last step. */
export interface EarlyStopping {
  /** Ends it after so many evaluations in a row without improvement. */
  readonly patience: number;
  /** How much lower than the best a validation loss must be to be an improvement, in nats. 0 by default: any. */
  readonly minImprovement?: number;
}

/** The best evaluation so far. */
export interface Best {
  /** After which step it was. */
  readonly step: number;
  /** Its validation loss, in nats. */
  readonly validationLoss: number;
  /** Evaluations since then that were no improvement. */
  readonly evaluationsSince: number;
  /** After which step the latest evaluation was. */
  readonly evaluatedAt: number;
}

/** Follows validation losses. */
export class BestTracker {
  readonly #patience: number;
  readonly #minImprovement: number;
  readonly #kept: ReadonlyMap<string, Tensor> | undefined;
  #best: Best | undefined;
  #weights: ReadonlyMap<string, Float32Array> | undefined;

  /**
   * @param stopping When to end; never by default.
   * @param kept Weights that are copied at each improvement, into memory outside of the device; none by default.
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

  /** Whether the patience is at its end. */
  get exhausted(): boolean {
    return (this.#best?.evaluationsSince ?? 0) >= this.#patience;
  }

  /** The best evaluation's weights by name, if they are kept. */
  get weights(): ReadonlyMap<string, Float32Array> | undefined {
    return this.#weights;
  }

  /**
   * Takes note of an evaluation, and of the weights where it is the best.
   *
   * @param step After which step it was.
   * @param validationLoss What it measured.
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

  /** Goes on from what a checkpoint says. */
  resume(best: Best | undefined, weights?: ReadonlyMap<string, Float32Array>): void {
    this.#best = best;
    this.#weights = weights;
  }

  /** Gives the model the best evaluation's weights back. */
  restore(): void {
    for (const [name, values] of this.#weights ?? []) this.#kept!.get(name)!.assign(values);
  }
}
