/**
 * Ollama's requests: https://github.com/ollama/ollama/blob/main/docs/api.md
 *
 * @module
 */

import { z } from "zod";
import type { AnswerForm, Finished, Protocol, Question, Reply, ServedModel } from "./api.ts";
import { RequestError } from "./errors.ts";
import { IGNORED, MIN_P, parseRequest, SEED, TEMPERATURE, TOP_P, unsupported } from "./request.ts";
import type { Asked } from "./settings.ts";

/** What costs time and memory only, or belongs to methods that are refused. */
const MACHINE = {
  numa: IGNORED,
  num_batch: IGNORED,
  num_gpu: IGNORED,
  main_gpu: IGNORED,
  low_vram: IGNORED,
  f16_kv: IGNORED,
  use_mmap: IGNORED,
  use_mlock: IGNORED,
  num_thread: IGNORED,
  num_keep: IGNORED, // nothing is ever cut from a prompt here
  repeat_last_n: IGNORED,
  penalize_newline: IGNORED,
  mirostat_tau: IGNORED,
  mirostat_eta: IGNORED,
};

const options = z.strictObject({
  ...MACHINE,
  num_ctx: z.int().positive().nullish(),
  seed: SEED,
  num_predict: z.int().min(-2).nullish(),
  top_k: z.int().min(0).nullish(),
  top_p: TOP_P,
  temperature: TEMPERATURE,
  stop: z.union([z.string(), z.array(z.string())]).nullish(),
  min_p: MIN_P,
  tfs_z: unsupported(1),
  typical_p: unsupported(1),
  // llama.cpp's penalties look at the last repeat_last_n tokens only.
  repeat_penalty: unsupported(1),
  presence_penalty: unsupported(0),
  frequency_penalty: unsupported(0),
  mirostat: unsupported(0),
  logits_all: unsupported(false),
  vocab_only: unsupported(false),
  embedding_only: unsupported(false),
});

const common = {
  model: z.string(),
  stream: z.boolean().nullish(),
  keep_alive: z.union([z.string(), z.number()]).nullish(),
  options: options.nullish(),
  format: unsupported(""),
  think: unsupported(false),
  logprobs: unsupported(false),
  top_logprobs: unsupported(0),
};

const messageSchema = z.strictObject({
  role: z.string(),
  content: z.string(),
  thinking: unsupported(""),
  images: unsupported([]),
  tool_calls: unsupported([]),
  tool_name: unsupported(""),
  tool_call_id: unsupported(""),
});

const chatSchema = z.strictObject({
  ...common,
  messages: z.array(messageSchema).nullish(),
  tools: unsupported([]),
});

const generateSchema = z.strictObject({
  ...common,
  prompt: z.string().nullish(),
  system: z.string().nullish(),
  raw: z.boolean().nullish(),
  suffix: unsupported(""),
  template: unsupported(""),
  context: unsupported([]),
  images: unsupported([]),
});

const showSchema = z.object({ model: z.string().optional(), name: z.string().optional() });

const NAMES = { maxNewTokens: "options.num_predict", stop: "options.stop" };

/**
 * Ollama's protocol.
 *
 * @param version The server's version.
 * @returns Its routes and errors.
 */
export function ollama(version: string): Protocol {
  return {
    routes: {
      "POST /api/chat": { kind: "question", read: readChat },
      "POST /api/generate": { kind: "question", read: readGenerate },
      "GET /api/tags": {
        kind: "about",
        tell: (served) => ({ json: { models: [describe(served)] } }),
      },
      "GET /api/ps": {
        kind: "about",
        tell: (served) => ({
          json: {
            models: [{
              ...describe(served),
              expires_at: new Date(8.64e15).toISOString(),
              size_vram: 0,
              context_length: served.contextLength,
            }],
          },
        }),
      },
      "GET /api/version": { kind: "about", tell: () => ({ json: { version } }) },
      "POST /api/show": { kind: "about", tell: show },
    },
    error: ({ message }) => ({ error: message }),
  };
}

function readChat(json: unknown): Question | Reply {
  const { messages, ...request } = parseRequest(chatSchema, json);
  const model = request.model;
  const form = answerForm(model, (content) => ({ message: { role: "assistant", content } }));
  if (!messages || messages.length === 0) return loaded(request, form);
  return {
    ...shared(request),
    ask: { messages: messages.map(({ role, content }) => ({ role, content })) },
    form,
  };
}

function readGenerate(json: unknown): Question | Reply {
  const { prompt, system, raw, ...request } = parseRequest(generateSchema, json);
  const form = answerForm(request.model, (response) => ({ response }));
  if (!prompt) return loaded(request, form);
  if (raw && system) {
    throw new RequestError(400, 'Cannot honour "system" with "raw": a raw prompt has no template', {
      param: "system",
    });
  }
  const messages = [{ role: "user", content: prompt }];
  if (system) messages.unshift({ role: "system", content: system });
  return { ...shared(request), ask: raw ? { text: prompt } : { messages }, form };
}

