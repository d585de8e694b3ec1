// A model beside its export in a real Ollama: the same tokens, and the same greedy text where a choice is clear.

import { assert, assertEquals } from "@std/assert";
import {
  attendWithin,
  exportGguf,
  type ExportType,
  generate,
  loadNetwork,
  logitsOf,
  type Network,
} from "../../lib/model/mod.ts";
import { noGrad, scope, Tensor } from "../../lib/tensor/mod.ts";
import { HuggingFaceTokenizer } from "../../lib/text/hugging_face.ts";
import { type Tokenizer, tokenizerToGguf } from "../../lib/text/mod.ts";
import { createOllamaModel } from "../../lib/weights/mod.ts";
import type { OllamaServer } from "../ollama.ts";
import { assertClose } from "../support.ts";
import { sentencePieceTokenizers } from "../text/small_tokenizers.ts";

export const NEW_TOKENS = 24;
/**
 * Two logits that are nearer than this may change places where another program computes them; with Q8_0 it rounds
 * what goes through the layers too.
 */
export const CLEAR: Record<ExportType, number> = { F32: 0.01, F16: 0.01, Q8_0: 0.1 };
/** This many tokens, unless the text is shorter, must be clear. */
export const ENOUGH: Record<ExportType, number> = { F32: 8, F16: 8, Q8_0: 1 };
export const GREEDY = { temperature: 0, repeat_penalty: 1 };
/** How nearly an exported model's weights come back. */
const ROUNDING: Record<ExportType, number> = { F32: 1e-6, F16: 2 ** -10, Q8_0: 0.6 / 127 };

/** A tokenizer with several tokens that end what a model says, which Ollama must read too. */
export function small(name: string): HuggingFaceTokenizer {
  const definition = sentencePieceTokenizers().find((one) => one.name === name)!;
  return new HuggingFaceTokenizer({ ...definition, endIds: [definition.eosId, 0, 3] });
}

export function nearly(type: ExportType, margin: number, clear: number): string {
  return `As ${type}: only ${margin} apart after ${clear} tokens, so that text counts to there`;
}

/**
 * Makes random weights larger, and of all tokens lets only some words be said, so that one of them
 * is always clearly the most likely and the output is text.
 */
export async function makeDecided(model: Network, tokenizer: Tokenizer): Promise<void> {
  const words: number[] = [];
  for (let id = 0; id < tokenizer.vocabSize && words.length < 150; id++) {
    if (/^[ ▁]?[a-z]{2,}$/.test(new TextDecoder().decode(tokenizer.bytes(id)))) words.push(id);
  }
  for (const [name, tensor] of model.parameters) {
    const values = await tensor.data();
    const isTable = tensor === model.head || /wte|embed_tokens/.test(name);
    if (tensor.shape.length === 2) values.forEach((value, i) => values[i] = value * 8);
    if (isTable) {
      const width = tensor.shape[1];
      const rows = values.slice();
      values.fill(0);
      for (const id of words) values.set(rows.subarray(id * width, (id + 1) * width), id * width);
    }
    model.parameters.set(name, Tensor.from(model.device, values, tensor.shape).keep());
    tensor.dispose();
  }
}

export async function assertSameInOllama(
  server: OllamaServer,
  model: Network,
  tokenizer: Tokenizer,
  type: ExportType,
  prompt: string,
): Promise<void> {
  const path = `${server.folder}/export.gguf`;
  const name = `exported-${type.toLowerCase()}`;
  await exportGguf(model, path, { type, tokenizer: tokenizerToGguf(tokenizer), name });
  const { host } = server;
  await createOllamaModel(name, {
    gguf: path,
    host,
    template: "{{ .Prompt }}",
    parameters: GREEDY,
  });
  await Deno.remove(path);
  const answer = await server.generate(name, prompt, NEW_TOKENS);

  // what comes back from Ollama's own files is what went there
  const { device } = model;
  const back =
    (await loadNetwork(`ollama:${name}`, { device, ollamaStores: [server.models] })).network;
  for (const [parameter, tensor] of model.parameters) {
    const tolerance = { relative: ROUNDING[type], absolute: 1e-6 };
    const values = await back.parameters.get(parameter)!.data();
    assertClose(values, await tensor.data(), tolerance, `${parameter} as ${type}`);
  }

  const begin = tokenizer.beginIds ?? [];
  const ids = [...begin, ...tokenizer.encode(prompt, { allowedSpecial: "all" })];
  assertEquals(answer.prompt_eval_count, ids.length, `tokens of the prompt, as ${type}`);
  const [{ tokens }] = await generate(back, [ids], {
    maxNewTokens: NEW_TOKENS,
    eosId: tokenizer.eosId,
  });
  const { clear, margin } = await countClear(back, ids, tokens, CLEAR[type]);
  if (clear < tokens.length) {
    console.warn(nearly(type, margin, clear));
  }
  // As it continues the prompt: alone, a first token may lose its space.
  const continued = tokenizer.decode([...ids, ...tokens.slice(0, clear)]);
  const [expected, actual] = [continued.slice(tokenizer.decode(ids).length), answer.response];
  assert(clear >= Math.min(ENOUGH[type], tokens.length), `only ${clear} tokens are clear`);
  assertEquals(actual.slice(0, expected.length), expected, `as ${type}`);
  if (clear === tokens.length) assertEquals(actual, expected, `as ${type}`);
}

/** How many tokens are chosen by a clear margin, and the smallest or the first that is not. */
export async function countClear(
  model: Network,
  prompt: number[],
  said: number[],
  enough: number,
): Promise<{ clear: number; margin: number }> {
  const tokens = Int32Array.from([...prompt, ...said]);
  const positions = Int32Array.from(tokens, (_, i) => i);
  const end = new Int32Array(tokens.length).fill(tokens.length);
  const logits = await scope(() =>
    noGrad(() => {
      const hidden = model.hidden({ tokens, positions, attend: attendWithin({ positions, end }) });
      return logitsOf(model, hidden);
    })
  ).data();
  let margin = Infinity;
  for (let i = 0; i < said.length; i++) {
    const row = (prompt.length - 1 + i) * model.vocabularySize;
    let [first, second] = [-Infinity, -Infinity];
    for (let id = 0; id < model.vocabularySize; id++) {
      const value = logits[row + id];
      if (value > first) [first, second] = [value, first];
      else if (value > second) second = value;
    }
    margin = Math.min(margin, first - second);
    if (margin < enough) return { clear: i, margin };
  }
  return { clear: said.length, margin };
}
