/**
 * What a model's parameters in Ollama say of its answers: cuts are honoured for what a caller does not say; what is not is named.
 *
 * @module
 */

import type { OllamaLayers } from "../weights/resolved.ts";
import { type GenerationDefaults, nameFields } from "./generation_defaults.ts";

/** Parameters of how a model is run, which change no answer that fits. */
const OF_RUNNING = `
  num_ctx num_batch num_gpu main_gpu num_thread num_keep numa low_vram f16_kv vocab_only use_mmap use_mlock logits_all
`.trim().split(/\s+/);

/** Parameters with the value at which they change nothing. */
const NEUTRAL: Readonly<Record<string, unknown>> = {
  repeat_penalty: 1,
  presence_penalty: 0,
  frequency_penalty: 0,
  typical_p: 1,
  tfs_z: 1,
  mirostat: 0,
};

/** Parameters that only count beside others. */
const BESIDE: Readonly<Record<string, string>> = {
  repeat_last_n: "repeat_penalty",
  penalize_newline: "repeat_penalty",
  mirostat_eta: "mirostat",
  mirostat_tau: "mirostat",
};

/**
 * What a model's parameters and system message say.
 *
 * @param ollama The model's parts in Ollama.
 * @param specialTokens Its tokenizer's special tokens by name: as `stop` they say nothing of an answer's text.
 * @returns What is honoured, and what is not.
 */
export function ollamaDefaults(
  { parameters, system }: Pick<OllamaLayers, "parameters" | "system">,
  specialTokens: ReadonlyMap<string, number>,
): GenerationDefaults {
  const { temperature, top_k, top_p, min_p, num_predict, stop, ...left } = parameters;
  const texts = [stop ?? []].flat().filter((text) => !specialTokens.has(String(text)));
  for (const name of OF_RUNNING) delete left[name];
  for (const [name, value] of Object.entries(NEUTRAL)) if (left[name] === value) delete left[name];
  for (const [name, other] of Object.entries(BESIDE)) if (!(other in left)) delete left[name];
  const isNumber = (value: unknown): value is number => typeof value === "number" && value > 0;
  return {
    program: "Ollama",
    sampling: {
      ...(isNumber(top_k) && { topK: top_k }),
      ...(isNumber(top_p) && top_p < 1 && { topP: top_p }),
      ...(isNumber(min_p) && min_p <= 1 && { minP: min_p }),
    },
    rules: {},
    ...(isNumber(temperature) && { temperature }),
    ...(isNumber(num_predict) && { maxNewTokens: num_predict }),
    unsupported: [
      ...(system ? [`the system message ${JSON.stringify(system)}`] : []),
      ...(texts.length > 0 ? [`"stop" ${JSON.stringify(texts)}`] : []),
      ...nameFields(Object.entries(left)),
    ],
  };
}
