// Chapter 10: trainings on preferences, what their loop reports, and what the model then answers.

import { frames, lineChart, table, View } from "tunebook/show";
import type { DpoStep } from "tunebook/train";

/** A training on preferences, and what came out of it. */
export interface PreferenceRun {
  /** What it is called. */
  readonly name: string;
  /** The reports of its steps. */
  readonly steps: readonly DpoStep[];
  /** What the model answers at the end. */
  readonly answers: readonly string[];
}

const LOOKS = ["loss and accuracy", "log-probabilities"] as const;

/** How many answers are shown. */
const SHOWN = 5;

/** Two views, one above the other. */
function stack(above: View, below: View): View {
  return new View(() => ({
    "text/html": `<div>${above.html}${below.html}</div>`,
    "text/plain": `${above.text}\n${below.text}`,
  }));
}

/**
 * Shows trainings by what they report: their loss and accuracy, or what became of both answers' log-probabilities.
 *
 * @param questions What the models were asked.
 * @param runs The trainings.
 * @returns Buttons for the training and for what is drawn; below, the answers.
 */
export function preferenceView(
  questions: readonly string[],
  runs: readonly PreferenceRun[],
): View {
  return frames(
    { run: runs.map(({ name }) => name), look: LOOKS },
    ({ run, look }) => {
      const { steps, answers } = runs.find(({ name }) => name === run)!;
      const last = steps.at(-1)!;
      const line = (name: string, pick: (step: DpoStep) => number) => ({
        name,
        x: steps.map(({ step }) => step),
        y: steps.map(pick),
      });
      const chart = look === "loss and accuracy"
        ? lineChart([line("loss", ({ loss }) => loss), line("accuracy", (step) => step.accuracy)], {
          title: `At the end: loss ${last.loss.toFixed(2)}, accuracy ${last.accuracy.toFixed(2)}`,
          xLabel: "step",
          yLabel: "loss (nats per pair), accuracy",
        })
        : lineChart([
          line("chosen answers", ({ chosenLogProb }) => chosenLogProb),
          line("rejected answers", ({ rejectedLogProb }) => rejectedLogProb),
        ], {
          title: `Chosen answers: from ${steps[0].chosenLogProb.toFixed(1)} to ${
            last.chosenLogProb.toFixed(1)
          } nats`,
          xLabel: "step",
          yLabel: "log-probability (nats per answer)",
        });
      const rows = questions.slice(0, SHOWN).map((question, i) => ({
        question,
        "answer at the end": answers[i],
      }));
      return stack(chart, table(rows));
    },
    { title: "Three runs", labels: { run: "training", look: "drawn" } },
  );
}
