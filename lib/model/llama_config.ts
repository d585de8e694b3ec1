/**
 * The shape of a Llama: reads and writes Hugging Face's `config.json`.
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

/** Shape and options of a Llama, or of a Mistral, which adds a window. */
export interface LlamaConfig extends DecoderConfig {
  /** Its `model_type`; `"llama"` by default. */
  readonly modelType?: "llama" | "mistral";
  /** F: width inside the feed-forward layers. */
  readonly feedForwardWidth: number;
  /** Added to mean squares. 1e-6 by default. */
  readonly normEpsilon?: number;
  /** θ, the base of rotary positions' wavelengths. 10000 by default. */
  readonly theta?: number;
  /** How rotary positions are scaled; not at all by default. */
  readonly scaling?: RotaryScaling;
  /** Tokens attend only to those less than this many positions away; to all by default. */
  readonly window?: number;
  /** Whether attention's projections have biases. False by default. */
  readonly attentionBias?: boolean;
  /** Whether the feed-forward layers have biases. False by default. */
  readonly mlpBias?: boolean;
  /** Whether the output head is the token embedding. False by default. */
  readonly tied?: boolean;
  /** Special tokens. */
  readonly special?: SpecialTokens;
}

/** Mistral's window, if its configuration names none. */
const MISTRAL_WINDOW = 4096;

/**
 * Reads a Llama's or Mistral's shape from a Hugging Face `config.json`.
 *
 * @param json The file's object.
 * @param path The file, for messages.
 * @returns Shape and options.
 * @throws {TypeError} If it is another architecture, a number is missing, or something in it is not supported.
 */
export function parseLlamaConfig(json: Record<string, unknown>, path: string): LlamaConfig {
  const reader = new ConfigReader(json, path);
  const modelType = json.model_type;
  if (modelType !== "llama" && modelType !== "mistral") {
    return reader.fail("model_type", '"llama" or "mistral"');
  }
  reader.expect("hidden_act", "silu", "swish");
  const heads = reader.count("num_attention_heads");
  const rotary = reader.object("rope_parameters");
  const mistral = modelType === "mistral";
  return {
    modelType,
    vocabularySize: reader.count("vocab_size"),
    contextLength: reader.count("max_position_embeddings"),
    width: reader.count("hidden_size"),
    layers: reader.count("num_hidden_layers"),
    heads,
    kvHeads: reader.count("num_key_value_heads", mistral ? 8 : heads),
    headDim: reader.optionalCount("head_dim"),
    feedForwardWidth: reader.count("intermediate_size"),
    normEpsilon: reader.number("rms_norm_eps", 1e-6),
    theta: (rotary ?? reader).number("rope_theta", 10_000),
    scaling: (rotary ?? reader.object("rope_scaling"))?.rotaryScaling(),
    window: mistral
      ? json.sliding_window === undefined ? MISTRAL_WINDOW : reader.optionalCount("sliding_window")
      : undefined,
    attentionBias: reader.flag("attention_bias", false),
    mlpBias: reader.flag("mlp_bias", false),
    tied: reader.flag("tie_word_embeddings", false),
    special: reader.specialTokens(),
  };
}

/**
 * Converts a Llama's shape to a `config.json`: the inverse of {@linkcode parseLlamaConfig}.
 *
 * @param config Shape and options.
 * @returns The file's object.
 */
export function llamaToConfig(config: LlamaConfig): Record<string, unknown> {
  const mistral = config.modelType === "mistral";
  return {
    architectures: [mistral ? "MistralForCausalLM" : "LlamaForCausalLM"],
    model_type: mistral ? "mistral" : "llama",
    vocab_size: config.vocabularySize,
    max_position_embeddings: config.contextLength,
    hidden_size: config.width,
    num_hidden_layers: config.layers,
    num_attention_heads: config.heads,
    num_key_value_heads: config.kvHeads ?? config.heads,
    head_dim: config.headDim ?? config.width / config.heads,
    intermediate_size: config.feedForwardWidth,
    hidden_act: "silu",
    rms_norm_eps: config.normEpsilon ?? 1e-6,
    rope_theta: config.theta ?? 10_000,
    rope_scaling: rotaryScalingToConfig(config.scaling),
    ...(mistral ? { sliding_window: config.window ?? null } : {
      attention_bias: config.attentionBias ?? false,
      mlp_bias: config.mlpBias ?? false,
    }),
    attention_dropout: 0,
    initializer_range: 0.02,
    tie_word_embeddings: config.tied ?? false,
    ...specialTokensToConfig(config.special),
  };
}
