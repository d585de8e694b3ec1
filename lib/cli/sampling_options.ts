// The options that say how tokens are drawn, in order of the help.

import { Option } from "commander";
import { readCount, readRate, readShare } from "./arguments.ts";

/** The values of {@linkcode samplingOptions}. */
export interface SamplingOptions {
  maxNewTokens: number;
  temperature: number;
  topK?: number;
  topP?: number;
}

/** The options. */
export function samplingOptions(): Option[] {
  return [
    new Option("--max-new-tokens <n>", "the most tokens of an answer")
      .argParser(readCount).default(256),
    new Option(
      "--temperature <t>",
      "0 takes the most likely token; 1 draws from the model's probabilities",
    ).argParser(readRate).default(0),
    new Option("--top-k <k>", "draw only from the k most likely tokens").argParser(readCount),
    new Option("--top-p <p>", "draw only from the most likely tokens with total probability p")
      .argParser(readShare),
  ];
}
