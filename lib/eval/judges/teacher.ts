/** Models that write texts for a data set, by their names on the command line. */
import type { Teacher } from "../../dataset/augment/teacher.ts";
import type { Judge } from "../judge.ts";
import { parseJudge, type ParseJudgeOptions } from "./parse_judge.ts";

/**
 * Makes a teacher of a model in Ollama or behind an OpenAI-compatible endpoint, with all that judges have: thinking models are
 * asked not to think, a prompt is never cut, and replies are found again in `cache`.
 *
 * @param spec As for {@linkcode parseJudge}: `"ollama:llama3"`, `"openai:MODEL"`.
 * @param options Where it runs, temperature, context length, a folder for replies. Each request has a seed of its own.
 * @returns The teacher.
 * @throws {RangeError} If the kind is unknown.
 * @throws {TypeError} If an `openai:` model has no endpoint.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseTeacher } from "tunebook/eval";
 *
 * assertEquals(parseTeacher("ollama:llama3", { temperature: 0.7 }).name, "ollama:llama3");
 * ```
 */
export function parseTeacher(spec: string, options: Omit<ParseJudgeOptions, "seed"> = {}): Teacher {
  const bySeed = new Map<number, Judge>();
  const judgeOf = (seed: number) => {
    const judge = bySeed.get(seed) ?? parseJudge(spec, { ...options, seed });
    bySeed.set(seed, judge);
    return judge;
  };
  const { name } = judgeOf(0); // a wrong name is refused before anything is asked
  return {
    name,
    async ask({ prompt, schema, maxTokens, seed, signal }) {
      const form = { maxTokens, ...(schema && { schema }) };
      const { reply, cut } = await judgeOf(seed).ask(prompt, signal, form);
      return cut ? undefined : reply;
    },
  };
}
