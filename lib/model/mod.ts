/**
 * Language models: GPT-2, Llama, Gemma, the key-value cache, generation, files.
 *
 * @module
 */

// How models are kept between runs of a notebook.
import "./keep.ts";

export { type ModelPlan, planModel } from "./architectures.ts";
export { KeyValueCache } from "./cache.ts";
export { Decoder, type DecoderConfig, type DecoderWeights } from "./decoder.ts";
export { type LoadedNetwork, loadNetwork, type LoadNetworkOptions, saveNetwork } from "./files.ts";
export { Gemma, gemmaShapes } from "./gemma.ts";
export { type GemmaConfig, parseGemmaConfig } from "./gemma_config.ts";
export {
  generate,
  type GeneratedToken,
  type GenerateOptions,
  generateTokens,
  type Generation,
} from "./generate.ts";
export { exportLoraGguf, loadLoraGguf } from "./gguf_adapter.ts";
export { exportGguf, type ExportGgufOptions, type ExportType } from "./gguf_export.ts";
export { Gpt2, GPT2_SIZES, type Gpt2Config, gpt2Shapes } from "./gpt2.ts";
export { parseGpt2Config } from "./gpt2_config.ts";
export { type Adapter, Linear, type LinearLayout, makeLinears } from "./linear.ts";
export { Llama, llamaShapes } from "./llama.ts";
export { type LlamaConfig, parseLlamaConfig } from "./llama_config.ts";
export {
  addLora,
  LoraAdapter,
  type LoraOptions,
  type LoraSettings,
  mergeLora,
  removeLora,
} from "./lora.ts";
export {
  type AdapterConfig,
  isAdapter,
  loadLora,
  readAdapterConfig,
  saveLora,
} from "./lora_files.ts";
export {
  type Attend,
  attendWithin,
  type AttentionHeads,
  logitsOf,
  type LossBatch,
  lossOf,
  type ModelInput,
  type Network,
} from "./model.ts";
export { openStoredModel, type StoredModel, type StoredWeight } from "./stored_weights.ts";
export {
  loadPacked,
  type Quantization,
  QUANTIZATIONS,
  quantize,
  type QuantizedType,
} from "./quantize.ts";
export { chooseToken, type SamplingOptions } from "./sampling.ts";
export {
  describeFrozen,
  freeze,
  isFullyTrainable,
  matchesName,
  type NamePattern,
  trainableParameters,
  unfreeze,
} from "./trainable.ts";
