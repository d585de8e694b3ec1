/**
 * Gemma 2 (Gemma Team, "Gemma 2: Improving Open Language Models at a Practical Size", 2024): Gemma with norms before and after
 * each layer, every other layer local, and soft caps of scores and logits.
 *
 * @module
 */

import {
  ConfigReader,
  longestContext,
  namedContext,
  rotaryScalingToConfig,
  specialTokensToConfig,
} from "../config_reader.ts";
import { commonKeys, float32, type GgufKeys, uint32 } from "../gguf_keys.ts";
import { type GgufReader, readCommonConfig } from "../gguf_reader.ts";
import { defineTransformerFamily, type TransformerConfig } from "../transformer.ts";
import { readLayerTypes, readWindow, wholeRotary, writeLayerTypes } from "./common.ts";
import type { Family } from "./family.ts";
import {
  alternate,
  assertTied,
  formOf,
  GEMMA2_GGUF_NAMES,
  GEMMA2_MODULES,
  GEMMA_TRAITS,
  parseCommon,
} from "./gemma.ts";

const WINDOW = 4096, SCORE_CAP = 50, LOGIT_CAP = 30;

/** Published files leave out some defaults of `Gemma2Config`. */
function readConfig(json: Record<string, unknown>, path: string): TransformerConfig {
  const reader = new ConfigReader(json, path);
  reader.expect("hidden_act", "gelu_pytorch_tanh");
  reader.expect("hidden_activation", "gelu_pytorch_tanh");
  reader.expect("use_bidirectional_attention", false);
  // Null is none, and what is absent the default.
  const cap = (key: string, otherwise: number) =>
    json[key] === null ? undefined : reader.number(key, otherwise);
  const { theta, scaling } = wholeRotary(reader);
  const { attentionBias, ...common } = parseCommon(reader);
  const localLayers = readLayerTypes(reader, common.layers, alternate(common.layers, 2));
  return {
    ...common,
    modules: GEMMA2_MODULES,
    activation: "geglu",
    normOffset: 1,
    vocabularySize: reader.count("vocab_size", 256_000),
    contextLength: longestContext(reader.count("max_position_embeddings", 8192), scaling),
    heads: reader.count("num_attention_heads", 8),
    kvHeads: reader.count("num_key_value_heads", 4),
    ...{ theta, scaling },
    localLayers,
    window: readWindow(reader, localLayers, WINDOW),
    embeddingFactor: Math.sqrt(common.width),
    scoreFactor: 1 / Math.sqrt(reader.number("query_pre_attn_scalar", 256)),
    scoreCap: cap("attn_logit_softcapping", SCORE_CAP),
    logitCap: cap("final_logit_softcapping", LOGIT_CAP),
    biases: { queryKeyValue: attentionBias, output: attentionBias },
  };
}

function writeConfig(config: TransformerConfig): Record<string, unknown> {
  return {
    architectures: ["Gemma2ForCausalLM"],
    model_type: "gemma2",
    vocab_size: config.vocabularySize,
    max_position_embeddings: namedContext(config.contextLength, config.scaling),
    hidden_size: config.width,
    num_hidden_layers: config.layers,
    num_attention_heads: config.heads,
    num_key_value_heads: config.kvHeads,
    head_dim: config.headDim,
    intermediate_size: config.feedForwardWidth,
    hidden_activation: "gelu_pytorch_tanh",
    rms_norm_eps: config.normEpsilon,
    rope_theta: config.theta,
    rope_scaling: rotaryScalingToConfig(config.scaling),
    layer_types: writeLayerTypes(config),
    sliding_window: config.window,
    // 1/√s, whose square is s again.
    query_pre_attn_scalar: Number((config.scoreFactor! ** -2).toPrecision(12)),
    attn_logit_softcapping: config.scoreCap ?? null,
    final_logit_softcapping: config.logitCap ?? null,
    attention_bias: config.biases?.output ?? false,
    attention_dropout: 0,
    initializer_range: 0.02,
    tie_word_embeddings: config.tied,
    ...specialTokensToConfig(config.special),
  };
}

/** llama.cpp knows the largest model, which has another scale, by its layers. */
const LARGEST = 46;

function readGguf(reader: GgufReader): Record<string, unknown> {
  const layers = reader.number("block_count");
  const [width, heads] = [reader.number("embedding_length"), reader.number("attention.head_count")];
  return {
    ...readCommonConfig(reader),
    model_type: "gemma2",
    sliding_window: reader.number("attention.sliding_window"),
    query_pre_attn_scalar: layers === LARGEST ? width / heads : reader.headDim,
    attn_logit_softcapping: reader.factor("attn_logit_softcapping") ?? SCORE_CAP,
    final_logit_softcapping: reader.factor("final_logit_softcapping") ?? LOGIT_CAP,
  };
}

function writeGguf(reader: ConfigReader): GgufKeys {
  const cannot = (what: string) => new TypeError(`Cannot write a Gemma 2 as GGUF ${what}`);
  assertTied(reader, "Gemma 2");
  const layers = reader.count("num_hidden_layers");
  const local = readLayerTypes(reader, layers, alternate(layers, 2));
  if (local.some((is, layer) => is !== (layer % 2 === 0))) {
    throw cannot("whose every second layer is not the one that sees all");
  }
  const width = reader.count("hidden_size") / reader.count("num_attention_heads");
  const expected = layers === LARGEST ? width : reader.count("head_dim", 256);
  const scalar = reader.number("query_pre_attn_scalar", 256);
  if (scalar !== expected) {
    throw cannot(`whose "query_pre_attn_scalar" is ${scalar}, expected ${expected}`);
  }
  if (reader.flag("attention_bias", false)) throw cannot("with biases, which readers do not know");
  const cap = (key: string, otherwise: number) => {
    if (reader.json[key] === null) {
      throw cannot(`without ${key}, which readers take for ${otherwise}`);
    }
    return float32(reader.number(key, otherwise));
  };
  return {
    ...commonKeys(reader),
    "attention.sliding_window": uint32(reader.count("sliding_window", WINDOW)),
    attn_logit_softcapping: cap("attn_logit_softcapping", SCORE_CAP),
    final_logit_softcapping: cap("final_logit_softcapping", LOGIT_CAP),
  };
}

/** Layers of the models that llama.cpp computes: 2B, 9B and 27B. */
const KNOWN_LAYERS: readonly number[] = [26, 42, 46];

/** Gemma 2. */
export const gemma2: Family = defineTransformerFamily({
  title: "Gemma 2",
  modelTypes: ["gemma2"],
  ...GEMMA_TRAITS,
  readConfig,
  writeConfig,
  gguf: {
    architecture: "gemma2",
    notices: ({ num_hidden_layers: layers }) =>
      KNOWN_LAYERS.includes(layers as number) ? [] : [
        `llama.cpp stops at a Gemma 2 of ${layers} layers: it knows those of ${
          KNOWN_LAYERS.join(", ")
        }`,
      ],
    names: GEMMA2_GGUF_NAMES,
    formOf,
    readConfig: readGguf,
    writeKeys: writeGguf,
  },
});
