/**
 * StarCoder2 (Lozhkov et al., "StarCoder 2 and The Stack v2", 2024): layer norms and biases as GPT-2
 * has, rotary positions and grouped heads as Llama.
 *
 * @module
 */

import { ConfigReader } from "../config_reader.ts";
import { commonKeys, float32 } from "../gguf_keys.ts";
import { type GgufReader, readCommonConfig } from "../gguf_reader.ts";
import { defineTransformerFamily, LLAMA_MODULES, type TransformerConfig } from "../transformer.ts";
import { readCommon, writeCommon } from "./common.ts";
import type { Family } from "./family.ts";
import { LLAMA_GGUF_NAMES } from "./llama.ts";

const { gate: _, ...WITHOUT_GATE } = LLAMA_MODULES;

/** StarCoder2. */
export const starcoder2: Family = defineTransformerFamily({
  title: "StarCoder2",
  modelTypes: ["starcoder2"],
  prefixes: ["model.", ""],
  embeddings: ["embed_tokens.weight"],
  head: "lm_head.weight",
  readConfig(json, path): TransformerConfig {
    const reader = new ConfigReader(json, path);
    reader.expect("hidden_act", "gelu_pytorch_tanh", "gelu_new");
    const bias = reader.flag("use_bias", true);
    const common = readCommon(reader, {
      epsilon: 1e-5,
      epsilonKey: "norm_epsilon",
      kvHeads: 2,
      tied: true,
    });
    const window = reader.optionalCount("sliding_window");
    return {
      ...common,
      modules: { ...WITHOUT_GATE, up: "mlp.c_fc", down: "mlp.c_proj" },
      activation: "gelu_tanh",
      norm: "layer",
      window,
      localLayers: Array<boolean>(common.layers).fill(window !== undefined),
      biases: { queryKeyValue: bias, output: bias, feedForward: bias },
    };
  },
  writeConfig(config) {
    const { rms_norm_eps: epsilon, ...shape } = writeCommon(config);
    return {
      architectures: ["Starcoder2ForCausalLM"],
      model_type: "starcoder2",
      ...shape,
      hidden_act: "gelu_pytorch_tanh",
      norm_epsilon: epsilon,
      sliding_window: config.window ?? null,
      use_bias: config.biases?.output ?? true,
      residual_dropout: 0,
      embedding_dropout: 0,
    };
  },
  gguf: {
    architecture: "starcoder2",
    names: { ...LLAMA_GGUF_NAMES, "mlp.c_fc": "ffn_up", "mlp.c_proj": "ffn_down" },
    readConfig(reader: GgufReader) {
      const { rms_norm_eps: epsilon, attention_bias: bias, ...shape } = readCommonConfig(reader, {
        epsilon: "attention.layer_norm_epsilon",
      });
      return {
        ...shape,
        model_type: "starcoder2",
        norm_epsilon: epsilon,
        use_bias: bias,
        sliding_window: reader.find("attention.sliding_window") || null,
      };
    },
    writeKeys(reader) {
      if (reader.optionalCount("sliding_window") !== undefined) {
        throw new TypeError(
          "Cannot write a StarCoder2 with a sliding window as GGUF, whose readers let it see the whole text",
        );
      }
      if (!reader.flag("use_bias", true)) {
        throw new TypeError(
          "Cannot write a StarCoder2 without biases as GGUF, whose readers ask for them",
        );
      }
      const { "attention.layer_norm_rms_epsilon": _, ...keys } = commonKeys(reader);
      return {
        ...keys,
        "attention.layer_norm_epsilon": float32(reader.number("norm_epsilon", 1e-5)),
      };
    },
  },
});
