/**
 * The shape of a GPT-2 from Hugging Face's `config.json`.
 *
 * @module
 */

import { ConfigReader } from "./config_reader.ts";
import type { Gpt2Config } from "./gpt2.ts";

/** How all published models scale their attention. */
const ATTENTION_SCALING = { scale_attn_weights: true, scale_attn_by_inverse_layer_idx: false };

/**
 * Reads a GPT-2's shape from what a Hugging Face `config.json` says.
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
  for (const [key, usual] of Object.entries(ATTENTION_SCALING)) {
    if (reader.flag(key, usual) !== usual) return reader.fail(key, `${usual}`);
  }
  const special = reader.specialTokens();
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
    // Files that name none mean the published models' last token.
    special: special.eos === undefined ? undefined : special,
    dropout,
  };
}
