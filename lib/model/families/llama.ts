/**
 * Llama, as in Touvron et al., "LLaMA: Open and Efficient Foundation Language Models", 2023, also
 * TinyLlama, SmolLM2 and, with a sliding window, Mistral (Jiang et al., "Mistral 7B", 2023).
 *
 * @module
 */

import {
  type Device,
  rotaryFrequencies,
  type RotaryScaling,
  type Tensor,
} from "../../tensor/mod.ts";
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
import { commonKeys, type GgufKeys, rotaryDivisors, uint32 } from "../gguf_keys.ts";
import { type GgufReader, readCommonConfig } from "../gguf_reader.ts";
import type { CreateOptions } from "../parameters.ts";
import {
  createTransformerParameters,
  LLAMA_MODULES,
  Transformer,
  type TransformerConfig,
  transformerShapes,
} from "../transformer.ts";
import { readLayerTypes, wholeRotary, writeLayerTypes } from "./common.ts";
import { defineFamily, type Family } from "./family.ts";

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
  /** Which layers have the window; all by default. */
  readonly localLayers?: readonly boolean[];
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

/** The configuration as a transformer's. */
function toRecipe(config: LlamaConfig): TransformerConfig {
  const { normEpsilon = 1e-6, theta = 10_000, tied = false, window } = config;
  const { attentionBias = false, mlpBias = false } = config;
  return {
    ...config,
    modules: LLAMA_MODULES,
    activation: "swiglu",
    normEpsilon,
    theta,
    tied,
    localLayers: config.localLayers ?? Array<boolean>(config.layers).fill(window !== undefined),
    biases: { queryKeyValue: attentionBias, output: attentionBias, feedForward: mlpBias },
  };
}

/**
 * Names and shapes of all weights.
 *
 * @param config The model's shape.
 * @returns Shapes by name, in the order of the computation.
 */
export function llamaShapes(config: LlamaConfig): Map<string, number[]> {
  return transformerShapes(toRecipe(config));
}

/**
 * A Llama or Mistral on a device.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { pick } from "tunebook";
 * import { Llama } from "tunebook/model";
 *
 * const device = await pick({ device: "cpu" });
 * const network = Llama.create(device, {
 *   vocabularySize: 9, contextLength: 8, width: 4, layers: 1, heads: 2, kvHeads: 1, feedForwardWidth: 8,
 * });
 * assertEquals(network.kvHeads, 1);
 * device.close();
 * ```
 */
export class Llama extends Transformer<LlamaConfig> {
  /**
   * Makes a network of given weights.
   *
   * @param config Shape and options.
   * @param parameters A tensor for each of {@linkcode llamaShapes}.
   */
  constructor(config: LlamaConfig, parameters: ReadonlyMap<string, Tensor>) {
    super(config, parameters, {
      family: config.modelType === "mistral" ? mistral : llama,
      recipe: toRecipe(config),
      toConfig: () => llamaToConfig(config),
    });
  }

  /**
   * Creates an untrained model: weights normal with deviation 0.02, biases 0, norms 1.
   *
   * @param device The device that stores it.
   * @param config Shape and options.
   * @param options The seed of the first weights.
   * @returns The model.
   *
   * @example
   * ```ts
   * import { assertEquals } from "@std/assert";
   * import { generate, pick } from "tunebook";
   * import { Llama } from "tunebook/model";
   *
   * const device = await pick({ device: "cpu" });
   * const model = Llama.create(device, {
   *   vocabularySize: 50, contextLength: 32, width: 16, layers: 2, heads: 4, kvHeads: 2, feedForwardWidth: 24,
   * });
   * const [{ tokens }] = await generate(model, [[1, 2, 3]], { maxNewTokens: 5 });
   * assertEquals(tokens.length, 5);
   * device.close();
   * ```
   */
  static create(
    device: Device,
    config: LlamaConfig,
    options: CreateOptions = {},
  ): Llama {
    const parameters = createTransformerParameters(device, toRecipe(config), options);
    return new Llama(config, parameters);
  }
}

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
  const { theta, scaling } = wholeRotary(reader);
  const mistral = modelType === "mistral";
  const layers = reader.count("num_hidden_layers");
  return {
    modelType,
    vocabularySize: reader.count("vocab_size"),
    contextLength: longestContext(reader.count("max_position_embeddings"), scaling),
    width: reader.count("hidden_size"),
    layers,
    heads,
    kvHeads: reader.count("num_key_value_heads", mistral ? 8 : heads),
    headDim: reader.optionalCount("head_dim"),
    feedForwardWidth: reader.count("intermediate_size"),
    normEpsilon: reader.number("rms_norm_eps", 1e-6),
    theta,
    scaling,
    // As in transformers, only a Llama has biases, and only a Mistral a window.
    ...(mistral ? mistralWindow(reader, layers) : {
      attentionBias: reader.flag("attention_bias", false),
      mlpBias: reader.flag("mlp_bias", false),
    }),
    tied: reader.flag("tie_word_embeddings", false),
    special: reader.specialTokens(),
  };
}

