/**
 * OLMo 2 (OLMo Team, "2 OLMo 2 Furious", 2024): norms of what layers give instead of what they take,
 * and of all queries and keys of a token together.
 *
 * @module
 */

import { ConfigReader } from "../config_reader.ts";
import { commonKeys } from "../gguf_keys.ts";
import { type GgufReader, readCommonConfig } from "../gguf_reader.ts";
import { defineTransformerFamily, LLAMA_MODULES, type TransformerConfig } from "../transformer.ts";
import { readCommon, writeCommon } from "./common.ts";
import type { Family } from "./family.ts";
import { LLAMA_GGUF_NAMES } from "./llama.ts";

const { attentionNorm: _, feedForwardNorm: __, ...WITHOUT_NORMS } = LLAMA_MODULES;

const MODULES = {
  ...WITHOUT_NORMS,
  queryNorm: "self_attn.q_norm",
  keyNorm: "self_attn.k_norm",
  attentionOutNorm: "post_attention_layernorm",
  feedForwardOutNorm: "post_feedforward_layernorm",
};

/** OLMo 2. */
export const olmo2: Family = defineTransformerFamily({
  title: "OLMo 2",
  modelTypes: ["olmo2"],
  prefixes: ["model.", ""],
  embeddings: ["embed_tokens.weight"],
  head: "lm_head.weight",
  readConfig(json, path): TransformerConfig {
    const reader = new ConfigReader(json, path);
    reader.expect("hidden_act", "silu", "swish");
    const bias = reader.flag("attention_bias", false);
    return {
      ...readCommon(reader, { epsilon: 1e-5 }),
      modules: MODULES,
      activation: "swiglu",
      queryKeyNorm: "width",
      biases: { queryKeyValue: bias, output: bias },
    };
  },
  writeConfig: (config) => ({
    architectures: ["Olmo2ForCausalLM"],
    model_type: "olmo2",
    ...writeCommon(config),
    attention_bias: config.biases?.output ?? false,
  }),
  gguf: {
    architecture: "olmo2",
    needsHead: true,
    notices: ({ num_key_value_heads: shared, num_attention_heads: heads }) =>
      shared === undefined || shared === heads ? [] : [
        "Ollama 0.6.5 does not load an OLMo 2 whose heads share keys and values",
      ],
    names: {
      ...LLAMA_GGUF_NAMES,
      "self_attn.q_norm": "attn_q_norm",
      "self_attn.k_norm": "attn_k_norm",
      "post_attention_layernorm": "post_attention_norm",
      "post_feedforward_layernorm": "post_ffw_norm",
    },
    readConfig: (reader: GgufReader) => ({ ...readCommonConfig(reader), model_type: "olmo2" }),
    writeKeys(reader) {
      if (reader.flag("attention_bias", false)) {
        throw new TypeError(
          "Cannot write an OLMo 2 with biases as GGUF, whose readers know none of them",
        );
      }
      return commonKeys(reader);
    },
  },
});
