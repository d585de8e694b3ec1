/**
 * The supported architectures, by the `model_type` of their `config.json`.
 *
 * @module
 */

import type { Tensor } from "../tensor/mod.ts";
import { ConfigReader } from "./config_reader.ts";
import { Gemma, gemmaShapes } from "./gemma.ts";
import { parseGemmaConfig } from "./gemma_config.ts";
import { Gpt2, gpt2Shapes } from "./gpt2.ts";
import { parseGpt2Config } from "./gpt2_config.ts";
import { Llama, llamaShapes } from "./llama.ts";
import { parseLlamaConfig } from "./llama_config.ts";
import type { Network } from "./model.ts";

/** A model's description from its configuration, before its weights are read. */
export interface ModelPlan {
  /** Its architecture, as {@linkcode Network.architecture} has it. */
  readonly architecture: string;
  /** V: tokens. */
  readonly vocabularySize: number;
  /** The longest sequence. */
  readonly contextLength: number;
  /** C: width of the residual stream. */
  readonly width: number;
  /** Number of blocks. */
  readonly layers: number;
  /** Heads of the queries. */
  readonly heads: number;
  /** Heads of keys and values. */
  readonly kvHeads: number;
  /** Names and shapes of all weights, in the order of the computation. */
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  /**
   * Possible prefixes of weights' names in Hugging Face files, in search order; the first is used
   * for writing.
   */
  readonly prefixes: readonly string[];
  /** Creates the model from a tensor for each of the shapes. */
  readonly build: (parameters: ReadonlyMap<string, Tensor>) => Network;
}

type Planner = (json: Record<string, unknown>, path: string, dropout: number) => ModelPlan;

const planGpt2: Planner = (json, path, dropout) => {
  const config = parseGpt2Config(json, path, dropout);
  return {
    architecture: "gpt2",
    ...config,
    kvHeads: config.heads,
    shapes: gpt2Shapes(config),
    prefixes: ["transformer.", ""],
    build: (parameters) => new Gpt2(config, parameters),
  };
};

const planLlama: Planner = (json, path, dropout) => {
  const config = parseLlamaConfig(json, path);
  refuseDropout(path, dropout);
  return {
    architecture: "llama",
    ...config,
    kvHeads: config.kvHeads ?? config.heads,
    shapes: llamaShapes(config),
    prefixes: ["model.", ""],
    build: (parameters) => new Llama(config, parameters),
  };
};

const planGemma: Planner = (json, path, dropout) => {
  const config = parseGemmaConfig(json, path);
  refuseDropout(path, dropout);
  return {
    architecture: config.generation === 3 ? "gemma3" : "gemma",
    ...config,
    kvHeads: config.kvHeads ?? config.heads,
    shapes: gemmaShapes(config),
    // Models that also read images have the others.
    prefixes: ["model.", "", "language_model.model.", "model.language_model."],
    build: (parameters) => new Gemma(config, parameters),
  };
};

const PLANNERS: Readonly<Record<string, Planner>> = {
  gpt2: planGpt2,
  llama: planLlama,
  mistral: planLlama,
  gemma: planGemma,
  gemma3: planGemma,
  gemma3_text: planGemma,
};

/**
 * Describes a model from its Hugging Face `config.json`.
 *
 * @param json The file's object.
 * @param path The file, for messages.
 * @param dropout The dropout to train with.
 * @returns Its shapes, and how to create it.
 * @throws {TypeError} If its architecture is not supported, or a number is missing.
 * @throws {RangeError} If dropout is requested and the architecture has none.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { planModel } from "tunebook";
 *
 * const config = {
 *   model_type: "llama", vocab_size: 32, hidden_size: 8, intermediate_size: 16, num_hidden_layers: 1,
 *   num_attention_heads: 2, max_position_embeddings: 64,
 * };
 * assertEquals(planModel(config, "config.json").shapes.get("norm.weight"), [8]);
 * ```
 */
export function planModel(json: Record<string, unknown>, path: string, dropout = 0): ModelPlan {
  if (typeof dropout !== "number" || !(dropout >= 0 && dropout < 1)) {
    throw new RangeError(
      `Cannot load a model with dropout ${JSON.stringify(dropout)}: expected a number from 0 up ` +
        "to, but not including, 1",
    );
  }
  assertLayers(json, path, MOST_LAYERS, `than the ${MOST_LAYERS} that any model has`);
  const type = json?.model_type;
  if (typeof type === "string" && Object.hasOwn(PLANNERS, type)) {
    return PLANNERS[type](json, path, dropout);
  }
  if (type === "gemma2") {
    throw new TypeError(
      `Cannot load "${path}": it is a Gemma 2, whose soft caps of scores and logits are not ` +
        "supported; Gemma 1 and 3 are",
    );
  }
  const known = Object.keys(PLANNERS).map((name) => `"${name}"`);
  const last = known.pop();
  return new ConfigReader(json ?? {}, path).fail("model_type", `${known.join(", ")} or ${last}`);
}

/** More layers than any published model has, by far: the names of their weights alone take memory. */
const MOST_LAYERS = 2000;

/**
 * Refuses a configuration with more layers than make sense, before anything is made for them.
 *
 * @param json The configuration.
 * @param path Its file, for messages.
 * @param most The most layers.
 * @param reason Why, after "more".
 * @throws {RangeError} If it has more.
 */
export function assertLayers(
  json: Record<string, unknown>,
  path: string,
  most: number,
  reason: string,
): void {
  for (const part of [json, json?.text_config]) {
    for (const key of ["num_hidden_layers", "n_layer"]) {
      const layers = (part as Record<string, unknown> | undefined)?.[key];
      if (typeof layers === "number" && layers > most) {
        throw new RangeError(`Cannot read "${path}": ${key} is ${layers}, more ${reason}`);
      }
    }
  }
}

function refuseDropout(path: string, dropout: number): void {
  if (dropout > 0) {
    throw new RangeError(
      `Cannot load "${path}" with dropout ${dropout}: only GPT-2 has dropout, others have it in adapters`,
    );
  }
}
