/**
 * What configurations of Llama's descendants have in common.
 *
 * @module
 */

import {
  type ConfigReader,
  longestContext,
  namedContext,
  type RotaryDefaults,
  rotaryScalingToConfig,
  type RotarySettings,
  specialTokensToConfig,
} from "../config_reader.ts";
import type { TransformerConfig } from "../transformer.ts";

/** Said when a model with exact GELU is written as GGUF. */
export const GELU_NOTICE =
  "llama.cpp and Ollama compute GELU by its approximation with tanh, here it is exact: answers may differ in a rare word";

/** What a family takes where a configuration says nothing. */
export interface CommonDefaults {
  /** Added to mean squares. 1e-6 by default. */
  readonly epsilon?: number;
  /** Its key; `"rms_norm_eps"` by default. */
  readonly epsilonKey?: string;
  /** Heads of keys and values; as many as of queries by default. */
  readonly kvHeads?: number;
  /** Elements of a head; the width divided among heads by default. */
  readonly headDim?: number;
  /** Whether the output head is the token embedding. False by default. */
  readonly tied?: boolean;
  /** Rotary positions. */
  readonly rotary?: RotaryDefaults;
  /** Whether the family may turn only a part of each head. False by default. */
  readonly isPartial?: boolean;
}

/** A configuration but for its modules, and what these compute. */
export type CommonConfig = Omit<TransformerConfig, "modules" | "activation">;

/**
 * Reads what Llama's descendants have in common.
 *
 * @param reader The `config.json`.
 * @param defaults Values of what is absent.
 * @returns Shape and options.
 * @throws {TypeError} If a value is missing or another than expected.
 */
export function readCommon(reader: ConfigReader, defaults: CommonDefaults = {}): CommonConfig {
  const { epsilon = 1e-6, epsilonKey = "rms_norm_eps", tied = false } = defaults;
  const heads = reader.count("num_attention_heads");
  const width = reader.count("hidden_size");
  const headDim = reader.count("head_dim", defaults.headDim ?? width / heads);
  const { theta, scaling, part } = defaults.isPartial
    ? reader.rotary(defaults.rotary)
    : wholeRotary(reader, defaults.rotary);
  const turned = Math.trunc(headDim * part);
  return {
    vocabularySize: reader.count("vocab_size"),
    contextLength: longestContext(reader.count("max_position_embeddings"), scaling),
    width,
    layers: reader.count("num_hidden_layers"),
    heads,
    kvHeads: reader.count("num_key_value_heads", defaults.kvHeads ?? heads),
    headDim,
    feedForwardWidth: reader.count("intermediate_size"),
    normEpsilon: reader.number(epsilonKey, epsilon),
    theta,
    scaling,
    ...(turned !== headDim && { rotaryWidth: turned }),
    tied: reader.flag("tie_word_embeddings", tied),
    special: reader.specialTokens(),
  };
}

/**
 * Writes what Llama's descendants have in common: the inverse of {@linkcode readCommon}.
 *
 * @param config Shape and options.
 * @returns Values of a `config.json`.
 */
export function writeCommon(config: TransformerConfig): Record<string, unknown> {
  const { heads, width, scaling, headDim = width / heads } = config;
  return {
    vocab_size: config.vocabularySize,
    max_position_embeddings: namedContext(config.contextLength, scaling),
    hidden_size: width,
    num_hidden_layers: config.layers,
    num_attention_heads: heads,
    num_key_value_heads: config.kvHeads ?? heads,
    head_dim: headDim,
    intermediate_size: config.feedForwardWidth,
    hidden_act: "silu",
    rms_norm_eps: config.normEpsilon,
    rope_theta: config.theta,
    rope_scaling: rotaryScalingToConfig(scaling),
    ...(config.rotaryWidth !== undefined && {
      partial_rotary_factor: config.rotaryWidth / headDim,
    }),
    attention_dropout: 0,
    initializer_range: 0.02,
    tie_word_embeddings: config.tied,
    ...specialTokensToConfig(config.special),
  };
}

/**
 * Rotary positions of a family that turns whole heads.
 *
 * @param reader The `config.json`.
 * @param defaults Values of what is absent.
 * @returns θ and scaling.
 * @throws {TypeError} If only a part of a head is turned.
 */
export function wholeRotary(reader: ConfigReader, defaults?: RotaryDefaults): RotarySettings {
  const settings = reader.rotary(defaults);
  assertWhole(reader, settings.part);
  return settings;
}

/**
 * Refuses a configuration that turns a part of each head, of a family whose heads are turned as a whole. transformers
 * passes over it.
 *
 * @param reader The `config.json`.
 * @param part The part that it names.
 * @throws {TypeError} If it is not the whole.
 */
export function assertWhole({ path }: ConfigReader, part: number): void {
  if (part === 1) return;
  throw new TypeError(
    `Cannot load "${path}": "partial_rotary_factor" is ${part}, expected 1: models of this type turn whole heads`,
  );
}

/**
 * Which layers are local.
 *
 * @param reader The `config.json`.
 * @param layers The number of layers.
 * @param otherwise Which are if the configuration does not list them.
 * @returns Whether each is.
 * @throws {TypeError} If the list is not one of the layers' kinds.
 */
export function readLayerTypes(
  reader: ConfigReader,
  layers: number,
  otherwise: readonly boolean[],
): readonly boolean[] {
  const types = reader.json.layer_types;
  if (types == null) return otherwise;
  const known = ["sliding_attention", "full_attention"];
  if (!Array.isArray(types) || types.length !== layers || !types.every((t) => known.includes(t))) {
    return reader.fail("layer_types", `${layers} of "sliding_attention" or "full_attention"`);
  }
  return types.map((type) => type === "sliding_attention");
}

/**
 * The window of local layers.
 *
 * @param reader The `config.json`.
 * @param localLayers Which layers are local.
 * @param otherwise Its value if the configuration does not say.
 * @returns Tokens.
 * @throws {TypeError} If there is none although a layer is local, which transformers cannot compute either.
 */
export function readWindow(
  reader: ConfigReader,
  localLayers: readonly boolean[],
  otherwise: number,
): number {
  if (reader.json.sliding_window === null && localLayers.includes(true)) {
    return reader.fail("sliding_window", "the window of local layers");
  }
  return reader.count("sliding_window", otherwise);
}

/**
 * Writes which layers are local: the inverse of {@linkcode readLayerTypes}.
 *
 * @param config Shape and options.
 * @returns `layer_types`.
 */
export function writeLayerTypes({ layers, localLayers = [] }: TransformerConfig): string[] {
  return Array.from(
    { length: layers },
    (_, layer) => localLayers[layer] ? "sliding_attention" : "full_attention",
  );
}
