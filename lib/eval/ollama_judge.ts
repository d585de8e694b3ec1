/** A judge that runs in Ollama, on this machine or another. */
import type { ChatRequest, ChatResponse, Ollama } from "ollama";
import { ollamaHost } from "../weights/ollama_host.ts";
import { type Judge, JudgeError } from "./judge.ts";
import { type ReplyForm, scoreForm } from "./judges/question.ts";
import { PERCENT_SCALE } from "./judges/read_reply.ts";
import { assertKnownOptions, type OptionNames } from "../options.ts";

/** Options of {@linkcode ollamaJudge}. */
export interface OllamaJudgeOptions {
  /**
   * Where Ollama runs, in the form of OLLAMA_HOST.
   *
   * @default {Deno.env.get("OLLAMA_HOST") ?? "127.0.0.1:11434"}
   */
  host?: string;
  /**
   * The seed of Ollama's sampling; at temperature 0 it has little effect.
   *
   * @default {123}
   */
  seed?: number;
  /**
   * The most tokens of prompt and reply; a longer prompt is an error and is never truncated.
   *
   * @default {4096}
   */
  numCtx?: number;
  /**
   * The sampling temperature.
   *
   * @default {0}
   */
  temperature?: number;
  /**
   * The time limit of a reply in milliseconds; the first one includes loading the model.
   *
   * @default {600_000}
   */
  timeout?: number;
  /** Further options of Ollama, such as `{ num_thread: 1 }`, which is faster on a busy machine. */
  options?: Record<string, number | boolean>;
}

/** The names of {@linkcode OllamaJudgeOptions}. */
export const OLLAMA_JUDGE_OPTIONS: OptionNames<OllamaJudgeOptions> = {
  host: true,
  seed: true,
  numCtx: true,
  temperature: true,
  timeout: true,
  options: true,
};

/** How many more tokens a model gets that cannot answer without thinking. */
const ROOM_TO_THINK = 2048;

/**
 * Creates a judge from a model in Ollama, by default with temperature 0, and with integer replies. A model that thinks before
 * it answers is asked not to, and where it cannot help it, as gpt-oss, it gets room for it.
 *
 * @param model The model's name, for example `"llama3"`.
 * @param options Where Ollama runs, seed and context length.
 * @returns The judge. No request is sent yet, so an unreachable server is noticed only later.
 * @throws {TypeError} If the host is not an address.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { ollamaJudge } from "tunebook/eval";
 *
 * const judge = ollamaJudge("llama3", { host: "127.0.0.1:11434", numCtx: 8192 });
 * assertEquals([judge.name, judge.settings.numCtx], ["ollama:llama3", 8192]);
 * ```
 */
export function ollamaJudge(model: string, options: OllamaJudgeOptions = {}): Judge {
  return ollamaJudgeReplying(scoreForm(PERCENT_SCALE), model, options);
}

/**
 * Creates a judge whose reply is of a form other than a score, such as points with a reason.
 *
 * @param form The form of its replies.
 * @param model The model's name.
 * @param options As for {@linkcode ollamaJudge}.
 * @returns The judge.
 */
export function ollamaJudgeReplying(
  form: ReplyForm,
  model: string,
  options: OllamaJudgeOptions = {},
): Judge {
  assertKnownOptions("make a judge", options, OLLAMA_JUDGE_OPTIONS);
  const { seed = 123, numCtx = 4096, temperature = 0, timeout = 600_000 } = options;
  if (!(temperature >= 0)) {
    throw new RangeError(`Cannot judge at temperature ${temperature}: expected a number from 0`);
  }
  const settings: Record<string, string | number> = { host: "", seed, numCtx, temperature };
  const host = ollamaHost(options.host ?? Deno.env.get("OLLAMA_HOST"));
  settings.host = host;
  const connect = async (fetch: typeof globalThis.fetch): Promise<Ollama> => {
    const { Ollama } = await import("ollama"); // when it is needed: it loads slowly
    return new Ollama({ host, fetch });
  };
  const send = async (prompt: string, asked: ReplyForm, signal: AbortSignal | undefined) => {
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), timeout);
    const either = AbortSignal.any([late.signal, ...(signal ? [signal] : [])]);
    const client = await connect(fetchFrom(host, model, either));
    const request: ChatRequest & { stream: false; truncate: boolean } = {
      model,
      messages: [{ role: "user", content: prompt }],
      stream: false,
      ...(asked.schema && { format: asked.schema }),
      ...(settings.thinking !== undefined && { think: settings.thinking !== "off" }),
      truncate: false, // newer servers then refuse long prompts; for older ones see below
      options: {
        ...options.options,
        temperature,
        seed,
        num_ctx: numCtx,
        num_predict: asked.maxTokens + (settings.thinking === "room" ? ROOM_TO_THINK : 0),
      },
    };
    try {
      return readAnswer(await client.chat(request), model, numCtx);
    } catch (error) {
      if (error instanceof JudgeError) throw error;
      if (signal?.aborted) throw signal.reason;
      if (late.signal.aborted) {
        throw new JudgeError("timeout", `Ollama did not reply within ${timeout / 1000} s`);
      }
      if (error instanceof SyntaxError) {
        throw new JudgeError("bad-answer", `Ollama's answer is not JSON: ${error.message}`, {
          cause: error,
        });
      }
      throw dropped(error); // the headers arrived, but not the body
    } finally {
      clearTimeout(timer);
    }
  };
  return {
    name: `ollama:${model}`,
    settings,
    async ask(prompt, signal, asked = form) {
      let answer = await send(prompt, asked, signal);
      // Newer servers let models think by default, also with a form, until no token is left for the reply.
      for (const thinking of ["off", "room"]) {
        if (answer.thought === undefined || answer.reply.trim() !== "") break;
        if (settings.thinking === "room") break;
        settings.thinking = thinking;
        answer = await send(prompt, asked, signal);
      }
      return answer;
    },
    async digest() {
      try {
        const { models } = await (await connect(fetchFrom(host, model))).list();
        const named = model.includes(":") ? model : `${model}:latest`;
        return models?.find(({ name }) => name === named)?.digest;
      } catch {
        return undefined; // the judge has answered; that it cannot be named more exactly fails nothing
      }
    },
  };
}

