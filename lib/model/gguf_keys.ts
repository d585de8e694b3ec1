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

/** Those of Llama 3 and LongRoPE are tensors: see {@linkcode rotaryDivisors}. */
function scalingKeys(reader: ConfigReader): GgufKeys {
  const { scaling } = reader.rotary();
  if (scaling?.type === "dynamic") {
    throw new TypeError(
      "Cannot write a model with dynamic scaling of its positions as GGUF, which has no key for it",
    );
  }
  if (scaling?.type === "linear") {
    return { "rope.scaling.type": "linear", "rope.scaling.factor": float32(scaling.factor) };
  }
  if (scaling?.type !== "yarn") return {};
  const { factor, originalContext, betaFast, betaSlow, attentionFactor, truncate } = scaling;
  const usual = factor <= 1 ? 1 : 0.1 * Math.log(factor) + 1;
  if (truncate === false || Math.abs((attentionFactor ?? usual) - usual) > 1e-6) {
    throw new TypeError(
      'Cannot write a model as GGUF whose YaRN has its own "attention_factor" or "truncate"',
    );
  }
  return {
    "rope.scaling.type": "yarn",
    "rope.scaling.factor": float32(factor),
    "rope.scaling.original_context_length": uint32(originalContext),
    "rope.scaling.yarn_beta_fast": betaFast === undefined ? undefined : float32(betaFast),
    "rope.scaling.yarn_beta_slow": betaSlow === undefined ? undefined : float32(betaSlow),
  };
}

/**
 * The divisors of rotary frequencies under Llama 3's scaling: the tensor `rope_freqs.weight`.
 *
 * @param reader The model's `config.json`.
 * @returns The tensor, (D / 2); none without this scaling.
 */
export function rotaryDivisors(reader: ConfigReader): Record<string, Float32Array> {
  const { scaling } = reader.rotary();
  if (scaling?.type !== "llama3") return {};
  const width = reader.count("hidden_size") / reader.count("num_attention_heads");
  const [headDim, theta] = [reader.count("head_dim", width), reader.number("rope_theta", 10_000)];
  const plain = rotaryFrequencies({ headDim, theta });
  const scaled = rotaryFrequencies({ headDim, theta, scaling });
  const divisors = Float32Array.from(plain, (frequency, i) => frequency / scaled[i]);
  return { "rope_freqs.weight": divisors };
}
