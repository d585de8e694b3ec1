// The duplicate leak of chapter 1: what reworded copies of held-out entries in the training data do to the loss by which
// a model is judged.

import {
  encodeExamples,
  gpt2Tokenizer,
  type InstructionEntry,
  loadNetwork,
  measureLoss,
  pick,
  Random,
  sft,
} from "tunebook";
import { figure, frames, lineChart, type View } from "tunebook/show";

/** A training with some leaks. */
export interface LeakRun {
  /** How many of the held-out entries are, reworded, in the training data. */
  readonly leaks: number;
  /** Steps at which losses were measured. */
  readonly steps: readonly number[];
  /** Loss on the held-out entries, in nats. */
  readonly heldOut: readonly number[];
  /** Loss on entries of the same kinds that nothing leaks from. */
  readonly clean: readonly number[];
}

/** Other wordings of an instruction, such as collections from several sources have. */
const REWORDINGS: readonly ((text: string) => string)[] = [
  (text) => `Please ${text[0].toLowerCase()}${text.slice(1)}`,
  (text) => text.toUpperCase(),
  (text) => text.replace(/[.?!]$/, ""),
  (text) => `${text} Thank you!`,
];

/**
 * Rewords some entries and puts them among others.
 *
 * @param train Where to.
 * @param from What leaks.
 * @param count How many of `from`.
 * @param seed Decides which, how they are reworded, and where they are.
 * @returns As many entries as `train` has: the copies take the places of others.
 */
export function plantLeaks(
  train: readonly InstructionEntry[],
  from: readonly InstructionEntry[],
  count: number,
  seed = 11,
): InstructionEntry[] {
  const random = new Random(seed);
  const result = [...train];
  const places = random.shuffle([...result.keys()]).slice(0, count);
  const leaking = random.shuffle([...from]).slice(0, count);
  places.forEach((place, i) => {
    const reword = REWORDINGS[i % REWORDINGS.length];
    result[place] = { ...leaking[i], instruction: reword(leaking[i].instruction) };
  });
  return result;
}

/**
 * Trains the nano model with leaks, and measures as it goes.
 *
 * @param entries The instruction data.
 * @param leaks How many leaks, 24 at most.
 * @param epochs How often it goes through its 96 entries.
 * @returns The losses.
 */
export async function trainWithLeaks(
  entries: readonly InstructionEntry[],
  leaks: number,
  epochs = 4,
): Promise<LeakRun> {
  const [heldOut, clean, rest] = [[0, 24], [24, 48], [48, 144]].map(([from, to]) =>
    entries.slice(from, to)
  );
  const tokenizer = gpt2Tokenizer();
  const [heldOutExamples, cleanExamples, examples] = [
    heldOut,
    clean,
    plantLeaks(rest, heldOut, leaks),
  ].map((part) => encodeExamples(part, tokenizer));
  const { network: model } = await loadNetwork("nano", { device: await pick() });
  const run = { leaks, steps: [0], heldOut: [] as number[], clean: [] as number[] };
  const measure = async () => {
    run.heldOut.push((await measureLoss(model, heldOutExamples)).loss);
    run.clean.push((await measureLoss(model, cleanExamples)).loss);
  };
  await measure();
  const training = sft(model, { examples, epochs, learningRate: 1e-3, evalEvery: 0, seed: 5 });
  for await (const { step } of training) {
    if (step % 8 > 0) continue;
    run.steps.push(step);
    await measure();
  }
  return run;
}

/**
 * Shows trainings by the number of leaks.
 *
 * @param runs Recorded or live.
 * @returns A slider over the runs.
 */
export function leakView(runs: readonly LeakRun[]): View {
  const highest = Math.max(...runs.flatMap(({ heldOut, clean }) => [...heldOut, ...clean]));
  return frames(
    { leaks: runs.map(({ leaks }) => leaks) },
    ({ leaks }) => {
      const { steps, heldOut, clean } = runs.find((run) => run.leaks === leaks)!;
      const { data, layout } = lineChart([
        { name: "held-out", x: steps, y: heldOut },
        { name: "clean", x: steps, y: clean },
      ], {
        title: `${leaks} of 24 held-out entries leak: the gap is ${
          (clean.at(-1)! - heldOut.at(-1)!).toFixed(2)
        } nats`,
        xLabel: "step",
        yLabel: "loss",
      });
      // The same scale in every frame.
      return figure(data, { ...layout, yaxis: { ...layout.yaxis, range: [0, 1.05 * highest] } });
    },
    { title: "Duplicate leak", labels: { leaks: "entries that leak" } },
  );
}
