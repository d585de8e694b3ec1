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
  const vocabularySize = reader.count("vocab_size");
  const last = vocabularySize - 1;
  return {
    vocabularySize,
    contextLength: reader.count("n_positions"),
    width: reader.count("n_embd"),
    layers: reader.count("n_layer"),
    heads: reader.count("n_head"),
    feedForwardWidth: reader.optionalCount("n_inner"),
    layerNormEpsilon: reader.number("layer_norm_epsilon", 1e-5),
    qkvBias: reader.flag("qkv_bias", true),
    tied: reader.flag("tie_word_embeddings", true),
    initializerRange: reader.number("initializer_range", 0.02),
    // Where a file does not say what begins or ends a text, it is the last token, as in the published models.
    special: { ...special, bos: special.bos ?? last, eos: special.eos ?? last },
    dropout,
  };
}
