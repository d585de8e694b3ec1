/**
 * The metadata of a model's shape in a GGUF file, for writing: the keys that llama.cpp and Ollama
 * read.
 *
 * https://github.com/ggml-org/ggml/blob/master/docs/gguf.md and llama.cpp's `convert_hf_to_gguf.py`
 *
 * @module
 */

import { rotaryFrequencies } from "../tensor/mod.ts";
import type { GgufMetadata, GgufWritable } from "../weights/mod.ts";
import { ConfigReader } from "./config_reader.ts";

/** The keys of one architecture, without its prefix. */
type Keys = Record<string, GgufWritable | undefined>;

const KEYS: Readonly<Record<string, (reader: ConfigReader) => Keys>> = {
  gpt2: gpt2Keys,
  llama: llamaKeys,
  gemma: commonKeys,
  gemma3: gemma3Keys,
};

/**
 * Converts a model's shape to GGUF metadata: the inverse of `ggufToConfig()`.
 *
 * @param architecture The model's architecture.
 * @param config The model's `config.json`, from `toConfig()`.
 * @returns The keys of the architecture, in order.
 * @throws {TypeError} If GGUF has no keys for the architecture, or for a part of its configuration.
 */
export function configToGguf(
  architecture: string,
  config: Record<string, unknown>,
): GgufMetadata {
  if (!Object.hasOwn(KEYS, architecture)) {
    const known = Object.keys(KEYS).map((name) => `"${name}"`).join(", ");
    throw new TypeError(
      `Cannot write a model of the architecture "${architecture}" as GGUF: known are ${known}`,
    );
  }
  const keys = KEYS[architecture](new ConfigReader(config, "config.json"));
  const metadata: Record<string, GgufWritable> = {};
  for (const [key, value] of Object.entries(keys)) {
    if (value !== undefined) metadata[`${architecture}.${key}`] = value;
  }
  return metadata;
}

const uint32 = (value: number): GgufWritable => ({ uint32: value });
const float32 = (value: number): GgufWritable => ({ float32: value });

function gpt2Keys(reader: ConfigReader): Keys {
  const width = reader.count("n_embd");
  return {
    context_length: uint32(reader.count("n_positions")),
    embedding_length: uint32(width),
    block_count: uint32(reader.count("n_layer")),
    feed_forward_length: uint32(reader.optionalCount("n_inner") ?? 4 * width),
    "attention.head_count": uint32(reader.count("n_head")),
    "attention.layer_norm_epsilon": float32(reader.number("layer_norm_epsilon", 1e-5)),
  };
}

/** The keys that Llamas and Gemmas share. */
function commonKeys(reader: ConfigReader): Keys {
  const heads = reader.count("num_attention_heads");
  const headDim = reader.count("head_dim", reader.count("hidden_size") / heads);
  return {
    vocab_size: uint32(reader.count("vocab_size")),
    context_length: uint32(reader.count("max_position_embeddings")),
    embedding_length: uint32(reader.count("hidden_size")),
    block_count: uint32(reader.count("num_hidden_layers")),
    feed_forward_length: uint32(reader.count("intermediate_size")),
    "attention.head_count": uint32(heads),
    "attention.head_count_kv": uint32(reader.count("num_key_value_heads", heads)),
    "attention.key_length": uint32(headDim),
    "attention.value_length": uint32(headDim),
    "attention.layer_norm_rms_epsilon": float32(reader.number("rms_norm_eps", 1e-6)),
    "rope.freq_base": float32(reader.number("rope_theta", 10_000)),
    ...scalingKeys(reader),
  };
}

/** Llama 3's scaling is not a key: see {@linkcode rotaryDivisors}. */
function scalingKeys(reader: ConfigReader): Keys {
  const scaling = reader.object("rope_scaling")?.rotaryScaling();
  if (scaling?.type !== "linear") return {};
  return { "rope.scaling.type": "linear", "rope.scaling.factor": float32(scaling.factor) };
}

/**
 * The divisors of rotary frequencies under Llama 3's scaling: the tensor `rope_freqs.weight`.
 *
 * @param config The model's `config.json`.
 * @returns A divisor for each frequency, (D / 2); undefined without this scaling.
 */
export function rotaryDivisors(config: Record<string, unknown>): Float32Array | undefined {
  const reader = new ConfigReader(config, "config.json");
  const scaling = reader.object("rope_scaling")?.rotaryScaling();
  if (scaling?.type !== "llama3") return undefined;
  const width = reader.count("hidden_size") / reader.count("num_attention_heads");
  const [headDim, theta] = [reader.count("head_dim", width), reader.number("rope_theta", 10_000)];
  const plain = rotaryFrequencies({ headDim, theta });
  const scaled = rotaryFrequencies({ headDim, theta, scaling });
  return Float32Array.from(plain, (frequency, i) => frequency / scaled[i]);
}

function llamaKeys(reader: ConfigReader): Keys {
  const { "attention.key_length": headDim, ...keys } = commonKeys(reader);
  const window = reader.optionalCount("sliding_window");
  return {
    ...keys,
    "attention.key_length": headDim,
    "rope.dimension_count": headDim,
    "attention.sliding_window": window === undefined ? undefined : uint32(window),
  };
}

function gemma3Keys(reader: ConfigReader): Keys {
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
  const headDim = reader.count("head_dim", 256);
  const scalar = reader.number("query_pre_attn_scalar", headDim);
  if (scalar !== headDim) {
    throw new TypeError(
      `Cannot write a Gemma 3 as GGUF whose "query_pre_attn_scalar" is ${scalar}, expected its "head_dim", ${headDim}`,
    );
  }
}
