// The embedded model and a few entries, for what takes a moment.

import { loadModel, type LoadModelOptions, type Model } from "../../lib/pipeline/mod.ts";
import type { InstructionEntry } from "../../lib/dataset/mod.ts";

/** Loads the embedded model onto the CPU. */
export function loadNano(options: LoadModelOptions = {}): Promise<Model> {
  return loadModel("nano", { device: "cpu", ...options });
}

/** Entries that a model can learn. */
export const ENTRIES: readonly InstructionEntry[] = Array.from({ length: 16 }, (_, i) => ({
  instruction: i % 2 === 0 ? `Name the colour number ${i}.` : "Repeat the word.",
  input: i % 2 === 0 ? "" : `word ${i}`,
  output: i % 2 === 0 ? "Blue." : `word ${i}`,
}));

/** Two steps: enough to change the weights. */
export const SHORT = { batchSize: 8, learningRate: 1e-3, maxSteps: 2, evalEvery: 0 } as const;
