/**
 * The shape of a GPT-2 from Hugging Face's `config.json`.
 *
 * @module
 */

import { ConfigReader } from "./config_reader.ts";
import type { Gpt2Config } from "./gpt2.ts";

/**
 * Reads a GPT-2's shape from a Hugging Face `config.json`.
 *
 * @param json The file's object.
 * @param path The file, for messages.
 * @param dropout The dropout to train with.
 * @returns Shape and options.
 * @throws {TypeError} If it is another architecture or a number is missing.
 */
export function parseGpt2Config(
  json: Record<string, unknown>,
  path: string,
  dropout = 0,
): Gpt2Config {
  const reader = new ConfigReader(json, path);
  if (json.model_type !== "gpt2") return reader.fail("model_type", '"gpt2"');
  reader.expect("activation_function", "gelu_new", "gelu_pytorch_tanh");
  reader.expect("scale_attn_weights", true);
  reader.expect("scale_attn_by_inverse_layer_idx", false);
  return {
    vocabularySize: reader.count("vocab_size"),
    contextLength: reader.count("n_positions"),
    width: reader.count("n_embd"),
    layers: reader.count("n_layer"),
    heads: reader.count("n_head"),
    feedForwardWidth: reader.optionalCount("n_inner"),
    layerNormEpsilon: reader.number("layer_norm_epsilon", 1e-5),
    qkvBias: reader.flag("qkv_bias", true),
    tied: reader.flag("tie_word_embeddings", true),
    initializerRange: reader.number("initializer_range", 0.02),
    special: reader.specialTokens(),
    dropout,
  };
}
