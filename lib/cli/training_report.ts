// What `tunebook train` says of a step, and of the best one at its end.

import type { Best, Step, Training } from "../train/mod.ts";

/** A step in a few words, beside the bar. */
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

/** Says on standard error which weights the model has, and whether the training ended early. */
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