/** A Mistral whose layers differ is a Ministral. */
function mistralWindow(reader: ConfigReader, layers: number) {
  const window = reader.json.sliding_window === undefined
    ? MISTRAL_WINDOW
    : reader.optionalCount("sliding_window");
  const all = Array<boolean>(layers).fill(window !== undefined);
  const localLayers = readLayerTypes(reader, layers, all);
  if (localLayers.every((is) => is === (window !== undefined))) return { window };
  if (window === undefined) return reader.fail("sliding_window", "the window of local layers");
  return { window, localLayers };
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
    max_position_embeddings: namedContext(config.contextLength, config.scaling),
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
    ...(mistral
      ? {
        sliding_window: config.window ?? null,
        ...(config.localLayers && { layer_types: writeLayerTypes(toRecipe(config)) }),
      }
      : {
        attention_bias: config.attentionBias ?? false,
        mlp_bias: config.mlpBias ?? false,
      }),
    attention_dropout: 0,
    initializer_range: 0.02,
    tie_word_embeddings: config.tied ?? false,
    ...specialTokensToConfig(config.special),
  };
}

async function readConfig(reader: GgufReader): Promise<Record<string, unknown>> {
  const { file } = reader;
  if (reader.find("expert_count")) {
    throw new TypeError(`Cannot load "${file.path}": it is a mixture of experts, expected a Llama`);
  }
  const window = reader.find("attention.sliding_window");
  return {
    ...readCommonConfig(reader),
    model_type: window ? "mistral" : "llama",
    ...(window ? { sliding_window: window } : {}),
    mlp_bias: file.tensors.has("blk.0.ffn_up.bias"),
    ...await readLlama3Scaling(reader),
  };
}

/**
 * The file holds the divisors of Llama 3's frequencies, but not the parameters that they were
 * computed from.
 */
async function readLlama3Scaling(reader: GgufReader): Promise<Record<string, unknown>> {
  const { file } = reader;
  const name = "rope_freqs.weight";
  if (!file.tensors.has(name)) return {};
  const divisors = await file.read(name);
  const headDim = 2 * divisors.length;
  const theta = reader.number("rope.freq_base");
  const published = {
    type: "llama3",
    factor: Math.round(Math.max(...divisors)),
    lowFrequencyFactor: 1,
    highFrequencyFactor: 4,
    originalContext: 8192,
  } as const;
  const plain = rotaryFrequencies({ headDim, theta });
  const scaled = rotaryFrequencies({ headDim, theta, scaling: published });
  if (!divisors.every((divisor, i) => Math.abs(plain[i] / scaled[i] / divisor - 1) < 1e-4)) {
    throw new TypeError(
      `Cannot load "${file.path}": its "${name}" are not those of a published Llama 3`,
    );
  }
  return {
    rope_scaling: {
      rope_type: "llama3",
      factor: published.factor,
      low_freq_factor: published.lowFrequencyFactor,
      high_freq_factor: published.highFrequencyFactor,
      original_max_position_embeddings: published.originalContext,
    },
  };
}

function writeKeys(reader: ConfigReader): GgufKeys {
  const keys = commonKeys(reader);
  const window = reader.optionalCount("sliding_window");
  if (reader.json.layer_types != null) {
    throw new TypeError(
      "Cannot write a Mistral whose layers differ as GGUF, whose readers know one kind of layer",
    );
  }
  return {
    ...keys,
    "rope.dimension_count": keys["attention.key_length"],
    "attention.sliding_window": window === undefined ? undefined : uint32(window),
  };
}

/** Names of Llama's modules in GGUF files. */
export const LLAMA_GGUF_NAMES: Readonly<Record<string, string>> = {
  "embed_tokens": "token_embd",
  "input_layernorm": "attn_norm",
  "self_attn.q_proj": "attn_q",
  "self_attn.k_proj": "attn_k",
  "self_attn.v_proj": "attn_v",
  "self_attn.o_proj": "attn_output",
  "post_attention_layernorm": "ffn_norm",
  "mlp.gate_proj": "ffn_gate",
  "mlp.up_proj": "ffn_up",
  "mlp.down_proj": "ffn_down",
  "norm": "output_norm",
  "lm_head": "output",
};

/** Rows of queries and keys are interleaved there. */
export function pairedForm(
  module: string,
  _part: "weight" | "bias",
  { heads, kvHeads }: { readonly heads: number; readonly kvHeads: number },
): GgufForm {
  if (module === "self_attn.q_proj") return { kind: "paired", heads };
  if (module === "self_attn.k_proj") return { kind: "paired", heads: kvHeads };
  return { kind: "same" };
}

const common = {
  prefixes: ["model.", ""],
  embeddings: ["embed_tokens.weight"],
  head: "lm_head.weight",
  readConfig: parseLlamaConfig,
  writeConfig: llamaToConfig,
  shapesOf: llamaShapes,
  build: (config: LlamaConfig, parameters: ReadonlyMap<string, Tensor>) =>
    new Llama(config, parameters),
};

const gguf = {
  architecture: "llama",
  names: LLAMA_GGUF_NAMES,
  formOf: pairedForm,
  readConfig,
  writeKeys,
  writeTensors: rotaryDivisors,
};

/** Llama. */
export const llama: Family = defineFamily<LlamaConfig>({
  title: "Llama",
  modelTypes: ["llama"],
  ...common,
  gguf,
});

/** Mistral. */
export const mistral: Family = defineFamily<LlamaConfig>({
  title: "Mistral",
  modelTypes: ["mistral"],
  ...common,
  gguf: {
    ...gguf,
    notices: ({ sliding_window: window }) =>
      typeof window !== "number" ? [] : [
        `llama.cpp and Ollama let a Mistral see the whole text, here each token sees ${window}: ` +
        "longer texts will differ",
      ],
  },
});
