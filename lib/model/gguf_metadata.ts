/**
 * What a GGUF file says of a model's shape, for writing: the keys that llama.cpp and Ollama ask for.
 *
 * https://github.com/ggml-org/ggml/blob/master/docs/gguf.md and llama.cpp's `convert_hf_to_gguf.py`
 *
 * @module
 */

import type { GgufMetadata, GgufWritable } from "../weights/mod.ts";
import { ConfigReader } from "./config_reader.ts";
import type { GgufNaming } from "./gguf_names.ts";

/** What is told of a model in a GGUF file. */
export interface GgufDescription {
  /** Architecture and heads, for {@linkcode GgufNaming}. */
  readonly naming: GgufNaming;
  /** The keys of the architecture, in order. */
  readonly metadata: GgufMetadata;
}

/** The keys of one architecture, without its name in front. */
type Keys = Record<string, GgufWritable | undefined>;

const ARCHITECTURES: Readonly<Record<string, [architecture: string, keys: typeof gpt2Keys]>> = {
  gpt2: ["gpt2", gpt2Keys],
  llama: ["llama", llamaKeys],
  mistral: ["llama", llamaKeys],
  gemma: ["gemma", gemmaKeys],
  gemma3_text: ["gemma3", gemma3Keys],
};

/**
 * What a GGUF file says of a model.
 *
 * @param config What the model's `config.json` says, as `toConfig()` gives it.
 * @returns The keys, and what names of tensors depend on.
 * @throws {TypeError} If GGUF has no keys for the architecture, or none for something in it.
 */
export function describeForGguf(config: Record<string, unknown>): GgufDescription {
  const reader = new ConfigReader(config, "config.json");
  const type = String(config.model_type);
  if (!Object.hasOwn(ARCHITECTURES, type)) {
    const known = Object.keys(ARCHITECTURES).map((name) => `"${name}"`).join(", ");
    throw new TypeError(`Cannot write a model of type "${type}" as GGUF: known are ${known}`);
  }
  const [architecture, keysOf] = ARCHITECTURES[type];
  const heads = reader.count(type === "gpt2" ? "n_head" : "num_attention_heads");
  const kvHeads = reader.count("num_key_value_heads", heads);
  const metadata: Record<string, GgufWritable> = {};
  for (const [key, value] of Object.entries(keysOf(reader))) {
    if (value !== undefined) metadata[`${architecture}.${key}`] = value;
  }
  return { naming: { architecture, heads, kvHeads }, metadata };
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

/** What Llamas and Gemmas have in common. */
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

/** Llama 3's scaling is no key but a tensor of factors, which is not written. */
function scalingKeys(reader: ConfigReader): Keys {
  const scaling = reader.object("rope_scaling")?.rotaryScaling();
  if (scaling === undefined) return {};
  if (scaling.type !== "linear") {
    throw new TypeError(
      `Cannot write a model with "rope_scaling" of type "${scaling.type}" as GGUF: expected "linear" or none`,
    );
  }
  return { "rope.scaling.type": "linear", "rope.scaling.factor": float32(scaling.factor) };
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

function gemmaKeys(reader: ConfigReader): Keys {
  return commonKeys(reader);
}

function gemma3Keys(reader: ConfigReader): Keys {
  const global = reader.number("rope_theta", 1_000_000);
  const local = reader.number("rope_local_base_freq", 10_000);
  checkGemma3(reader);
  return {
    ...commonKeys(reader),
    "attention.sliding_window": uint32(reader.count("sliding_window", 4096)),
    // llama.cpp has the first and reckons with 10000 for local layers; Ollama's own engine has the other two.
    "rope.freq_base": float32(global),
    "rope.global.freq_base": float32(global),
    "rope.local.freq_base": float32(local),
  };
}

/** What llama.cpp and Ollama take for granted in a Gemma 3. */
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
