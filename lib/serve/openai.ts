/**
 * OpenAI's chat completions: https://platform.openai.com/docs/api-reference/chat
 *
 * @module
 */

import { z } from "zod";
import type { AnswerForm, Finished, Protocol, Question, Reply, ServedModel } from "./api.ts";
import { RequestError } from "./errors.ts";
import {
  IGNORED,
  MIN_P,
  parseRequest,
  PENALTY,
  SEED,
  TEMPERATURE,
  TOP_P,
  unsupported,
} from "./request.ts";

const textPart = z.strictObject({
  type: z.literal("text", { error: "this server reads text only" }),
  text: z.string(),
});

const messageSchema = z.strictObject({
  role: z.string(),
  content: z.union([z.string(), z.array(textPart)], {
    error: 'expected a string, or an array of parts of type "text"',
  }),
  name: unsupported(""),
  refusal: unsupported(""),
  tool_calls: unsupported([]),
  tool_call_id: unsupported(""),
  function_call: unsupported(),
  audio: unsupported(),
});

const chatSchema = z.strictObject({
  model: z.string(),
  messages: z.array(messageSchema).min(1),
  max_tokens: z.int().positive().nullish(),
  max_completion_tokens: z.int().positive().nullish(),
  temperature: TEMPERATURE,
  top_p: TOP_P,
  seed: SEED,
  stop: z.union([z.string(), z.array(z.string())]).nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.strictObject({
    include_usage: z.boolean().nullish(),
    include_obfuscation: unsupported(false),
  }).nullish(),
  n: unsupported(1),
  frequency_penalty: PENALTY,
  presence_penalty: PENALTY,
  // As in vLLM's server.
  min_p: MIN_P,
  repetition_penalty: z.number().gt(0).nullish(),
  logit_bias: unsupported({}),
  logprobs: unsupported(false),
  top_logprobs: unsupported(0),
  response_format: unsupported({ type: "text" }),
  tools: unsupported([]),
  tool_choice: unsupported("none", "auto"),
  parallel_tool_calls: IGNORED,
  functions: unsupported([]),
  function_call: unsupported("none", "auto"),
  modalities: unsupported(["text"]),
  audio: unsupported(),
  prediction: unsupported(),
  reasoning_effort: unsupported("none"),
  verbosity: unsupported(),
  web_search_options: unsupported(),
  // What is about accounts, billing and OpenAI's own caches changes no answer.
  user: IGNORED,
  metadata: IGNORED,
  store: IGNORED,
  service_tier: IGNORED,
  safety_identifier: IGNORED,
  prompt_cache_key: IGNORED,
  prompt_cache_retention: IGNORED,
});

/**
 * OpenAI's protocol.
 *
 * @returns Its routes and errors.
 */
export function openai(): Protocol {
  return {
    routes: {
      "POST /v1/chat/completions": { kind: "question", read: readChat },
      "GET /v1/models": {
        kind: "about",
        tell: (served) => ({ json: { object: "list", data: [describe(served)] } }),
      },
      "GET /v1/models/*": {
        kind: "about",
        tell: (served, _json, name): Reply => ({ model: name, json: describe(served) }),
      },
    },
    error(error, status) {
      const { code = null, param = null } = error instanceof RequestError ? error.more : {};
      const type = status >= 500 ? "server_error" : "invalid_request_error";
      return { error: { message: error.message, type, param, code } };
    },
  };
}

function describe({ name, since }: ServedModel) {
  return {
    id: name,
    object: "model",
    created: Math.floor(since.getTime() / 1000),
    owned_by: "tunebook",
  };
}

function readChat(json: unknown, id: string): Question {
  const request = parseRequest(chatSchema, json);
  const { model, messages, temperature, top_p: topP, seed, stop, stream } = request;
  const { max_tokens, max_completion_tokens, stream_options } = request;
  if (max_tokens != null && max_completion_tokens != null) {
    throw new RequestError(
      400,
      'Cannot honour both "max_tokens" and "max_completion_tokens": give one',
      { param: "max_tokens" },
    );
  }
  return {
    model,
    ask: {
      messages: messages.map(({ role, content }) => ({
        role: role === "developer" ? "system" : role, // OpenAI's newer name
        content: typeof content === "string" ? content : content.map(({ text }) => text).join(""),
      })),
    },
    asked: {
      temperature,
      topP,
      minP: request.min_p,
      repetitionPenalty: request.repetition_penalty,
      presencePenalty: request.presence_penalty,
      frequencyPenalty: request.frequency_penalty,
      seed,
      maxNewTokens: max_completion_tokens ?? max_tokens,
      stop: typeof stop === "string" ? [stop] : stop ?? [],
    },
    names: {
      maxNewTokens: max_tokens != null ? "max_tokens" : "max_completion_tokens",
      stop: "stop",
    },
    stream: stream ?? false,
    form: answerForm(`chatcmpl-${id}`, model, stream_options?.include_usage ?? false),
  };
}

function answerForm(id: string, model: string, includeUsage: boolean): AnswerForm {
  const created = Math.floor(Date.now() / 1000);
  const event = (data: unknown) => `data: ${JSON.stringify(data)}\n\n`;
  const chunk = (choices: unknown[], usage?: unknown) =>
    event({
      id,
      object: "chat.completion.chunk",
      created,
      model,
      choices,
      ...(includeUsage && { usage: usage ?? null }),
    });
  const choice = (delta: Record<string, string>, reason: string | null = null) => [
    { index: 0, delta, logprobs: null, finish_reason: reason },
  ];
  const usageOf = ({ promptTokens, tokens }: Finished) => ({
    prompt_tokens: promptTokens,
    completion_tokens: tokens,
    total_tokens: promptTokens + tokens,
  });
  return {
    streamType: "text/event-stream",
    whole: (content, finished) => ({
      id,
      object: "chat.completion",
      created,
      model,
      choices: [{
        index: 0,
        message: { role: "assistant", content, refusal: null },
        logprobs: null,
        finish_reason: finished.reason,
      }],
      usage: usageOf(finished),
    }),
    first: () => chunk(choice({ role: "assistant", content: "" })),
    piece: (content) => chunk(choice({ content })),
    last: (finished) =>
      chunk(choice({}, finished.reason)) +
      (includeUsage ? chunk([], usageOf(finished)) : "") +
      "data: [DONE]\n\n",
    failure: ({ message }) =>
      event({ error: { message, type: "server_error", param: null, code: null } }),
  };
}
