/**
 * Gemma, as in Gemma Team, "Gemma: Open Models Based on Gemini Research and Technology", 2024, and the text part
 * of Gemma 3 ("Gemma 3 Technical Report", 2025): norms before and after each layer and of queries
 * and keys, and local layers. Norms' weights are stored minus 1.
 *
 * @module
 */

import type { Device, RotaryScaling, Tensor } from "../../tensor/mod.ts";
import {
  ConfigReader,
  longestContext,
  namedContext,
  rotaryScalingToConfig,
  type SpecialTokens,
  specialTokensToConfig,
} from "../config_reader.ts";
import type { DecoderConfig } from "../decoder.ts";
import type { GgufForm } from "../gguf_forms.ts";
import { commonKeys, float32, type GgufKeys, uint32 } from "../gguf_keys.ts";
import { type GgufReader, readCommonConfig } from "../gguf_reader.ts";
import type { CreateOptions } from "../parameters.ts";
import {
  createTransformerParameters,
  LLAMA_MODULES,
  Transformer,
  type TransformerConfig,
  transformerShapes,
} from "../transformer.ts";
import { assertWhole, readLayerTypes, readWindow, wholeRotary } from "./common.ts";
import { defineFamily, type Family } from "./family.ts";
import { LLAMA_GGUF_NAMES } from "./llama.ts";

/** Shape and options of a Gemma. */
export interface GemmaConfig extends DecoderConfig {
  /** Which Gemma it is. */
  readonly generation: 1 | 3;
  /** D: elements of a head, independent of the width. */
  readonly headDim: number;
  /** F: width inside the feed-forward layers. */
  readonly feedForwardWidth: number;
  /** Added to mean squares. 1e-6 by default. */
  readonly normEpsilon?: number;
  /** θ, the base of rotary positions' wavelengths: 10000 in Gemma 1, 1000000 in Gemma 3 by default. */
  readonly theta?: number;
  /** How rotary positions are scaled; not at all by default. */
  readonly scaling?: RotaryScaling;
  /**
   * Which layers are local: they attend to a window only and have their own θ. By default none in
   * Gemma 1, and all but every sixth in Gemma 3.
   */
  readonly localLayers?: readonly boolean[];
  /** Local layers attend only to tokens less than this many positions away. 4096 by default. */
  readonly window?: number;
  /** θ of local layers. 10000 by default. */
  readonly localTheta?: number;
  /** Scores are divided by the root of this; D by default. */
  readonly queryScalar?: number;
  /** The limit towards which logits are bent; not at all by default, as in all that were published. */
  readonly logitCap?: number;
  /** Whether attention's projections have biases. False by default. */
  readonly attentionBias?: boolean;
  /** Whether the output head is the token embedding. True by default. */
  readonly tied?: boolean;
  /** Special tokens. */
  readonly special?: SpecialTokens;
}

/** Norms of Gemma 2 and 3 that Gemma has not, and the one that is called otherwise. */
export const GEMMA2_MODULES = {
  ...LLAMA_MODULES,
  attentionOutNorm: "post_attention_layernorm",
  feedForwardNorm: "pre_feedforward_layernorm",
  feedForwardOutNorm: "post_feedforward_layernorm",
};

const GEMMA3_MODULES = {
  ...GEMMA2_MODULES,
  queryNorm: "self_attn.q_norm",
  keyNorm: "self_attn.k_norm",
};

/** Names of Gemma 2's modules in GGUF files. */
export const GEMMA2_GGUF_NAMES = {
  ...LLAMA_GGUF_NAMES,
  "post_attention_layernorm": "post_attention_norm",
  "pre_feedforward_layernorm": "ffn_norm",
  "post_feedforward_layernorm": "post_ffw_norm",
};

/** What scores of Gemma 3 are divided by the root of, if its configuration does not say. */
const QUERY_SCALAR = 256;

/** The configuration as a transformer's. */
function toRecipe(config: GemmaConfig): TransformerConfig {
  const third = config.generation === 3;
  const { width, layers, headDim, normEpsilon = 1e-6, attentionBias = false } = config;
  const { theta = third ? 1_000_000 : 10_000, localTheta = 10_000, window = 4096 } = config;
  const { localLayers = third ? alternate(layers, 6) : [], queryScalar = headDim } = config;
  return {
    ...config,
    modules: third ? GEMMA3_MODULES : LLAMA_MODULES,
    activation: "geglu",
    normOffset: 1,
    embeddingFactor: Math.sqrt(width),
    scoreFactor: 1 / Math.sqrt(queryScalar),
    tied: config.tied ?? true,
    ...{ normEpsilon, theta, localTheta, window, localLayers },
    biases: { queryKeyValue: attentionBias, output: attentionBias },
  };
}

