// Two ways to train and their answers, for the question of chapter 7: is it better?

import {
  cleanResponse,
  encodeExamples,
  formatAlpaca,
  generate,
  gpt2Tokenizer,
  type InstructionEntry,
  loadNetwork,
  pick,
  scoreResponses,
  sft,
} from "tunebook";

/** What one training answered. */
export interface Run {
  /** `"slow"` or `"fast"`: the learning rate. */
  readonly way: string;
  /** Decided the order of examples. */
  readonly seed: number;
  /** ROUGE-L of each answer, from 0 to 1. */
  readonly rougeL: readonly number[];
  /** The answers; of the first seed only. */
  readonly answers?: readonly string[];
}

/** The learning rates that are compared. */
export const WAYS = { slow: 3e-4, fast: 1e-3 } as const;

/** The entries that runs are judged by. */
export const testOf = (entries: readonly InstructionEntry[]) => entries.slice(935, 935 + 60);

/**
 * Trains the nano model both ways with three seeds, and answers test entries greedily.
 *
 * @param entries The instruction data.
 * @returns Six runs.
 */
export async function answersOfRuns(entries: readonly InstructionEntry[]): Promise<Run[]> {
  const tokenizer = gpt2Tokenizer();
  const device = await pick();
  const examples = encodeExamples(entries.slice(0, 320), tokenizer);
  const test = testOf(entries);
  const prompts = test.map((entry) => tokenizer.encode(formatAlpaca(entry)));
  const runs: Run[] = [];
  for (const seed of [1, 2, 3]) {
    for (const [way, learningRate] of Object.entries(WAYS)) {
      const { network: model } = await loadNetwork("nano", { device });
      for await (const _ of sft(model, { examples, learningRate, seed, evalEvery: 0 }));
      const generations = await generate(model, prompts, {
        maxNewTokens: 32,
        eosId: tokenizer.eosId,
      });
      const answers = generations.map(({ tokens }) => cleanResponse(tokenizer.decode(tokens)));
      const scores = scoreResponses(
        test.map((entry, i) => ({ ...entry, model_response: answers[i] })),
      );
      runs.push({
        way,
        seed,
        rougeL: scores.each.map(({ rougeL }) => rougeL),
        ...(seed === 1 && { answers }),
      });
      for (const parameter of model.parameters.values()) parameter.dispose();
    }
  }
  return runs;
}
