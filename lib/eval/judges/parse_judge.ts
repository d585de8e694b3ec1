/** Judges by their names on the command line. */
import { assertKnownOptions, type OptionNames } from "../../options.ts";
import type { Judge } from "../judge.ts";
import {
  judgeModel,
  OLLAMA_JUDGE_OPTIONS,
  ollamaJudge,
  type OllamaJudgeOptions,
} from "../ollama_judge.ts";
import { cachedJudge } from "./cached_judge.ts";
import { openAiJudge } from "./openai_judge.ts";

/** Options of {@linkcode parseJudge}: those of Ollama's judges, and two more. */
export interface ParseJudgeOptions extends OllamaJudgeOptions {
  /** The endpoint of an `openai:` judge; OPENAI_BASE_URL by default. */
  readonly url?: string;
  /** A folder for replies, where the same questions find them again; none by default. */
  readonly cache?: string;
}

const NAMES: OptionNames<ParseJudgeOptions> = { ...OLLAMA_JUDGE_OPTIONS, url: true, cache: true };

/**
 * Creates a judge from its name on the command line.
 *
 * @param spec `ollama:MODEL`, for example `"ollama:llama3"` or `"ollama:llama3:8b"`, or `openai:MODEL` for a model behind an
 * OpenAI-compatible endpoint.
 * @param options Where the judge runs, seed, temperature, context length, and a folder for replies.
 * @returns The judge.
 * @throws {RangeError} If the kind of judge is unknown.
 * @throws {TypeError} If an `openai:` judge has no endpoint.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseJudge } from "tunebook";
 *
 * const judge = parseJudge("ollama:llama3", { host: "127.0.0.1:11434", seed: 1 });
 * assertEquals([judge.name, judge.settings.seed], ["ollama:llama3", 1]);
 * ```
 */
export function parseJudge(spec: string, options: ParseJudgeOptions = {}): Judge {
  assertKnownOptions("make a judge", options, NAMES);
  const { url, cache, ...rest } = options;
  const openAi = /^openai:(\S+)$/.exec(spec)?.[1];
  const judge = openAi === undefined ? ollamaJudge(judgeModel(spec), rest) : openAiJudge(openAi, {
    ...(url !== undefined && { url }),
    ...(rest.seed !== undefined && { seed: rest.seed }),
    ...(rest.temperature !== undefined && { temperature: rest.temperature }),
    ...(rest.timeout !== undefined && { timeout: rest.timeout }),
  });
  return cache === undefined ? judge : cachedJudge(judge, cache);
}
