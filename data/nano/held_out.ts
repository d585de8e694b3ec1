/**
 * What the pre-training text must not contain: the held-out pairs, in every wording.
 *
 * @module
 */

import { everyWording, type LabelledPair, makePairs } from "../instructions/make.ts";

/** How the set is split, in the order of the file: training, test, then validation. */
export const SPLIT = { train: 0.85, test: 0.10 } as const;

/** Answers shorter than this, such as "s.length", say too little to tell where they come from. */
const SHORTEST = 12;

/** Text in lower case, with each run of white space as one blank. */
export function normalize(text: string): string {
  return text.toLowerCase().replace(/\s+/g, " ").trim();
}

/** The pairs after the training part. */
export function heldOutPairs(pairs: readonly LabelledPair[] = makePairs()): LabelledPair[] {
  return pairs.slice(Math.trunc(pairs.length * SPLIT.train));
}

/**
 * The normalized texts that give a held-out pair away: its answer, and its instruction where that
 * says the whole task, in each wording that the fine-tuning data uses.
 */
export function heldOutTexts(pairs: readonly LabelledPair[] = heldOutPairs()): string[] {
  const texts = pairs.flatMap((pair) =>
    everyWording(pair).flatMap(({ instruction, input, output }) =>
      input ? [`${instruction}\n${input}`, output] : [instruction, output]
    )
  );
  return [...new Set(texts.map(normalize))].filter((text) => text.length >= SHORTEST);
}
