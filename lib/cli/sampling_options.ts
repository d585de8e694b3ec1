// The options that say how tokens are drawn, in order of the help.

import { Option } from "commander";
import { notesOnGeneration } from "../pipeline/generation_defaults.ts";
import type { AnswerOptions, Model } from "../pipeline/mod.ts";
import { readCount, readNumber, readPositive, readRate, readShare } from "./arguments.ts";

/** The values of {@linkcode samplingOptions}. */
export interface SamplingOptions {
  maxNewTokens: number;
  temperature: number;
  topK?: number;
  topP?: number;
  minP?: number;
  repetitionPenalty?: number;
  presencePenalty?: number;
  frequencyPenalty?: number;
  stop?: string[];
}

/** The options. */
export function samplingOptions(): Option[] {
  const option = (flags: string, description: string) => new Option(flags, description);
  return [
    option("--max-new-tokens <n>", "the most tokens of an answer")
      .argParser(readCount).default(256),
    option(
      "--temperature <t>",
      "0 takes the most likely token; 1 draws from the model's probabilities",
    ).argParser(readRate).default(0),
    option("--top-k <k>", "draw only from the k most likely tokens").argParser(readCount),
    option("--top-p <p>", "draw only from the most likely tokens with total probability p")
      .argParser(readShare),
    option("--min-p <p>", "draw only from tokens at least p times as likely as the most likely one")
      .argParser(readShare),
    option(
      "--repetition-penalty <x>",
      "above 1, make tokens of the prompt and the answer less likely, as transformers does",
    ).argParser(readPositive),
    option("--presence-penalty <x>", "subtract x from the logits of tokens that the answer has")
      .argParser(readNumber),
    option("--frequency-penalty <x>", "subtract x for each time that the answer has a token")
      .argParser(readNumber),
    option("--stop <text>", "end the answer before this text; may be given several times")
      .argParser((text, before: string[] = []) => [...before, text]),
  ];
}

/** The option for several answers. */
export function samplesOption(): Option {
  return new Option("--samples <n>", "answers to draw, at a temperature above 0")
    .argParser(readCount).default(1);
}

/**
 * Refuses samples that would all be the same, before a model is loaded.
 *
 * @param samples The value of --samples.
 * @param drawing What {@linkcode readSampling} returned.
 */
export function assertDiffering(samples: number, { temperature }: { temperature: number }): void {
  if (samples === 1 || temperature !== 0) return;
  throw new RangeError(
    `Cannot draw ${samples} samples at --temperature 0: they would be equal; give --temperature above 0, such as 0.7`,
  );
}

/**
 * The options for `Model.answer()`. Says which of them change nothing.
 *
 * @param options The command's options.
 * @returns Those that were given.
 */
export function readSampling(
  options: SamplingOptions,
): AnswerOptions & { maxNewTokens: number; temperature: number } {
  const { maxNewTokens, temperature, topK, topP, minP, stop } = options;
  const { repetitionPenalty, presencePenalty, frequencyPenalty } = options;
  const cuts = { "--top-k": topK, "--top-p": topP, "--min-p": minP };
  const idle = Object.entries(cuts).filter(([, value]) => value !== undefined);
  if (temperature === 0 && idle.length > 0) {
    console.error(
      `Note: ${idle.map(([name]) => name).join(" and ")} change${
        idle.length === 1 ? "s" : ""
      } nothing without --temperature: the most likely token is taken`,
    );
  }
  const optional = {
    ...{ topK, topP, minP, stop },
    ...{ repetitionPenalty, presencePenalty, frequencyPenalty },
  };
  const given = Object.entries(optional).filter(([, value]) => value !== undefined);
  return { maxNewTokens, temperature, ...Object.fromEntries(given) };
}

/**
 * Says what a model's own settings change of its answers, or would in transformers.
 *
 * @param model The model.
 * @param options How it will answer.
 */
export function noteGeneration({ generation }: Model, options: AnswerOptions): void {
  for (const note of notesOnGeneration(generation, options)) console.error(`Note: ${note}`);
}
