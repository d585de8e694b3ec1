/**
 * Phi-3, 3.5 and 4-mini (Abdin et al., "Phi-3 Technical Report", 2024): a Llama that computes
 * queries, keys and values with one matrix, and gate and input of the feed-forward layer with one.
 *
 * @module
 */

import { ConfigReader, rotaryScalingToConfig } from "../config_reader.ts";
import { commonKeys, float32, uint32 } from "../gguf_keys.ts";
import { asDecimal, type GgufReader, readCommonConfig } from "../gguf_reader.ts";
import { defineTransformerFamily, LLAMA_MODULES, type TransformerConfig } from "../transformer.ts";
import { readCommon, writeCommon } from "./common.ts";
import type { Family } from "./family.ts";
import { LLAMA_GGUF_NAMES } from "./llama.ts";

const { query: _, key: __, value: ___, gate: ____, up: _____, ...SHARED } = LLAMA_MODULES;

const MODULES = {
  ...SHARED,
  queryKeyValue: "self_attn.qkv_proj",
  gateUp: "mlp.gate_up_proj",
};

const FACTORS = { short: "rope_factors_short.weight", long: "rope_factors_long.weight" };

/** LongRoPE's factors are tensors of the file. */
async function readScaling(reader: GgufReader): Promise<Record<string, unknown>> {
  const { file } = reader;
  if (!file.tensors.has(FACTORS.long)) return {};
  const context = reader.number("context_length");
  const original = reader.find("rope.scaling.original_context_length") ?? context;
  const usual = Math.sqrt(1 + Math.log(Math.max(1, context / original)) / Math.log(original));
  const factor = reader.find("rope.scaling.attn_factor") ?? usual;
  return {
    original_max_position_embeddings: original,
    rope_scaling: {
      rope_type: "longrope",
      short_factor: Array.from(await file.read(FACTORS.short), asDecimal),
      long_factor: Array.from(await file.read(FACTORS.long), asDecimal),
      attention_factor: Math.abs(factor - usual) < 1e-6 ? usual : asDecimal(factor),
    },
  };
}

/** Phi-3 and its successors. */
export const phi3: Family = defineTransformerFamily({
  title: "Phi-3",
  modelTypes: ["phi3"],
  prefixes: ["model.", ""],
  embeddings: ["embed_tokens.weight"],
  head: "lm_head.weight",
  readConfig(json, path): TransformerConfig {
    const reader = new ConfigReader(json, path);
    reader.expect("hidden_act", "silu", "swish");
    for (const key of ["resid_pdrop", "embd_pdrop"]) reader.expect(key, 0);
    // transformers reads "yarn" of Phi-3's first files as LongRoPE.
    const { type, rope_type = type } = reader.object("rope_scaling")?.json ?? {};
    const scaling = { ...reader.object("rope_scaling")?.json, rope_type: "longrope" };
    const mended = rope_type === "yarn" ? { ...json, rope_scaling: scaling } : json;
    const common = readCommon(new ConfigReader(mended, path), {
      epsilon: 1e-5,
      isPartial: true,
    });
    const kind = common.scaling?.type;
    if (kind !== undefined && kind !== "longrope") {
      return reader.fail("rope_scaling", '"longrope" as its type');
    }
    const window = reader.optionalCount("sliding_window");
    return {
      ...common,
      modules: MODULES,
      activation: "swiglu",
      window,
      localLayers: Array<boolean>(common.layers).fill(window !== undefined),
    };
  },
  writeConfig(config) {
    const { contextLength, scaling } = config;
    const original = scaling?.type === "longrope" ? scaling.originalContext : contextLength;
    return {
      architectures: ["Phi3ForCausalLM"],
      model_type: "phi3",
      ...writeCommon(config),
      original_max_position_embeddings: original,
      rope_scaling: rotaryScalingToConfig(scaling),
      sliding_window: config.window ?? null,
      resid_pdrop: 0,
      embd_pdrop: 0,
    };
  },
  gguf: {
    architecture: "phi3",
    names: {
      ...LLAMA_GGUF_NAMES,
      "self_attn.qkv_proj": "attn_qkv",
      "mlp.gate_up_proj": "ffn_up",
    },
    readConfig: async (reader: GgufReader) => {
      const { rope_scaling: _, ...shape } = readCommonConfig(reader, { isPartial: true });
      return {
        ...shape,
        model_type: "phi3",
        partial_rotary_factor: reader.turned / reader.headDim,
        sliding_window: reader.find("attention.sliding_window") || null,
        ...await readScaling(reader),
      };
    },
    writeKeys(reader) {
      const { "attention.key_length": _, "attention.value_length": __, ...keys } = commonKeys(
        reader,
      );
      const headDim = reader.count("head_dim");
      const scaling = reader.rotary().scaling;
      const window = reader.optionalCount("sliding_window");
      if (headDim * reader.count("num_attention_heads") !== reader.count("hidden_size")) {
        throw new TypeError(
          `Cannot write a Phi-3 as GGUF whose heads have ${headDim} elements: expected its width, divided among them`,
        );
      }
      return {
        ...keys,
        "rope.dimension_count": uint32(Math.trunc(headDim * reader.rotary().part)),
        "rope.scaling.original_context_length": uint32(
          reader.count("original_max_position_embeddings"),
        ),
        "rope.scaling.attn_factor": scaling?.type === "longrope"
          ? float32(scaling.attentionFactor)
          : undefined,
        "attention.sliding_window": uint32(window ?? 0),
      };
    },
    writeTensors(reader): Record<string, Float32Array> {
      const scaling = reader.rotary().scaling;
      if (scaling?.type !== "longrope") return {};
      return {
        [FACTORS.long]: Float32Array.from(scaling.longFactors),
        [FACTORS.short]: Float32Array.from(scaling.shortFactors),
      };
    },
  },
});
