/**
 * A model as a GGUF file, which llama.cpp and Ollama run: the inverse of loading one.
 *
 * @module
 */

import type { Tensor } from "../tensor/mod.ts";
import {
  type GgufEntry,
  type GgufMetadata,
  type GgufWritable,
  writeGguf,
  type WrittenFile,
} from "../weights/mod.ts";
import { configToGguf, rotaryDivisors } from "./gguf_metadata.ts";
import { ggufPlace, ggufShape, toGgufForm } from "./gguf_names.ts";
import type { LanguageModel } from "./model.ts";

/** How the matrices of an exported model are stored. */
export type ExportType = "F32" | "F16" | "Q8_0";

/** Options of {@linkcode exportGguf}. */
export interface ExportGgufOptions {
  /** The type of matrices, F16 by default; vectors and positions stay F32, as readers expect. */
  readonly type?: ExportType;
  /** The keys of its tokenizer, as `ggufTokenizer()` gives them; without them only Tunebook reads the file. */
  readonly tokenizer?: GgufMetadata;
  /** A name for people. */
  readonly name?: string;
  /** Stops the writing: the call rejects with the signal's reason and no file is left. */
  readonly signal?: AbortSignal;
  /** Called as bytes are written with the bytes done so far and those in all. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** Numbers of `general.file_type` (`llama_ftype` of llama.h): what most of the file is. */
const FILE_TYPES: Readonly<Record<ExportType, number>> = { F32: 0, F16: 1, Q8_0: 7 };
const Q8_BLOCK = 32;

/**
 * Writes a model as a GGUF file.
 *
 * @param model The model; adapters must have been merged into it.
 * @param path The file; its directory must exist. It is written beside, then renamed.
 * @param options Type, tokenizer, name, signal and progress.
 * @returns The file's length and hash.
 * @throws {TypeError} If the model is of no kind that GGUF has, or has adapters.
 * @throws {RangeError} If a value is too large for the type.
 */
export async function exportGguf(
  model: LanguageModel,
  path: string,
  options: ExportGgufOptions = {},
): Promise<WrittenFile> {
  const { type = "F16", tokenizer = {}, name, signal, onProgress } = options;
  const adapted = [...model.linears.values()].find(({ adapter }) => adapter !== undefined);
  if (adapted !== undefined) {
    throw new TypeError(
      `Cannot write the model as GGUF: "${adapted.name}" has an adapter, merge it first`,
    );
  }
  const config = model.toConfig();
  const metadata = configToGguf(model.architecture, config);
  const entries: GgufEntry[] = [];
  const add = (parameter: string, tensor: Tensor) => {
    const place = ggufPlace(parameter, model);
    const shape = ggufShape(tensor.shape, place.form);
    entries.push({
      name: place.name,
      shape,
      type: typeOf(place.name, shape, type),
      data: async () => toGgufForm(await tensor.data(), tensor.shape, place.form),
    });
  };
  for (const [parameter, tensor] of model.parameters) add(parameter, tensor);
  if (model.architecture === "gpt2") {
    // Readers of GPT-2 know neither a tied head nor a missing bias.
    if (!model.parameters.has("lm_head.weight")) add("lm_head.weight", model.head);
    addMissingBiases(entries, model.layers);
  }
  const divisors = rotaryDivisors(config);
  if (divisors) {
    entries.push({ name: "rope_freqs.weight", shape: [divisors.length], data: divisors });
  }
  return await writeGguf(path, entries, {
    metadata: {
      "general.architecture": model.architecture,
      "general.type": "model",
      ...(name === undefined ? {} : { "general.name": name }),
      "general.file_type": { uint32: FILE_TYPES[type] },
      "general.quantization_version": { uint32: 2 },
      ...metadata,
      ...fitVocabulary(tokenizer, model.vocabularySize),
    },
    signal,
    onProgress,
  });
}

/** Vectors and positions are F32 in every file; rows that do not fill blocks of Q8_0 become F16, as in llama.cpp. */
function typeOf(name: string, shape: readonly number[], type: ExportType): ExportType {
  if (shape.length === 1 || name === "position_embd.weight") return "F32";
  return type === "Q8_0" && shape.at(-1)! % Q8_BLOCK !== 0 ? "F16" : type;
}

function addMissingBiases(entries: GgufEntry[], layers: number): void {
  const names = new Set(entries.map(({ name }) => name));
  for (let layer = 0; layer < layers; layer++) {
    const name = `blk.${layer}.attn_qkv.bias`;
    if (names.has(name)) continue;
    const weight = entries.find((entry) => entry.name === `blk.${layer}.attn_qkv.weight`)!;
    entries.push({ name, shape: [weight.shape[0]], data: new Float32Array(weight.shape[0]) });
  }
}

/** As many tokens as the model has rows: readers take the vocabulary's size from their list. */
function fitVocabulary(tokenizer: GgufMetadata, size: number): GgufMetadata {
  const tokens = tokenizer["tokenizer.ggml.tokens"] as readonly string[] | undefined;
  if (tokens === undefined) return tokenizer;
  if (tokens.length > size) {
    throw new RangeError(
      `Cannot write the model as GGUF: it has ${size} tokens and its tokenizer ${tokens.length}`,
    );
  }
  const missing = Array.from({ length: size - tokens.length }, (_, i) => tokens.length + i);
  if (missing.length === 0) return tokenizer;
  const fitted: Record<string, GgufWritable> = {
    ...tokenizer,
    "tokenizer.ggml.tokens": [...tokens, ...missing.map((id) => `[PAD${id}]`)],
  };
  const types = tokenizer["tokenizer.ggml.token_type"];
  if (types instanceof Int32Array) {
    fitted["tokenizer.ggml.token_type"] = Int32Array.of(...types, ...missing.map(() => UNUSED));
  }
  const scores = tokenizer["tokenizer.ggml.scores"];
  if (scores instanceof Float32Array) {
    fitted["tokenizer.ggml.scores"] = Float32Array.of(...scores, ...missing.map(() => -1e4));
  }
  return fitted;
}

/** ggml's type of a token that is never used. */
const UNUSED = 5;
