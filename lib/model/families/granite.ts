/**
 * Granite 3 (IBM, "Granite 3.0 Language Models", 2024), without experts: a Llama whose embeddings,
 * scores, residuals and logits have factors.
 *
 * @module
 */

import { ConfigReader } from "../config_reader.ts";
import { commonKeys, float32 } from "../gguf_keys.ts";
import { type GgufReader, readCommonConfig } from "../gguf_reader.ts";
import { defineTransformerFamily, LLAMA_MODULES, type TransformerConfig } from "../transformer.ts";
import { readCommon, writeCommon } from "./common.ts";
import type { Family } from "./family.ts";
import { LLAMA_GGUF_NAMES, pairedForm } from "./llama.ts";

/** Granite 3. */
export const granite: Family = defineTransformerFamily({
  title: "Granite",
  modelTypes: ["granite"],
  prefixes: ["model.", ""],
  embeddings: ["embed_tokens.weight"],
  head: "lm_head.weight",
  readConfig(json, path): TransformerConfig {
    const reader = new ConfigReader(json, path);
    reader.expect("hidden_act", "silu", "swish");
    const bias = reader.flag("attention_bias", false);
    return {
      ...readCommon(reader),
      modules: LLAMA_MODULES,
      activation: "swiglu",
      embeddingFactor: reader.number("embedding_multiplier", 1),
      scoreFactor: reader.number("attention_multiplier", 1),
      residualFactor: reader.number("residual_multiplier", 1),
      logitDivisor: reader.number("logits_scaling", 1),
      biases: {
        queryKeyValue: bias,
        output: bias,
        feedForward: reader.flag("mlp_bias", false),
      },
    };
  },
  writeConfig: (config) => ({
    architectures: ["GraniteForCausalLM"],
    model_type: "granite",
    ...writeCommon(config),
    embedding_multiplier: config.embeddingFactor,
    attention_multiplier: config.scoreFactor,
    residual_multiplier: config.residualFactor,
    logits_scaling: config.logitDivisor,
    attention_bias: config.biases?.output ?? false,
    mlp_bias: config.biases?.feedForward ?? false,
  }),
  gguf: {
    architecture: "granite",
    names: LLAMA_GGUF_NAMES,
    formOf: pairedForm,
    readConfig: (reader: GgufReader) => ({
      ...readCommonConfig(reader),
      model_type: "granite",
      mlp_bias: reader.file.tensors.has("blk.0.ffn_up.bias"),
      // As in llama.cpp, where 0 and nothing leave scores divided by the root of a head's width.
      attention_multiplier: reader.factor("attention.scale") ||
        1 / Math.sqrt(reader.headDim),
      embedding_multiplier: reader.factor("embedding_scale") || 1,
      residual_multiplier: reader.factor("residual_scale") || 1,
      logits_scaling: reader.factor("logit_scale") || 1,
    }),
    writeKeys(reader) {
      const keys = commonKeys(reader);
      return {
        ...keys,
        "rope.dimension_count": keys["attention.key_length"],
        "attention.scale": float32(reader.number("attention_multiplier", 1)),
        embedding_scale: float32(reader.number("embedding_multiplier", 1)),
        residual_scale: float32(reader.number("residual_multiplier", 1)),
        logit_scale: float32(reader.number("logits_scaling", 1)),
      };
    },
  },
});
