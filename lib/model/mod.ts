/**
 * Language models: GPT-2, Llama, Gemma, the key-value cache, generation, files.
 *
 * @module
 */

// How models are stored between runs of a notebook.
import "./restorable.ts";

export type { CreateOptions } from "./parameters.ts";
export type { AdapterConfig } from "./lora_files.ts";
export { planModel } from "./architectures.ts";
export type { ModelPlan } from "./families/family.ts";
export type { FamilyTraits, GgufFamily } from "./families/traits.ts";
export { type LoadedNetwork, loadNetwork, type LoadNetworkOptions, saveNetwork } from "./files.ts";
export type { Decoder, DecoderConfig } from "./decoder.ts";
export type { Finish } from "./decoding.ts";
export { Gemma, type GemmaConfig } from "./families/gemma.ts";
export {
  generate,
  type GeneratedToken,
  type GenerateOptions,
  generateTokens,
  type Generation,
} from "./generate.ts";
export { exportLoraGguf, loadLoraGguf } from "./gguf_adapter.ts";
export { exportGguf, type ExportGgufOptions, type ExportType } from "./gguf_export.ts";
export { Gpt2, GPT2_SIZES, type Gpt2Config } from "./families/gpt2.ts";
export type { Adapter } from "./linear.ts";
export { Llama, type LlamaConfig } from "./families/llama.ts";
export { addLora, type LoraOptions, type LoraSettings, mergeLora, removeLora } from "./lora.ts";
export { loadLora, saveLora } from "./lora_files.ts";
export {
  type Attend,
  attendWithin,
  type AttentionHeads,
  logitsOf,
  lossOf,
  type ModelInput,
  type Network,
} from "./model.ts";
export { exportOnnx, type ExportOnnxOptions } from "./onnx/export.ts";
export { type Quantization, quantize, type QuantizedType } from "./quantize.ts";
export {
  chooseToken,
  type LogitsProcessor,
  type SamplingContext,
  type SamplingOptions,
} from "./sampling.ts";
export { Transformer, type TransformerConfig, type TransformerModules } from "./transformer.ts";
export { freeze, type NamePattern, trainableParameters, unfreeze } from "./trainable.ts";
