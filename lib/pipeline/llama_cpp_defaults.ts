/**
 * What a model says of its answers to llama.cpp's samplers, in its GGUF file or as parameters in Ollama: cuts are honoured for
 * what a caller does not say; what is not is named.
 *
 * The keys of files are those that llama.cpp's `common_init_sampler_from_model()` reads.
 *
 * @module
 */

import { asDecimal } from "../model/gguf_reader.ts";
import type { GgufMetadata, GgufValue } from "../weights/mod.ts";
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
  xtc_probability: 0,
};

/** Parameters that only count beside others. */
const BESIDE: Readonly<Record<string, string>> = {
  repeat_last_n: "repeat_penalty",
  penalize_newline: "repeat_penalty",
  mirostat_eta: "mirostat",
  mirostat_tau: "mirostat",
  xtc_threshold: "xtc_probability",
};

/** Where a GGUF file has parameters. */
const SAMPLING = "general.sampling.";

/** The tokens that never come. */
const SUPPRESSED = "tokenizer.ggml.suppress_tokens";

/** A file's names of parameters that Ollama names differently. */
const IN_FILES: Readonly<Record<string, string>> = {
  temp: "temperature",
  penalty_repeat: "repeat_penalty",
  penalty_last_n: "repeat_last_n",
};

/** Keys with which llama.cpp reads every text, prompts included, differently. */
const OF_TEXTS = `
  tokenizer.ggml.add_eos_token tokenizer.ggml.add_sep_token tokenizer.ggml.normalizer.lowercase
  tokenizer.ggml.normalizer.strip_accents
`.trim().split(/\s+/);

/**
 * What a model's parameters and system message in Ollama say.
 *
 * @param ollama The model's parts in Ollama.
 * @param specialTokens Its tokenizer's special tokens by name: as `stop` they say nothing of an answer's text.
 * @returns What is honoured, and what is not.
 */
export function ollamaDefaults(
  { parameters, system }: Pick<OllamaLayers, "parameters" | "system">,
  specialTokens: ReadonlyMap<string, number>,
): GenerationDefaults {
  const { stop, num_predict, ...others } = parameters;
  for (const name of OF_RUNNING) delete others[name];
  const texts = [stop ?? []].flat().filter((text) => !specialTokens.has(String(text)));
  const { left, ...honoured } = readSampling(others);
  return {
    program: "Ollama",
    rules: {},
    ...honoured,
    ...(isPositive(num_predict) && { maxNewTokens: num_predict }),
    unsupported: [
      ...(system ? [`the system message ${JSON.stringify(system)}`] : []),
      ...(texts.length > 0 ? [`"stop" ${JSON.stringify(texts)}`] : []),
      ...nameFields(Object.entries(left)),
    ],
  };
}

/**
 * What the metadata of a GGUF file says.
 *
 * @param metadata The file's.
 * @returns What is honoured, and what is not.
 */
export function ggufDefaults(metadata: ReadonlyMap<string, GgufValue>): GenerationDefaults {
  const parameters: Record<string, unknown> = {};
  const keys: Record<string, string> = {};
  for (const [key, value] of metadata) {
    if (!key.startsWith(SAMPLING)) continue;
    const inFile = key.slice(SAMPLING.length);
    const name = IN_FILES[inFile] ?? inFile;
    keys[name] = key;
    parameters[name] = readable(value);
  }
  const { left, ...honoured } = readSampling(parameters);
  const suppressed = metadata.get(SUPPRESSED);
  return {
    program: "llama.cpp",
    ...honoured,
    rules: ArrayBuffer.isView(suppressed)
      ? { suppressed: Array.from(suppressed as Int32Array, Number) }
      : {},
    unsupported: nameFields([
      ...Object.entries(left).map(([name, value]) => [keys[name]!, value] as const),
      ...OF_TEXTS.filter((key) => metadata.get(key) === true).map((key) => [key, true] as const),
    ]),
  };
}

/**
 * A model's own settings of its answers as keys of a GGUF file, with the names and types of gguf-py.
 *
 * @param defaults The model's settings.
 * @returns The keys; those that GGUF has no key for are left out.
 */
export function toGgufSampling(
  { sampling: { topK, topP, minP }, rules: { suppressed }, temperature }: GenerationDefaults,
): GgufMetadata {
  return {
    ...(topK !== undefined && { [`${SAMPLING}top_k`]: { int32: topK } }),
    ...(topP !== undefined && { [`${SAMPLING}top_p`]: { float32: topP } }),
    ...(minP !== undefined && { [`${SAMPLING}min_p`]: { float32: minP } }),
    ...(temperature !== undefined && { [`${SAMPLING}temp`]: { float32: temperature } }),
    ...(suppressed?.length && { [SUPPRESSED]: Int32Array.from(suppressed) }),
  };
}

/** What parameters say of how tokens are drawn, and those of them that are not honoured. */
function readSampling(
  parameters: Readonly<Record<string, unknown>>,
): Pick<GenerationDefaults, "sampling" | "temperature"> & { left: Record<string, unknown> } {
  const left = { ...parameters };
  /** A number, which is honoured if it changes anything. */
  const take = (name: string): unknown => {
    const value = left[name];
    if (typeof value === "number") delete left[name];
    return value;
  };
  const [temperature, top_k, top_p, min_p] = ["temperature", "top_k", "top_p", "min_p"].map(take);
  for (const [name, value] of Object.entries(NEUTRAL)) if (left[name] === value) delete left[name];
  for (const [name, other] of Object.entries(BESIDE)) if (!(other in left)) delete left[name];
  return {
    sampling: {
      ...(isPositive(top_k) && { topK: top_k }),
      ...(isPositive(top_p) && top_p < 1 && { topP: top_p }),
      ...(isPositive(min_p) && min_p <= 1 && { minP: min_p }),
    },
    ...(isPositive(temperature) && { temperature }),
    left,
  };
}

function isPositive(value: unknown): value is number {
  return typeof value === "number" && value > 0;
}

/** A value of a file as it was meant: files have numbers as float32. */
function readable(value: GgufValue): unknown {
  if (typeof value === "number") return asDecimal(value);
  if (typeof value === "bigint") return Number(value);
  return ArrayBuffer.isView(value) ? Array.from(value as Float32Array, asDecimal) : value;
}
