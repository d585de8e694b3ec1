// What chapter 9 asks of a real model: questions in its own prompt format, here and in Ollama.

import { encodePrompt, generate, type Network, type Tokenizer } from "tunebook";
import { closingTokensOf } from "../../lib/dataset/encode.ts";
import type { EntryFormat } from "tunebook/data";
import { alpaca, ChatTemplate, chatTemplateOf, chatToOllama, formatToOllama } from "tunebook/text";
import type { CreateOllamaOptions } from "tunebook/weights";
import { ollamaHost } from "../../lib/weights/ollama_host.ts";

/**
 * How a model wants to be asked.
 *
 * @param tokenizer The model's tokenizer.
 * @returns Its chat template, or the Alpaca format where it has none.
 */
export function formatOf(tokenizer: Tokenizer): EntryFormat {
  try {
    return chatTemplateOf(tokenizer);
  } catch (error) {
    if (error instanceof TypeError) return alpaca; // it came without one
    throw error;
  }
}

/**
 * Asks a model, greedily.
 *
 * @param model The model.
 * @param tokenizer Its tokenizer.
 * @param question What to ask.
 * @returns The first 24 tokens of its answer.
 */
export async function ask(
  model: Network,
  tokenizer: Tokenizer,
  question: string,
): Promise<string> {
  const format = formatOf(tokenizer);
  const prompt = encodePrompt({ instruction: question, input: "", output: "" }, tokenizer, format);
  const [{ tokens }] = await generate(model, [prompt], {
    temperature: 0,
    maxNewTokens: ANSWER_TOKENS,
    eosId: closingTokensOf(format, tokenizer),
  });
  return tokenizer.decode(tokens).trim();
}

const ANSWER_TOKENS = 24;

/**
 * What Ollama must know beside the weights.
 *
 * @param tokenizer The model's tokenizer.
 * @returns Template and parameters, greedy as here.
 */
export function ollamaSettings(
  tokenizer: Tokenizer,
): Pick<CreateOllamaOptions, "template" | "parameters"> {
  const format = formatOf(tokenizer);
  const { template, stop } = format instanceof ChatTemplate
    ? chatToOllama(format, tokenizer)
    : formatToOllama(format, tokenizer);
  return { template, parameters: { temperature: 0, repeat_penalty: 1, stop } };
}

const host = () => ollamaHost(Deno.env.get("OLLAMA_HOST"));

/** Whether an Ollama answers. */
export async function ollamaRuns(): Promise<boolean> {
  try {
    const response = await fetch(`${host()}/api/version`, { signal: AbortSignal.timeout(2000) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}

/**
 * Asks a model in Ollama the same.
 *
 * @param name The model's name there.
 * @param question What to ask.
 * @returns As many tokens of its answer.
 */
export async function askOllama(name: string, question: string): Promise<string> {
  const body = { model: name, prompt: question, stream: false };
  const options = { num_predict: ANSWER_TOKENS };
  const response = await fetch(`${host()}/api/generate`, {
    method: "POST",
    body: JSON.stringify({ ...body, options }),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(`Ollama does not answer: ${answer.error}`);
  return answer.response.trim();
}

/**
 * Takes a model away from Ollama.
 *
 * @param name Its name there.
 */
export async function removeFromOllama(name: string): Promise<void> {
  const response = await fetch(`${host()}/api/delete`, {
    method: "DELETE",
    body: JSON.stringify({ model: name }),
  });
  await response.body?.cancel();
}
