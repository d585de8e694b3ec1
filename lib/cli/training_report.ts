// The messages of `tunebook train` about its settings, a step, the best one, and the end.

import { ChatTemplate } from "../text/mod.ts";
import type { EntryFormat } from "../dataset/mod.ts";
import type {
  Best,
  DpoEvaluation,
  DpoStep,
  Evaluation,
  Observation,
  Step,
  Training,
} from "../train/mod.ts";
import type { LoopSettings } from "../train/settings.ts";
import { describeDuration } from "./duration.ts";

/**
 * A step in a few words, next to the bar; with what was evaluated after it, which stays to be compared, without the speed.
 *
 * @param step The step. "Loss" is always that of its batch before the update.
 * @param secondsLeft About how long the steps after it take; 0 after the last.
 */
export function describeStep(step: Step, secondsLeft = 0): string {
  const { loss, evaluation, learningRate, tokensComputed, seconds } = step;
  const validated = evaluation?.validationLoss;
  return [
    `loss ${loss.toFixed(3)}`,
    ...(isOfPairs(step)
      ? [
        `margin ${step.margin.toFixed(3).replace("-0.000", "0.000")}`,
        `accuracy ${step.accuracy.toFixed(2)}`,
      ]
      : []),
    ...(evaluation ? [`training part ${evaluation.trainLoss.toFixed(3)}`] : []),
    ...(validated === undefined
      ? []
      : [`validation ${validated.toFixed(3)}${describeAccuracy(evaluation)}`]),
    `lr ${describeRate(learningRate)}`,
    ...(secondsLeft > 0 ? [`${describeDuration(secondsLeft)} left`] : []),
    ...(evaluation ? [] : [`${Math.round(tokensComputed / seconds)} tokens/s`]),
  ].join(", ");
}

/** Whether a step is one of a training on preferences. */
function isOfPairs(step: Step): step is DpoStep {
  return "margin" in step;
}

/** The share of validation pairs whose chosen answer has the higher reward, in parentheses, if there are any. */
function describeAccuracy(evaluation: Evaluation | undefined): string {
  const { validation } = (evaluation ?? {}) as Partial<DpoEvaluation>;
  return validation ? ` (accuracy ${validation.accuracy.toFixed(2)})` : "";
}

/** A learning rate with at most three digits. */
function describeRate(rate: number): string {
  const rounded = Number(rate.toPrecision(3));
  return rounded === 0 || rounded >= 0.01 ? String(rounded) : rounded.toExponential();
}

/**
 * Says in which format prompts are written, and why.
 *
 * @param format The model's format.
 * @param isTaught Whether it was taught that format.
 */
export function describeFormatChoice(format: EntryFormat, isTaught: boolean): string {
  const reason = isTaught
    ? "which the model was taught"
    : format instanceof ChatTemplate
    ? "the model's own chat template"
    : "for the model came without a chat template";
  return `Format: "${format.name}", ${reason}; --format takes another`;
}

/** Reports which weights the model has, and whether the training ended early. */
export function sayBest(
  best: Best,
  { step, totalSteps, settings }: Training<Step, LoopSettings>,
): void {
  const { metric } = settings.earlyStopping ?? {};
  if (step < totalSteps) {
    const reason = best.score === undefined
      ? "the validation loss no longer falls"
      : `"${metric}" no longer improves`;
    console.error(`Ended after step ${step} of ${totalSteps}: ${reason}`);
  }
  const value = best.score === undefined
    ? `validation ${best.validationLoss!.toFixed(3)}`
    : `${metric} ${best.score.toFixed(3)}`;
  console.error(`The weights are those of step ${best.step}, ${value}`);
}

/** What was measured after a step: scores, and an answer to each prompt. */
export function describeObservation(step: number, { scores, answers }: Observation): string {
  const numbers = Object.entries(scores).map(([name, score]) => `${name} ${score.toFixed(3)}`);
  const shown = answers.slice(0, SHOWN_ANSWERS).map(({ prompt, answer }) =>
    `  ${prompt.replaceAll("\n", "\n  ")}\n→ ${answer.replaceAll("\n", "\n  ")}`
  );
  return `Answers after step ${step}${numbers.length > 0 ? ` (${numbers.join(", ")})` : ""}:\n${
    shown.join("\n")
  }\n`;
}

/** Answers that are shown of those that are scored; the log has all. */
const SHOWN_ANSWERS = 3;

/** What a training did, in its last line. */
export function describeEnd(
  steps: readonly Pick<Step, "loss" | "evaluation" | "seconds">[],
  path: string,
): string {
  const seconds = steps.reduce((sum, step) => sum + step.seconds, 0);
  const [first, last] = [steps[0], steps[steps.length - 1]];
  if (first === undefined || last === undefined) return `Saved "${path}"`;
  const validated = steps.findLast(({ evaluation }) => evaluation?.validationLoss !== undefined)
    ?.evaluation;
  const count = `${steps.length} step${steps.length === 1 ? "" : "s"}`;
  return `Saved "${path}": ${count} in ${describeDuration(seconds)}, loss ${
    first.loss.toFixed(3)
  } at first and ` +
    `${last.loss.toFixed(3)} at the end` +
    (validated === undefined
      ? ""
      : `, validation ${validated.validationLoss!.toFixed(3)}${describeAccuracy(validated)}`);
}