/**
 * Names and shapes of all weights.
 *
 * @param config The model's shape.
 * @returns Shapes by name, in the order of the computation.
 */
export function gemmaShapes(config: GemmaConfig): Map<string, number[]> {
  return transformerShapes(toRecipe(config));
}

/**
 * A Gemma on a device.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { pick } from "tunebook";
 * import { Gemma } from "tunebook/model";
 *
 * const device = await pick({ device: "cpu" });
 * const network = Gemma.create(device, {
 *   vocabularySize: 9, contextLength: 8, width: 4, layers: 1, heads: 2, kvHeads: 1, feedForwardWidth: 8,
 *   headDim: 2, generation: 1,
 * });
 * assertEquals(network.kvHeads, 1);
 * device.close();
 * ```
 */
export class Gemma extends Transformer<GemmaConfig> {
  /**
   * Makes a network of given weights.
   *
   * @param config Shape and options.
   * @param parameters A tensor for each of {@linkcode gemmaShapes}.
   */
  constructor(config: GemmaConfig, parameters: ReadonlyMap<string, Tensor>) {
    super(config, parameters, {
      family: config.generation === 3 ? gemma3 : gemma,
      recipe: toRecipe(config),
      toConfig: () => gemmaToConfig(config),
    });
  }

  /**
   * Creates an untrained model: weights normal with deviation 0.02, biases and norms (stored minus
   * 1) 0.
   *
   * @param device The device that stores it.
   * @param config Shape and options.
   * @param options The seed of the first weights.
   * @returns The model.
   */
  static create(
    device: Device,
    config: GemmaConfig,
    options: CreateOptions = {},
  ): Gemma {
    const parameters = createTransformerParameters(device, toRecipe(config), options);
    return new Gemma(config, parameters);
  }
}

/**
 * Reads a Gemma's shape from a Hugging Face `config.json`. For a Gemma 3 that also reads images, it
 * is the text part.
 *
 * @param json The file's object.
 * @param path The file, for messages.
 * @returns Shape and options.
 * @throws {TypeError} If it is another architecture, a number is missing, or something in it is not supported.
 */
export function parseGemmaConfig(json: Record<string, unknown>, path: string): GemmaConfig {
  const outer = new ConfigReader(json, path);
  if (json.model_type === "gemma") return parseGemma1(outer);
  if (json.model_type === "gemma3") {
    return parseGemma3(outer.object("text_config") ?? outer.fail("text_config", "an object"));
  }
  if (json.model_type === "gemma3_text") return parseGemma3(outer);
  return outer.fail("model_type", '"gemma", "gemma3" or "gemma3_text"');
}

function parseGemma1(reader: ConfigReader): GemmaConfig {
  // Gemma's first files say "gelu" but mean the tanh approximation.
  reader.expect("hidden_act", "gelu_pytorch_tanh", "gelu");
  reader.expect("hidden_activation", "gelu_pytorch_tanh");
  reader.expect("use_bidirectional_attention", false);
  const heads = reader.count("num_attention_heads");
  const { theta, scaling } = wholeRotary(reader);
  return {
    generation: 1,
    ...parseCommon(reader),
    vocabularySize: reader.count("vocab_size"),
    contextLength: longestContext(reader.count("max_position_embeddings"), scaling),
    heads,
    kvHeads: reader.count("num_key_value_heads", heads),
    theta,
    scaling,
  };
}

/** Published files leave out the defaults of `Gemma3TextConfig`. */
function parseGemma3(reader: ConfigReader): GemmaConfig {
  reader.expect("hidden_activation", "gelu_pytorch_tanh");
  reader.expect("use_bidirectional_attention", false);
  reader.expect("attn_logit_softcapping", null);
  // As in transformers, `rope_scaling` adds to what `rope_parameters` says of layers that see all.
  const rotary = reader.object("rope_parameters");
  const parameters = { ...rotary?.object("full_attention")?.json };
  const merged = { ...parameters, ...reader.object("rope_scaling")?.json };
  const global = new ConfigReader(merged, reader.path);
  // transformers looks for the new key only, and does not scale.
  if (merged.rope_type == null && merged.type != null) {
    global.fail("rope_type", "the kind of scaling");
  }
  const local = rotary?.object("sliding_attention");
  if (local?.rotaryScaling(reader)) local.fail("rope_type", '"default"');
  const scaling = global.rotaryScaling(reader);
  if (scaling && scaling.type !== "linear") global.fail("rope_type", '"default" or "linear"');
  for (const source of [global, local, reader]) {
    if (source?.json.partial_rotary_factor != null) {
      assertWhole(source, source.number("partial_rotary_factor"));
    }
  }
  const common = parseCommon(reader);
  const localLayers = readLayerTypes(
    reader,
    common.layers,
    alternate(common.layers, reader.count("sliding_window_pattern", 6)),
  );
  return {
    generation: 3,
    ...common,
    vocabularySize: reader.count("vocab_size", 262_208),
    contextLength: reader.count("max_position_embeddings", 131_072),
    heads: reader.count("num_attention_heads", 8),
    kvHeads: reader.count("num_key_value_heads", 4),
    theta: (merged.rope_theta == null ? reader : global).number("rope_theta", 1_000_000),
    scaling,
    localLayers,
    window: readWindow(reader, localLayers, 4096),
    localTheta: local?.json.rope_theta == null
      ? reader.number("rope_local_base_freq", 10_000)
      : local.number("rope_theta"),
    queryScalar: reader.number("query_pre_attn_scalar", QUERY_SCALAR),
    ...(reader.json.final_logit_softcapping != null && {
      logitCap: reader.number("final_logit_softcapping"),
    }),
  };
}

