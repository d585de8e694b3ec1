/**
 * The data that views of a training need for each step.
 *
 * @module
 */

/**
 * One training step, as plain data. Steps of `sft()` have this form; other training loops can
 * produce it too.
 */
export interface StepRecord {
  /** The number of the step, from 1 (or 0). */
  readonly step: number;
  /** Training loss of the step, before its update; nats per token. */
  readonly loss: number;
  /** Losses measured after the step, if it has an evaluation. */
  readonly evaluation?: {
    /** Loss on the validation part, in nats per token. */
    readonly validationLoss?: number;
    /** Loss of each topic, in nats per token. */
    readonly topicLosses?: Readonly<Record<string, number>>;
  };
  /** Tokens of this step that went through the model. */
  readonly tokensComputed?: number;
  /** The number of steps of the run. */
  readonly totalSteps?: number;
  /** Learning rate of this step. */
  readonly learningRate?: number;
  /** Tokens of this step whose loss counts. */
  readonly tokensCounted?: number;
  /** Seconds that this step took. */
  readonly seconds?: number;
  /** Norm of all gradients before clipping. */
  readonly gradientNorm?: number;
}
