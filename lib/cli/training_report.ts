// The messages of `tunebook train` about a step, and about the best one.

import type { Best, Step, Training } from "../train/mod.ts";

/** A step in a few words, next to the bar. */
export function describeStep({ loss, evaluation, tokensComputed, seconds }: Step): string {
  const rate = `${Math.round(tokensComputed / seconds)} tokens/s`;
  const losses = evaluation
    ? `loss ${evaluation.trainLoss.toFixed(3)}` +
      (evaluation.validationLoss === undefined
        ? ""
        : `, validation ${evaluation.validationLoss.toFixed(3)}`)
    : `loss ${loss.toFixed(3)}`;
  return `${losses}, ${rate}`;
}

/** Reports which weights the model has, and whether the training ended early. */
export function sayBest(best: Best, { step, totalSteps }: Training): void {
  if (step < totalSteps) {
    console.error(
      `Ended after step ${step} of ${totalSteps}: the validation loss no longer falls`,
    );
  }
  console.error(
    `The weights are those of step ${best.step}, validation ${best.validationLoss.toFixed(3)}`,
  );
}