/**
 * Reads what all Gemmas have.
 *
 * @param reader The `config.json`.
 * @returns Shape and options.
 */
export function parseCommon(reader: ConfigReader) {
  return {
    width: reader.count("hidden_size"),
    layers: reader.count("num_hidden_layers"),
    headDim: reader.count("head_dim", 256),
    feedForwardWidth: reader.count("intermediate_size"),
    normEpsilon: reader.number("rms_norm_eps", 1e-6),
    attentionBias: reader.flag("attention_bias", false),
    tied: reader.flag("tie_word_embeddings", true),
    special: reader.specialTokens(),
  };
}

/**
 * Which layers are local if every n-th is not.
 *
 * @param layers The number of layers.
 * @param pattern n: every n-th layer is global.
 * @returns Whether each is local.
 */
export function alternate(layers: number, pattern: number): boolean[] {
  return Array.from({ length: layers }, (_, layer) => (layer + 1) % pattern !== 0);
}

/**
 * Converts a Gemma's shape to a `config.json`: the inverse of {@linkcode parseGemmaConfig}.
 *
 * @param config Shape and options.
 * @returns The file's object.
 */
export function gemmaToConfig(config: GemmaConfig): Record<string, unknown> {
  const third = config.generation === 3;
  const local = config.localLayers ?? alternate(config.layers, 6);
  return {
    architectures: [third ? "Gemma3ForCausalLM" : "GemmaForCausalLM"],
    model_type: third ? "gemma3_text" : "gemma",
    vocab_size: config.vocabularySize,
    max_position_embeddings: namedContext(config.contextLength, config.scaling),
    hidden_size: config.width,
    num_hidden_layers: config.layers,
    num_attention_heads: config.heads,
    num_key_value_heads: config.kvHeads ?? config.heads,
    head_dim: config.headDim,
    intermediate_size: config.feedForwardWidth,
    ...(third ? {} : { hidden_act: "gelu_pytorch_tanh" }),
    hidden_activation: "gelu_pytorch_tanh",
    rms_norm_eps: config.normEpsilon ?? 1e-6,
    rope_theta: config.theta ?? (third ? 1_000_000 : 10_000),
    rope_scaling: rotaryScalingToConfig(config.scaling),
    ...(third
      ? {
        rope_local_base_freq: config.localTheta ?? 10_000,
        layer_types: local.map((is) => is ? "sliding_attention" : "full_attention"),
        sliding_window: config.window ?? 4096,
        query_pre_attn_scalar: config.queryScalar ?? config.headDim,
        attn_logit_softcapping: null,
        final_logit_softcapping: config.logitCap ?? null,
      }
      : {}),
    attention_bias: config.attentionBias ?? false,
    attention_dropout: 0,
    initializer_range: 0.02,
    tie_word_embeddings: config.tied ?? true,
    ...specialTokensToConfig(config.special),
  };
}

/**
 * Constants of Gemma 3 in llama.cpp that are not in the file: the pattern of layers, local θ, and
 * the largest model's scale.
 */
function readGemma3(reader: GgufReader): Record<string, unknown> {
  const [width, heads] = [reader.number("embedding_length"), reader.number("attention.head_count")];
  const largest = reader.number("block_count") === 62;
  const pattern = reader.file.metadata.get("gemma3.attention.sliding_window_pattern") ?? 6;
  const cap = reader.factor("final_logit_softcapping") ?? null;
  return {
    ...readCommonConfig(reader),
    model_type: "gemma3_text",
    sliding_window: reader.number("attention.sliding_window"),
    ...(Array.isArray(pattern)
      ? { layer_types: pattern.map((local) => local ? "sliding_attention" : "full_attention") }
      : { sliding_window_pattern: pattern }),
    rope_local_base_freq: reader.find("rope.freq_base_swa") ??
      reader.find("rope.local.freq_base") ?? 10_000,
    // As llama.cpp; where it has not written the file, as transformers, whose default published models have.
    query_pre_attn_scalar: largest
      ? width / heads
      : isOllamas(reader)
      ? QUERY_SCALAR
      : reader.find("attention.key_length") ?? width / heads,
    attn_logit_softcapping: reader.find("attn_logit_softcapping") ?? null,
    // Ollama writes 30 into every Gemma 3 of its own, as if it were a Gemma 2; its engine does not apply it.
    final_logit_softcapping: isOllamas(reader) && cap === 30 ? null : cap,
  };
}