/** What clients send to have a model loaded before it is needed. */
function loaded(
  { model, keep_alive }: { model: string; keep_alive?: string | number | null },
  form: AnswerForm,
): Reply {
  if (keep_alive === 0 || /^0+[a-z]*$/.test(String(keep_alive ?? ""))) {
    throw new RequestError(400, "Cannot unload the model: it is served until the server ends", {
      param: "keep_alive",
    });
  }
  const nothing = { reason: "stop", tokens: 0, queued: 0, reading: 0, writing: 0, promptTokens: 0 };
  const whole = form.whole("", nothing as Finished) as Record<string, unknown>;
  const { model: name, created_at, message, response } = whole;
  const text = message === undefined ? { response } : { message };
  return { model, json: { model: name, created_at, ...text, done: true, done_reason: "load" } };
}

function shared(
  { model, stream, options }: z.infer<typeof chatSchema> | z.infer<typeof generateSchema>,
): Pick<Question, "model" | "stream" | "asked" | "names"> {
  return { model, stream: stream ?? true, asked: askedBy(options ?? {}), names: NAMES };
}

function askedBy(
  { num_ctx, seed, num_predict, top_k, top_p, min_p, temperature, repeat_penalty, stop }: Partial<
    z.infer<typeof options>
  >,
): Asked {
  // As in Ollama: top_k 0 and num_predict below 1 set no limit, and a negative seed asks for a new one.
  return {
    temperature,
    // whatever the model's own settings are
    topK: top_k === 0 ? Number.MAX_SAFE_INTEGER : top_k,
    repetitionPenalty: repeat_penalty === 1 ? 1 : undefined,
    topP: top_p,
    minP: min_p,
    seed: seed != null && seed < 0 ? undefined : seed,
    maxNewTokens: num_predict != null && num_predict < 1 ? undefined : num_predict,
    contextLength: num_ctx,
    stop: typeof stop === "string" ? [stop] : stop ?? [],
  };
}

/** Lines of JSON, one of them in an answer that is not streamed. */
function answerForm(
  model: string,
  write: (text: string) => Record<string, unknown>,
): AnswerForm {
  const line = (text: string, rest: Record<string, unknown>) => ({
    model,
    created_at: new Date().toISOString(),
    ...write(text),
    ...rest,
  });
  const end = ({ reason, tokens, promptTokens, queued, reading, writing }: Finished) => ({
    done: true,
    done_reason: reason,
    total_duration: nanoseconds(queued + reading + writing),
    load_duration: nanoseconds(queued),
    prompt_eval_count: promptTokens,
    prompt_eval_duration: nanoseconds(reading),
    eval_count: tokens,
    eval_duration: nanoseconds(writing),
  });
  return {
    streamType: "application/x-ndjson",
    whole: (text, finished) => line(text, end(finished)),
    first: () => "",
    piece: (text) => `${JSON.stringify(line(text, { done: false }))}\n`,
    last: (finished) => `${JSON.stringify(line("", end(finished)))}\n`,
    failure: ({ message }) => `${JSON.stringify({ error: message })}\n`,
  };
}

const nanoseconds = (milliseconds: number) => Math.round(milliseconds * 1e6);

function details({ family, parameters }: ServedModel) {
  return {
    parent_model: "",
    format: "safetensors",
    family,
    families: [family],
    parameter_size: parameters < 1e9
      ? `${(parameters / 1e6).toFixed(1)}M`
      : `${(parameters / 1e9).toFixed(1)}B`,
    quantization_level: "F32",
  };
}

function describe(served: ServedModel) {
  const name = served.name.includes(":") ? served.name : `${served.name}:latest`;
  return {
    name,
    model: name,
    modified_at: served.since.toISOString(),
    size: served.bytes,
    digest: served.digest,
    details: details(served),
  };
}

function show(served: ServedModel, json: unknown): Reply {
  const { model, name = model } = parseRequest(showSchema, json);
  if (name === undefined) throw new RequestError(400, 'Cannot read "model": expected a string');
  const { family, contextLength, width, parameters, template, since, defaults } = served;
  return {
    model: name,
    json: {
      license: "",
      modelfile: "",
      parameters: `temperature ${defaults.temperature}\nnum_predict ${defaults.maxNewTokens}`,
      template,
      details: details(served),
      model_info: {
        "general.architecture": family,
        "general.parameter_count": parameters,
        [`${family}.context_length`]: contextLength,
        [`${family}.embedding_length`]: width,
      },
      capabilities: ["completion"],
      modified_at: since.toISOString(),
    },
  };
}
