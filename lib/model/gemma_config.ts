/**
 * The shape of a Gemma 1 or 3 (text): reads and writes Hugging Face's `config.json`.
 *
 * @module
 */

import type { RotaryScaling } from "../tensor/mod.ts";
import {
  ConfigReader,
  rotaryScalingToConfig,
  type SpecialTokens,
  specialTokensToConfig,
} from "./config_reader.ts";
import type { DecoderConfig } from "./decoder.ts";

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
  /** Whether attention's projections have biases. False by default. */
  readonly attentionBias?: boolean;
  /** Whether the output head is the token embedding. True by default. */
  readonly tied?: boolean;
  /** Special tokens. */
  readonly special?: SpecialTokens;
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
  const rotary = reader.object("rope_parameters");
  return {
    generation: 1,
    ...parseCommon(reader),
    vocabularySize: reader.count("vocab_size"),
    contextLength: reader.count("max_position_embeddings"),
    heads,
    kvHeads: reader.count("num_key_value_heads", heads),
    theta: (rotary ?? reader).number("rope_theta", 10_000),
    scaling: (rotary ?? reader.object("rope_scaling"))?.rotaryScaling(),
  };
}

/** Published files leave out the defaults of `Gemma3TextConfig`. */
function parseGemma3(reader: ConfigReader): GemmaConfig {
  reader.expect("hidden_activation", "gelu_pytorch_tanh");
  reader.expect("use_bidirectional_attention", false);
  reader.expect("attn_logit_softcapping", null);
  reader.expect("final_logit_softcapping", null);
  const rotary = reader.object("rope_parameters");
  const global = rotary?.object("full_attention");
  const local = rotary?.object("sliding_attention");
  if (local?.rotaryScaling()) local.fail("rope_type", '"default"');
  const common = parseCommon(reader);
  return {
    generation: 3,
    ...common,
    vocabularySize: reader.count("vocab_size", 262_208),
    contextLength: reader.count("max_position_embeddings", 131_072),
    heads: reader.count("num_attention_heads", 8),
    kvHeads: reader.count("num_key_value_heads", 4),
    theta: (global ?? reader).number("rope_theta", 1_000_000),
    scaling: (global ?? reader.object("rope_scaling"))?.rotaryScaling(),
    localLayers: parseLayers(reader, common.layers),
    window: reader.count("sliding_window", 4096),
    localTheta: local?.number("rope_theta", 10_000) ??
      reader.number("rope_local_base_freq", 10_000),
    queryScalar: reader.number("query_pre_attn_scalar", 256),
  };
}

function parseCommon(reader: ConfigReader) {
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

function parseLayers(reader: ConfigReader, layers: number): boolean[] {
  const types = reader.json.layer_types;
  if (types == null) return alternate(layers, reader.count("sliding_window_pattern", 6));
  const known = ["sliding_attention", "full_attention"];
  if (!Array.isArray(types) || types.length !== layers || !types.every((t) => known.includes(t))) {
    return reader.fail("layer_types", `${layers} of "sliding_attention" or "full_attention"`);
  }
  return types.map((type) => type === "sliding_attention");
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
    max_position_embeddings: config.contextLength,
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
        final_logit_softcapping: null,
      }
      : {}),
    attention_bias: config.attentionBias ?? false,
    attention_dropout: 0,
    initializer_range: 0.02,
    tie_word_embeddings: config.tied ?? true,
    ...specialTokensToConfig(config.special),
  };
}