/** Whether Ollama made a file of its own, which calls θ "rope.global.freq_base" only. */
function isOllamas(reader: GgufReader): boolean {
  return reader.find("rope.freq_base") === undefined &&
    reader.find("rope.global.freq_base") !== undefined;
}

function writeGemma3(reader: ConfigReader): GgufKeys {
  const global = reader.number("rope_theta", 1_000_000);
  const local = reader.number("rope_local_base_freq", 10_000);
  checkGemma3(reader);
  return {
    ...commonKeys(reader),
    "attention.sliding_window": uint32(reader.count("sliding_window", 4096)),
    // The first two are for llama.cpp, the others for Ollama's own engine.
    "rope.freq_base": float32(global),
    "rope.freq_base_swa": float32(local),
    "rope.global.freq_base": float32(global),
    "rope.local.freq_base": float32(local),
  };
}

/** Checks the properties of a Gemma 3 that llama.cpp and Ollama assume. */
function checkGemma3(reader: ConfigReader): void {
  const layers = reader.count("num_hidden_layers");
  const expected = Array.from(
    { length: layers },
    (_, layer) => (layer + 1) % 6 === 0 ? "full_attention" : "sliding_attention",
  );
  const types = reader.json.layer_types as string[] | undefined;
  if (types?.some((type, layer) => type !== expected[layer])) {
    throw new TypeError(
      "Cannot write a Gemma 3 as GGUF whose every sixth layer is not the one that sees all",
    );
  }
  if (reader.json.final_logit_softcapping != null) {
    throw new TypeError(
      "Cannot write a Gemma 3 with a soft cap of logits as GGUF, whose readers do not all apply it",
    );
  }
  const headDim = reader.count("head_dim", 256);
  const scalar = reader.number("query_pre_attn_scalar", headDim);
  if (scalar !== headDim) {
    throw new TypeError(
      `Cannot write a Gemma 3 as GGUF whose "query_pre_attn_scalar" is ${scalar}, expected its "head_dim", ${headDim}`,
    );
  }
}

/** What files know all Gemmas by. */
export const GEMMA_TRAITS = {
  // Models that also read images have the others.
  prefixes: ["model.", "", "language_model.model.", "model.language_model."],
  embeddings: ["embed_tokens.weight"],
  head: "lm_head.weight",
};

const common = {
  ...GEMMA_TRAITS,
  readConfig: parseGemmaConfig,
  writeConfig: gemmaToConfig,
  shapesOf: gemmaShapes,
  build: (config: GemmaConfig, parameters: ReadonlyMap<string, Tensor>) =>
    new Gemma(config, parameters),
};

/** Norms include their + 1 in GGUF files. */
export const formOf = (module: string): GgufForm => ({
  kind: module.endsWith("norm") ? "plusOne" : "same",
});

/**
 * Refuses a head of its own, which readers of these GGUF files do not look for.
 *
 * @param reader The model's `config.json`.
 * @param title What the family is called.
 * @throws {TypeError} If the head is not the token embedding.
 */
export function assertTied(reader: ConfigReader, title: string): void {
  if (reader.flag("tie_word_embeddings", true)) return;
  throw new TypeError(
    `Cannot write a ${title} as GGUF whose head is not its token embedding, which readers take for it`,
  );
}

/** Gemma 1. */
export const gemma: Family = defineFamily<GemmaConfig>({
  title: "Gemma",
  modelTypes: ["gemma"],
  ...common,
  gguf: {
    architecture: "gemma",
    names: LLAMA_GGUF_NAMES,
    formOf,
    readConfig: (reader) => ({ ...readCommonConfig(reader), model_type: "gemma" }),
    writeKeys(reader) {
      assertTied(reader, "Gemma");
      return commonKeys(reader);
    },
  },
});

/** Gemma 3, or its text part. */
export const gemma3: Family = defineFamily<GemmaConfig>({
  title: "Gemma 3",
  modelTypes: ["gemma3", "gemma3_text"],
  ...common,
  gguf: {
    architecture: "gemma3",
    names: {
      ...GEMMA2_GGUF_NAMES,
      "self_attn.q_norm": "attn_q_norm",
      "self_attn.k_norm": "attn_k_norm",
    },
    formOf,
    readConfig: readGemma3,
    writeKeys: writeGemma3,
    takesAdapters: false,
  },
});
