/** A judge behind an endpoint with OpenAI's `/v1/chat/completions`, as llama.cpp, vLLM and many services have. */
import { assertKnownOptions, type OptionNames } from "../../options.ts";
import { type Judge, JudgeError } from "../judge.ts";

/** Options of {@linkcode openAiJudge}. */
export interface OpenAiJudgeOptions {
  /**
   * Where `/chat/completions` is, such as `http://127.0.0.1:8080/v1`.
   *
   * @default {Deno.env.get("OPENAI_BASE_URL")}
   */
  readonly url?: string;
  /**
   * The key; it is sent to the endpoint and recorded nowhere.
   *
   * @default {Deno.env.get("OPENAI_API_KEY")}
   */
  readonly key?: string;
  /** The seed of the sampling, where the server honours it. 123 by default. */
  readonly seed?: number;
  /** The sampling temperature. 0 by default. */
  readonly temperature?: number;
  /** The time limit of a reply in milliseconds. 600,000 by default. */
  readonly timeout?: number;
}

/** The names of {@linkcode OpenAiJudgeOptions}. */
const NAMES: OptionNames<OpenAiJudgeOptions> = {
  url: true,
  key: true,
  seed: true,
  temperature: true,
  timeout: true,
};

/** Room for a short number, and for models that think before it. */
const MOST_TOKENS = 2048;

/** Room for a sentence with a number, for servers and contexts that have no place for more. */
const LEAST_TOKENS = 256;

/**
 * Creates a judge from a model behind an OpenAI-compatible endpoint. Replies are free text, in which the score is found.
 *
 * @param model The model's name.
 * @param options The endpoint, key, seed and temperature.
 * @returns The judge. No request is sent yet.
 * @throws {TypeError} If no endpoint is given, or it is not a URL.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { openAiJudge } from "tunebook/eval";
 *
 * const judge = openAiJudge("qwen3", { url: "http://127.0.0.1:8080/v1" });
 * assertEquals([judge.name, judge.settings.temperature], ["openai:qwen3", 0]);
 * ```
 */
export function openAiJudge(model: string, options: OpenAiJudgeOptions = {}): Judge {
  assertKnownOptions("make a judge", options, NAMES);
  const { seed = 123, temperature = 0, timeout = 600_000 } = options;
  const base = options.url ?? Deno.env.get("OPENAI_BASE_URL");
  if (base === undefined || !URL.canParse(base)) {
    throw new TypeError(
      `Cannot ask "openai:${model}" at ${
        JSON.stringify(base ?? null)
      }: expected the endpoint's URL in ` +
        "OPENAI_BASE_URL (--judge-url)",
    );
  }
  const url = `${base.replace(/\/+$/, "")}/chat/completions`;
  const key = options.key ?? Deno.env.get("OPENAI_API_KEY");
  const request = async (prompt: string, maxTokens: number, signal: AbortSignal | undefined) => {
    const late = AbortSignal.timeout(timeout);
    const body = {
      model,
      messages: [{ role: "user", content: prompt }],
      temperature,
      seed,
      max_tokens: maxTokens,
    };
    let response: Response;
    let text: string;
    try {
      response = await fetch(url, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          ...(key && { authorization: `Bearer ${key}` }),
        },
        body: JSON.stringify(body),
        signal: AbortSignal.any([late, ...(signal ? [signal] : [])]),
      });
      text = await response.text();
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      if (late.aborted) {
        throw new JudgeError("timeout", `The judge did not reply within ${timeout / 1000} s`);
      }
      throw new JudgeError("unreachable", `Cannot reach the judge at "${base}"`, { cause: error });
    }
    if (!response.ok) throw refusal(response.status, text, model);
    const { readAnswer } = await import("./openai_answer.ts");
    return readAnswer(text);
  };
  let room = MOST_TOKENS;
  return {
    name: `openai:${model}`,
    settings: { url: base, seed, temperature },
    async ask(prompt, signal, form) {
      const needed = Math.max(form?.maxTokens ?? 0, LEAST_TOKENS);
      const asked = Math.max(needed, room);
      try {
        return await request(prompt, asked, signal);
      } catch (error) {
        const isTooMuch = error instanceof JudgeError && error.reason === "prompt-too-long";
        if (!isTooMuch || asked === needed) throw error;
        const answer = await request(prompt, needed, signal);
        room = LEAST_TOKENS; // the room to think was too much, not the prompt
        return answer;
      }
    },
  };
}

function refusal(status: number, text: string, model: string): JudgeError {
  let said = text.trim().split("\n")[0].slice(0, 200);
  try {
    const { error } = JSON.parse(text);
    said = String(error?.message ?? error ?? said);
  } catch {
    // not JSON: the text itself is the message
  }
  if (status === 404 && /model/i.test(said)) {
    return new JudgeError("model-missing", `The judge's endpoint has no model "${model}": ${said}`);
  }
  if (status === 400 && /context|too long|maximum|tokens/i.test(said)) {
    return new JudgeError("prompt-too-long", `The prompt is too long for the judge: ${said}`);
  }
  return new JudgeError("server-error", `The judge answered with status ${status}: ${said}`);
}
