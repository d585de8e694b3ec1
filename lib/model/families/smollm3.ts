/**
 * SmolLM3 (Bakouch et al., "SmolLM3: smol, multilingual, long-context reasoner", 2025): a Llama of
 * which every fourth layer has no positions.
 *
 * @module
 */

import { ConfigReader } from "../config_reader.ts";
import { commonKeys } from "../gguf_keys.ts";
import { type GgufReader, readCommonConfig } from "../gguf_reader.ts";
import { defineTransformerFamily, LLAMA_MODULES, type TransformerConfig } from "../transformer.ts";
import { readCommon, readLayerTypes, writeCommon, writeLayerTypes } from "./common.ts";
import type { Family } from "./family.ts";
import { LLAMA_GGUF_NAMES, pairedForm } from "./llama.ts";

/** Every fourth layer has no positions in llama.cpp, whatever the file says. */
const GGUF_INTERVAL = 4;

/** Which layers turn queries and keys, as 1 and 0. */
function readPositions(reader: ConfigReader, layers: number): number[] {
  const listed = reader.json.no_rope_layers;
  const interval = reader.count("no_rope_layer_interval", 4);
  if (listed == null) return everyOther(layers, interval);
  const isFlag = (value: unknown) => value === 0 || value === 1;
  if (!Array.isArray(listed) || listed.length !== layers || !listed.every(isFlag)) {
    return reader.fail("no_rope_layers", `${layers} of 0 or 1`);
  }
  return listed;
}

const everyOther = (layers: number, interval: number) =>
  Array.from({ length: layers }, (_, layer) => Number((layer + 1) % interval !== 0));

/** SmolLM3. */
export const smollm3: Family = defineTransformerFamily({
  title: "SmolLM3",
  modelTypes: ["smollm3"],
  prefixes: ["model.", ""],
  embeddings: ["embed_tokens.weight"],
  head: "lm_head.weight",
  readConfig(json, path): TransformerConfig {
    const reader = new ConfigReader(json, path);
    reader.expect("hidden_act", "silu", "swish");
    const common = readCommon(reader, { kvHeads: 4, tied: true, rotary: { theta: 2_000_000 } });
    const { layers } = common;
    const bias = reader.flag("attention_bias", false);
    const turns = readPositions(reader, layers);
    const slides = reader.flag("use_sliding_window", false);
    const window = reader.optionalCount("sliding_window");
    // As in transformers, a list of layers counts even where no window is to be used.
    const usual = turns.map((turn) => turn === 0 && slides && window !== undefined);
    const localLayers = readLayerTypes(reader, layers, usual);
    const isLocal = localLayers.includes(true);
    if (isLocal && window === undefined) {
      return reader.fail("sliding_window", "the window of local layers");
    }
    return {
      ...common,
      modules: LLAMA_MODULES,
      activation: "swiglu",
      window: isLocal ? window : undefined,
      localLayers,
      withoutPositions: turns.map((turn) => turn === 0),
      biases: {
        queryKeyValue: bias,
        output: bias,
        feedForward: reader.flag("mlp_bias", false),
      },
    };
  },
  writeConfig: (config) => ({
    architectures: ["SmolLM3ForCausalLM"],
    model_type: "smollm3",
    ...writeCommon(config),
    no_rope_layers: config.withoutPositions!.map((without) => without ? 0 : 1),
    use_sliding_window: config.window !== undefined,
    sliding_window: config.window ?? null,
    layer_types: writeLayerTypes(config),
    attention_bias: config.biases?.output ?? false,
    mlp_bias: config.biases?.feedForward ?? false,
  }),
  gguf: {
    architecture: "smollm3",
    names: LLAMA_GGUF_NAMES,
    formOf: pairedForm,
    readConfig: (reader: GgufReader) => ({
      ...readCommonConfig(reader),
      model_type: "smollm3",
      mlp_bias: reader.file.tensors.has("blk.0.ffn_up.bias"),
    }),
    writeKeys(reader) {
      const layers = reader.count("num_hidden_layers");
      if (readPositions(reader, layers).join() !== everyOther(layers, GGUF_INTERVAL).join()) {
        throw new TypeError(
          "Cannot write a SmolLM3 as GGUF whose every fourth layer is not the one without positions",
        );
      }
      if (reader.flag("use_sliding_window", false)) {
        throw new TypeError(
          "Cannot write a SmolLM3 with a sliding window as GGUF, whose readers let it see the whole text",
        );
      }
      const keys = commonKeys(reader);
      return { ...keys, "rope.dimension_count": keys["attention.key_length"] };
    },
  },
});
