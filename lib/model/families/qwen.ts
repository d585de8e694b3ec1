/**
 * Qwen 2 and 2.5 ("Qwen2 Technical Report", 2024): a Llama with biases of queries, keys and values;
 * and Qwen 3 ("Qwen3 Technical Report", 2025), which has norms of queries and keys instead.
 *
 * @module
 */

import { ConfigReader } from "../config_reader.ts";
import { commonKeys, type GgufKeys } from "../gguf_keys.ts";
import { type GgufReader, readCommonConfig } from "../gguf_reader.ts";
import { defineTransformerFamily, LLAMA_MODULES, type TransformerConfig } from "../transformer.ts";
import { readCommon, readLayerTypes, writeCommon, writeLayerTypes } from "./common.ts";
import type { Family } from "./family.ts";
import { LLAMA_GGUF_NAMES } from "./llama.ts";

/** What both generations read alike. */
function readQwen(reader: ConfigReader, defaults: { kvHeads: number; headDim?: number }) {
  reader.expect("hidden_act", "silu", "swish");
  const common = readCommon(reader, defaults);
  const { layers } = common;
  const slides = reader.json.sliding_window !== null && reader.flag("use_sliding_window", false);
  const window = slides ? reader.count("sliding_window", 4096) : undefined;
  const first = slides ? Number(reader.json.max_window_layers ?? 28) : Infinity;
  const usual = Array.from({ length: layers }, (_, layer) => layer >= first);
  const localLayers = readLayerTypes(reader, layers, usual);
  // Without a window its layers see everything.
  return { ...common, window, localLayers: localLayers.map((local) => local && slides) };
}

function writeQwen(config: TransformerConfig): Record<string, unknown> {
  const slides = config.localLayers?.includes(true) ?? false;
  return {
    ...writeCommon(config),
    use_sliding_window: slides,
    sliding_window: slides ? config.window : null,
    layer_types: writeLayerTypes(config),
  };
}

/** Readers of such files know of no window. */
function writeKeys(reader: ConfigReader): GgufKeys {
  if (reader.flag("use_sliding_window", false)) {
    throw new TypeError(
      "Cannot write a Qwen with a sliding window as GGUF, whose readers let it see the whole text",
    );
  }
  return commonKeys(reader);
}

const common = {
  prefixes: ["model.", ""],
  embeddings: ["embed_tokens.weight"],
  head: "lm_head.weight",
};

/** Qwen 2 and 2.5. */
export const qwen2: Family = defineTransformerFamily({
  title: "Qwen 2",
  modelTypes: ["qwen2"],
  ...common,
  readConfig(json, path): TransformerConfig {
    const reader = new ConfigReader(json, path);
    return {
      ...readQwen(reader, { kvHeads: 32 }),
      modules: LLAMA_MODULES,
      activation: "swiglu",
      biases: { queryKeyValue: true },
    };
  },
  writeConfig: (config) => ({
    architectures: ["Qwen2ForCausalLM"],
    model_type: "qwen2",
    ...writeQwen(config),
  }),
  gguf: {
    architecture: "qwen2",
    names: LLAMA_GGUF_NAMES,
    readConfig(reader: GgufReader) {
      const { attention_bias: _, ...shape } = readCommonConfig(reader);
      return { ...shape, model_type: "qwen2" };
    },
    writeKeys,
  },
});

const QWEN3_MODULES = {
  ...LLAMA_MODULES,
  queryNorm: "self_attn.q_norm",
  keyNorm: "self_attn.k_norm",
};

/** Qwen 3, without experts. */
export const qwen3: Family = defineTransformerFamily({
  title: "Qwen 3",
  modelTypes: ["qwen3"],
  ...common,
  readConfig(json, path): TransformerConfig {
    const reader = new ConfigReader(json, path);
    const bias = reader.flag("attention_bias", false);
    return {
      ...readQwen(reader, { kvHeads: 32, headDim: 128 }),
      modules: QWEN3_MODULES,
      activation: "swiglu",
      biases: { queryKeyValue: bias, output: bias },
    };
  },
  writeConfig: (config) => ({
    architectures: ["Qwen3ForCausalLM"],
    model_type: "qwen3",
    ...writeQwen(config),
    attention_bias: config.biases?.output ?? false,
  }),
  gguf: {
    architecture: "qwen3",
    names: {
      ...LLAMA_GGUF_NAMES,
      "self_attn.q_norm": "attn_q_norm",
      "self_attn.k_norm": "attn_k_norm",
    },
    readConfig: (reader: GgufReader) => ({ ...readCommonConfig(reader), model_type: "qwen3" }),
    writeKeys(reader) {
      if (reader.flag("attention_bias", false)) {
        throw new TypeError(
          "Cannot write a Qwen 3 with biases as GGUF, whose readers know none of them",
        );
      }
      return writeKeys(reader);
    },
  },
});
