/**
 * Keys of a model's shape in a GGUF file that families share, for writing.
 *
 * https://github.com/ggml-org/ggml/blob/master/docs/gguf.md and llama.cpp's `convert_hf_to_gguf.py`
 *
 * @module
 */

import { rotaryFrequencies } from "../tensor/mod.ts";
import type { GgufWritable } from "../weights/mod.ts";
import type { ConfigReader } from "./config_reader.ts";

/** The keys of one architecture, without its prefix; undefined ones are not written. */
export type GgufKeys = Record<string, GgufWritable | undefined>;

/** An integer as readers expect it. */
export const uint32 = (value: number): GgufWritable => ({ uint32: value });

/** A number as readers expect it. */
export const float32 = (value: number): GgufWritable => ({ float32: value });

/**
 * The keys that Llama and its descendants share.
 *
 * @param reader The model's `config.json`.
 * @returns The keys.
 */
export function commonKeys(reader: ConfigReader): GgufKeys {
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
function scalingKeys(reader: ConfigReader): GgufKeys {
  const scaling = reader.object("rope_scaling")?.rotaryScaling();
  if (scaling?.type !== "linear") return {};
  return { "rope.scaling.type": "linear", "rope.scaling.factor": float32(scaling.factor) };
}

/**
 * The divisors of rotary frequencies under Llama 3's scaling: the tensor `rope_freqs.weight`.
 *
 * @param reader The model's `config.json`.
 * @returns The tensor, (D / 2); none without this scaling.
 */
export function rotaryDivisors(reader: ConfigReader): Record<string, Float32Array> {
  const scaling = reader.object("rope_scaling")?.rotaryScaling();
  if (scaling?.type !== "llama3") return {};
  const width = reader.count("hidden_size") / reader.count("num_attention_heads");
  const [headDim, theta] = [reader.count("head_dim", width), reader.number("rope_theta", 10_000)];
  const plain = rotaryFrequencies({ headDim, theta });
  const scaled = rotaryFrequencies({ headDim, theta, scaling });
  const divisors = Float32Array.from(plain, (frequency, i) => frequency / scaled[i]);
  return { "rope_freqs.weight": divisors };
}
