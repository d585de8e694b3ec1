/**
 * Writes a model as a GGUF file, which llama.cpp and Ollama run: the inverse of loading one.
 *
 * @module
 */

import type { GgufMetadata, GgufWritable } from "../weights/gguf/format.ts";
import { type GgufEntry, writeGguf } from "../weights/gguf/write.ts";
import type { WrittenFile } from "../weights/write_tensors.ts";
import { planModel } from "./architectures.ts";
import { ConfigReader } from "./config_reader.ts";
import type { FamilyTraits } from "./families/traits.ts";
import { ggufShape, toGgufForm } from "./gguf_forms.ts";
import { configToGguf } from "./gguf_metadata.ts";
import { type GgufNaming, ggufPlace } from "./gguf_names.ts";
import { assertNetwork, type Network } from "./model.ts";
import type { StoredModel } from "./stored_weights.ts";
import { configOf } from "./replaced_weights.ts";
import { assertKnownOptions, type OptionNames } from "../options.ts";

/** How the matrices of an exported model are stored. */
export type ExportType = "F32" | "F16" | "Q8_0";

/** Options of {@linkcode exportGguf}. */
export interface ExportGgufOptions {
  /**
   * The type of matrices, F16 by default; vectors and position embeddings stay F32, as readers
   * expect.
   */
  readonly type?: ExportType;
  /**
   * The keys of its tokenizer, from `tokenizerToGguf()`; without them only Tunebook reads the file.
   */
  readonly tokenizer?: GgufMetadata;
  /** A display name. */
  readonly name?: string;
  /** Stops the writing: the call rejects with the signal's reason and no file is left. */
  readonly signal?: AbortSignal;
  /** Called while bytes are written, with the bytes done so far and the total. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** The names of {@linkcode ExportGgufOptions}. */
export const EXPORT_GGUF_OPTIONS: OptionNames<ExportGgufOptions> = {
  type: true,
  tokenizer: true,
  name: true,
  signal: true,
  onProgress: true,
};

/** Values of `general.file_type` (`llama_ftype` of llama.h): the type of most tensors. */
const FILE_TYPES: Readonly<Record<ExportType, number>> = { F32: 0, F16: 1, Q8_0: 7 };
const Q8_BLOCK = 32;

/** The model to write: its shape, and its weights one after the other. */
interface Exported {
  readonly family: FamilyTraits;
  readonly naming: GgufNaming;
  readonly config: Record<string, unknown>;
  readonly vocabularySize: number;
  readonly layers: number;
  readonly weights: ReadonlyMap<string, ExportedWeight>;
}

interface ExportedWeight {
  readonly shape: readonly number[];
  readonly data: () => Promise<Float32Array>;
}

/**
 * Writes a model as a GGUF file, with one tensor at a time in memory.
 *
 * @param model A model, into which adapters must have been merged; or the open files of one.
 * @param path The file; its directory must exist. It is written under a temporary name, then
 * renamed.
 * @param options Type, tokenizer, name, signal and progress.
 * @returns The file's length and hash.
 * @throws {TypeError} If GGUF does not support the model's architecture, or the model has adapters.
 * @throws {RangeError} If a value is too large for the type.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { exportGguf, Gpt2, loadNetwork, pick } from "tunebook";
 *
 * const device = await pick({ device: "cpu" });
 * const network = Gpt2.create(device, {
 *   vocabularySize: 9, contextLength: 8, width: 4, layers: 1, heads: 2,
 * });
 * const path = await Deno.makeTempFile({ suffix: ".gguf" });
 * await exportGguf(network, path, { type: "F16" });
 * const { network: again } = await loadNetwork(path, { device });
 * assertEquals(again.architecture, "gpt2");
 * await Deno.remove(path);
 * device.close();
 * ```
 */
export async function exportGguf(
  model: Network | StoredModel,
  path: string,
  options: ExportGgufOptions = {},
): Promise<WrittenFile> {
  assertKnownOptions("write the model as GGUF", options, EXPORT_GGUF_OPTIONS);
  if (typeof model !== "object" || !("find" in model)) {
    assertNetwork("write the model as GGUF", model);
  }
  const { type = "F16", tokenizer = {}, name, signal, onProgress } = options;
  const exported = "find" in model ? fromFiles(model, signal) : fromModel(model);
  const { naming: { architecture }, family: { gguf, head, embeddings }, config, weights } =
    exported;
  const entries: GgufEntry[] = [];
  const add = (parameter: string, { shape, data }: ExportedWeight) => {
    const place = ggufPlace(parameter, exported.naming);
    const there = ggufShape(shape, place.form);
    entries.push({
      name: place.name,
      shape: there,
      type: typeOf(place.name, there, type),
      data: async () => toGgufForm(await data(), shape, place.form),
    });
  };
  for (const [parameter, weight] of weights) add(parameter, weight);
  if (gguf.needsHead && !weights.has(head)) add(head, weights.get(embeddings[0])!);
  for (const module of gguf.needsBiases ?? []) addMissingBiases(entries, module, exported.layers);
  const beside = gguf.writeTensors?.(new ConfigReader(config, "config.json")) ?? {};
  for (const [name, values] of Object.entries(beside)) {
    entries.push({ name, shape: [values.length], data: values });
  }
  return await writeGguf(path, entries, {
    metadata: {
      "general.architecture": architecture,
      "general.type": "model",
      ...(name === undefined ? {} : { "general.name": name }),
      "general.file_type": { uint32: FILE_TYPES[type] },
      "general.quantization_version": { uint32: 2 },
      ...configToGguf(architecture, config),
      ...fitVocabulary(tokenizer, exported.vocabularySize),
    },
    signal,
    onProgress,
  });
}

function fromModel(model: Network): Exported {
  const adapted = [...model.linears.values()].find(({ adapter }) => adapter !== undefined);
  if (adapted !== undefined) {
    throw new TypeError(
      `Cannot write the model as GGUF: "${adapted.name}" has an adapter, merge it first`,
    );
  }
  const { vocabularySize, layers } = model;
  const weights = new Map<string, ExportedWeight>();
  for (const [name, tensor] of model.parameters) {
    weights.set(name, { shape: tensor.shape, data: () => tensor.data() });
  }
  const { family } = model;
  return { family, naming: model, config: configOf(model), vocabularySize, layers, weights };
}

function fromFiles(stored: StoredModel, signal?: AbortSignal): Exported {
  const plan = planModel(stored.config, stored.path);
  const weights = new Map<string, ExportedWeight>();
  for (const [name, shape] of plan.shapes) {
    weights.set(name, { shape, data: () => stored.find(plan, name, signal).values() });
  }
  const { vocabularySize, layers } = plan;
  const config = plan.completeConfig();
  return { family: plan.family, naming: plan, config, vocabularySize, layers, weights };
}

/**
 * Vectors and position embeddings are always F32; rows that do not fill blocks of Q8_0 become F16,
 * as in llama.cpp.
 */
function typeOf(name: string, shape: readonly number[], type: ExportType): ExportType {
  if (shape.length === 1 || name === "position_embd.weight") return "F32";
  return type === "Q8_0" && shape.at(-1)! % Q8_BLOCK !== 0 ? "F16" : type;
}

function addMissingBiases(entries: GgufEntry[], module: string, layers: number): void {
  const names = new Set(entries.map(({ name }) => name));
  for (let layer = 0; layer < layers; layer++) {
    const name = `blk.${layer}.${module}.bias`;
    if (names.has(name)) continue;
    const weight = entries.find((entry) => entry.name === `blk.${layer}.${module}.weight`)!;
    entries.push({ name, shape: [weight.shape[0]], data: new Float32Array(weight.shape[0]) });
  }
}

/**
 * Pads or cuts the tokens to the model's number of rows, because readers take the vocabulary's size from the list.
 */
function fitVocabulary(tokenizer: GgufMetadata, size: number): GgufMetadata {
  const tokens = tokenizer["tokenizer.ggml.tokens"] as readonly string[] | undefined;
  if (tokens === undefined) return tokenizer;
  // Tokens beyond the model's rows are never used, and llama.cpp refuses them.
  if (tokens.length > size) {
    const cut = Object.entries(tokenizer).map(([key, value]) =>
      /\.(tokens|token_type|scores)$/.test(key)
        ? [key, (value as readonly string[] | Int32Array).slice(0, size)]
        : [key, value]
    );
    return Object.fromEntries(cut);
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

/** ggml's type of unused tokens. */
const UNUSED = 5;
