/**
 * GPT-NeoX and Pythia (Black et al., "GPT-NeoX-20B", 2022; Biderman et al., "Pythia", 2023): attention
 * and feed-forward layer side by side, a part of each head turned, queries, keys and values of a head
 * next to each other in one matrix.
 *
 * @module
 */

import { ConfigReader } from "../config_reader.ts";
import { commonKeys, float32, uint32 } from "../gguf_keys.ts";
import { type GgufReader, readCommonConfig } from "../gguf_reader.ts";
import { defineTransformerFamily, type TransformerConfig } from "../transformer.ts";
import { GELU_NOTICE, readCommon, writeCommon } from "./common.ts";
import type { Family } from "./family.ts";

const ROTARY = { thetaKey: "rotary_emb_base", part: 0.25, partKey: "rotary_pct" };

/** GPT-NeoX. */
export const gptNeox: Family = defineTransformerFamily({
  title: "GPT-NeoX",
  modelTypes: ["gpt_neox"],
  prefixes: ["gpt_neox.", ""],
  embeddings: ["embed_in.weight"],
  head: "embed_out.weight",
  readConfig(json, path): TransformerConfig {
    const reader = new ConfigReader(json, path);
    reader.expect("hidden_act", "gelu", "gelu_new", "gelu_pytorch_tanh", "gelu_fast");
    const bias = reader.flag("attention_bias", true);
    const common = readCommon(reader, {
      epsilon: 1e-5,
      epsilonKey: "layer_norm_eps",
      rotary: ROTARY,
      isPartial: true,
    });
    return {
      ...common,
      kvHeads: common.heads, // whatever the file says, as in transformers
      modules: {
        tokens: "embed_in",
        attentionNorm: "input_layernorm",
        queryKeyValue: "attention.query_key_value",
        output: "attention.dense",
        feedForwardNorm: "post_attention_layernorm",
        up: "mlp.dense_h_to_4h",
        down: "mlp.dense_4h_to_h",
        norm: "final_layer_norm",
      },
      activation: (json.hidden_act ?? "gelu") === "gelu" ? "gelu" : "gelu_tanh",
      norm: "layer",
      queryKeyValueOrder: "heads",
      parallel: reader.flag("use_parallel_residual", true),
      biases: { queryKeyValue: bias, output: bias, feedForward: true },
    };
  },
  writeConfig(config) {
    const {
      num_key_value_heads: _,
      head_dim: __,
      rms_norm_eps: epsilon,
      rope_theta: theta,
      partial_rotary_factor: part = 1,
      ...shape
    } = writeCommon(config);
    return {
      architectures: ["GPTNeoXForCausalLM"],
      model_type: "gpt_neox",
      ...shape,
      hidden_act: config.activation === "gelu" ? "gelu" : "gelu_new",
      layer_norm_eps: epsilon,
      rotary_emb_base: theta,
      rotary_pct: part,
      use_parallel_residual: config.parallel ?? true,
      attention_bias: config.biases?.output ?? true,
      hidden_dropout: 0,
    };
  },
  gguf: {
    architecture: "gptneox",
    needsHead: true,
    names: {
      "embed_in": "token_embd",
      "input_layernorm": "attn_norm",
      "attention.query_key_value": "attn_qkv",
      "attention.dense": "attn_output",
      "post_attention_layernorm": "ffn_norm",
      "mlp.dense_h_to_4h": "ffn_up",
      "mlp.dense_4h_to_h": "ffn_down",
      "final_layer_norm": "output_norm",
      "embed_out": "output",
    },
    formOf: (module, _part, { heads }) =>
      module === "attention.query_key_value"
        ? { kind: "byPart", heads, parts: 3 }
        : { kind: "same" },
    readConfig(reader: GgufReader) {
      const { rms_norm_eps: epsilon, rope_theta: theta = 10_000, ...shape } = readCommonConfig(
        reader,
        { epsilon: "attention.layer_norm_epsilon", isPartial: true },
      );
      return {
        ...shape,
        model_type: "gpt_neox",
        // llama.cpp computes GELU by its tanh approximation.
        hidden_act: "gelu_new",
        layer_norm_eps: epsilon,
        rotary_emb_base: theta,
        rotary_pct: reader.turned / reader.headDim,
        use_parallel_residual: reader.flag("use_parallel_residual") ?? true,
        attention_bias: reader.file.tensors.has("blk.0.attn_qkv.bias"),
      };
    },
    writeKeys(reader) {
      const { part, theta } = reader.rotary(ROTARY);
      const width = reader.count("hidden_size");
      const heads = reader.count("num_attention_heads");
      const {
        "attention.layer_norm_rms_epsilon": _,
        "attention.key_length": __,
        "attention.value_length": ___,
        "attention.head_count_kv": ____,
        "rope.freq_base": _____,
        ...keys
      } = commonKeys(reader);
      return {
        ...keys,
        "attention.layer_norm_epsilon": float32(reader.number("layer_norm_eps", 1e-5)),
        "rope.dimension_count": uint32(Math.trunc(part * width / heads)),
        "rope.freq_base": float32(theta),
        use_parallel_residual: reader.flag("use_parallel_residual", true),
      };
    },
    notices: ({ hidden_act: activation }) => activation === "gelu" ? [GELU_NOTICE] : [],
  },
});
