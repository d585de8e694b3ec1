// A real model for chapter 9, recorded: what it answers before and after the few steps of LoRA that the chapter takes.

import { type InstructionEntry, loadModel, measureLoss, type Model, pick } from "tunebook";
import { compareTable, type StepRecord, type View } from "tunebook/show";

/** What was recorded of a model. */
export interface RecordedModel {
  /** The model's name. */
  readonly name: string;
  /** The number of its weights. */
  readonly weights: number;
  /** The highest learning rate and the rank of the adapters. */
  readonly learningRate: number;
  readonly rank: number;
  /** The number of entries that it learnt. */
  readonly entries: number;
  /** Held-out questions with the answers of the data set and of the model. */
  readonly answers: readonly {
    readonly prompt: string;
    readonly reference: string;
    readonly before: string;
    readonly after: string;
  }[];
  /** The training loss of each step. */
  readonly losses: readonly number[];
  /** The loss on held-out entries. */
  readonly heldOut: { readonly before: number; readonly after: number };
}

/** The parts of the instruction data that chapter 9 uses: all are entries that no other part has. */
export const PARTS = { heldOut: [0, 24], training: [64, 160] } as const;

/** The test entries that are asked, by their index. */
const ASKED = [949, 953, 959, 965, 972, 984, 989];

/** The question of an entry, as it is shown. */
const questionOf = ({ instruction, input }: InstructionEntry) =>
  input === "" ? instruction : `${instruction}\n${input}`;

/**
 * Teaches a model as the chapter does, and asks it before and after.
 *
 * @param source The model, as `loadModel` finds it.
 * @param name How the model is called in the recording.
 * @param entries The instruction data.
 * @returns What is kept.
 */
export async function recordModel(
  source: string,
  name: string,
  entries: readonly InstructionEntry[],
): Promise<RecordedModel> {
  const [learningRate, rank] = [5e-4, 8];
  const device = await pick();
  const model: Model = await loadModel(source, { device, lora: { rank } });
  const weights = [...model.network.parameters.values()].reduce((sum, { size }) => sum + size, 0);
  const asked = ASKED.map((i) => entries[i]);
  const ask = () => model.answer(asked.map(questionOf), { maxNewTokens: 48 });
  const heldOut = model.encodeExamples(entries.slice(...PARTS.heldOut));
  const before = { answers: await ask(), loss: (await measureLoss(model.network, heldOut)).loss };
  const training = model.train(entries.slice(...PARTS.training), {
    epochs: 1,
    learningRate,
    weightDecay: 0,
    evalEvery: 0,
  });
  for await (const { step, loss } of training) console.log(`Step ${step}: loss ${loss}`);
  const after = { answers: await ask(), loss: (await measureLoss(model.network, heldOut)).loss };
  return {
    name,
    weights,
    learningRate,
    rank,
    entries: PARTS.training[1] - PARTS.training[0],
    answers: asked.map((entry, i) => ({
      prompt: questionOf(entry),
      reference: entry.output,
      before: before.answers[i],
      after: after.answers[i],
    })),
    losses: training.history.map(({ loss }) => loss),
    heldOut: { before: before.loss, after: after.loss },
  };
}

/**
 * Shows the recorded answers.
 *
 * @param recorded The recording.
 * @returns A table of held-out questions.
 */
export function recordedAnswers(recorded: RecordedModel): View {
  const { name, weights, entries, answers } = recorded;
  return compareTable(answers, {
    caption: `Recorded: ${name}, ${Math.round(weights / 1e6)} million weights, before and after ` +
      `${recorded.losses.length} steps of LoRA on ${entries} entries`,
  });
}

/**
 * The recorded steps, for `lossCurve`.
 *
 * @param recorded The recording.
 * @returns A record per step.
 */
export function recordedSteps({ losses }: RecordedModel): StepRecord[] {
  return losses.map((loss, i) => ({ step: i + 1, loss }));
}