/**
 * The model of a judge's name on the command line.
 *
 * @param spec `ollama:MODEL`.
 * @returns The model's name.
 * @throws {RangeError} If the kind of judge is unknown.
 */
export function judgeModel(spec: string): string {
  const match = /^ollama:(\S+)$/.exec(spec);
  if (!match) {
    throw new RangeError(`Cannot use the judge "${spec}": give "ollama:MODEL", as "ollama:llama3"`);
  }
  return match[1]!;
}

/**
 * A `fetch` for the client that can be stopped and reports errors itself, because the client prints
 * to the console if a response is not JSON.
 */
function fetchFrom(host: string, model: string, signal?: AbortSignal): typeof fetch {
  return async (input, init) => {
    let response: Response;
    try {
      response = await fetch(input, { ...init, signal });
    } catch (error) {
      if (signal?.aborted) throw error;
      // Deno reports the phase in which a request failed only as text
      if (!/\(Connect\)/.test(`${error} ${(error as Error).cause}`)) throw dropped(error);
      throw new JudgeError(
        "unreachable",
        `Cannot reach Ollama at "${host}": start it with "ollama serve", or set OLLAMA_HOST`,
        { cause: error },
      );
    }
    if (!response.ok) throw await refusal(response, model);
    return response;
  };
}

/** Reads the server's message from an error response. */
async function refusal(response: Response, model: string): Promise<JudgeError> {
  const text = await response.text().catch(() => "");
  let said = text.trim();
  try {
    said = String(JSON.parse(text).error ?? said);
  } catch {
    // not JSON: the text itself is the message
  }
  if (response.status === 404 && /model/i.test(said)) {
    return new JudgeError(
      "model-missing",
      `Ollama has no model "${model}": get it with "ollama pull ${model}"`,
    );
  }
  if (response.status === 400 && /context|too long|exceed|truncat/i.test(said)) {
    return new JudgeError("prompt-too-long", tooLong(said));
  }
  const reason = (said || response.statusText).split("\n")[0]!.slice(0, 200);
  return new JudgeError(
    "server-error",
    `Ollama answered with status ${response.status}: ${reason}`,
  );
}

/** Reads a response with status 200, which may still hold no answer. */
function readAnswer(
  answer: ChatResponse,
  model: string,
  numCtx: number,
): Awaited<ReturnType<Judge["ask"]>> {
  const reply = answer?.message?.content;
  if (typeof reply !== "string") {
    throw new JudgeError("bad-answer", "Ollama's answer holds no message");
  }
  if (answer.done !== true) {
    throw new JudgeError(
      "incomplete",
      "Ollama stopped before its reply was complete (done: false), as it does when a model " +
        "repeats itself",
    );
  }
  if (answer.done_reason === "load") {
    throw new JudgeError("incomplete", `Ollama loaded "${model}" but gave no reply`);
  }
  // servers without "truncate" silently cut the prompt to exactly this many tokens
  if (answer.prompt_eval_count >= numCtx) {
    throw new JudgeError("prompt-too-long", tooLong(`it fills all ${numCtx}`));
  }
  const { thinking } = answer.message;
  return { reply, cut: answer.done_reason === "length", ...(thinking && { thought: thinking }) };
}

function tooLong(why: string): string {
  return `The prompt is longer than the tokens that Ollama was given room for (${why}), and a cut ` +
    "prompt is not judged: raise numCtx (--num-ctx)";
}

function dropped(cause: unknown): JudgeError {
  return new JudgeError(
    "dropped",
    "Ollama dropped the connection before it replied: the server may have crashed, its log says why",
    { cause },
  );
}
