/**
 * Model weights: finding, reading and writing them.
 *
 * Values are plain typed arrays; nothing here depends on tensors with gradients or on models.
 *
 * @module
 */

export type { ReadableDtype, StoredDtype, WritableDtype } from "./dtype.ts";
export type { GgufMetadata, GgufNumberType, GgufWritable } from "./gguf/format.ts";
export type { GgufArray, GgufTensorInfo, GgufValue } from "./gguf/header.ts";
export type { StreamOptions } from "./sha256.ts";
export type { NamedTensor, WriteProgress } from "./write_tensors.ts";
export type { OllamaLayers } from "./resolved.ts";
export { type Gguf, openGguf } from "./gguf/read.ts";
export {
  type GgufEntry,
  type WritableGgmlType,
  writeGguf,
  type WriteGgufOptions,
} from "./gguf/write.ts";
export { downloadSnapshot, listCachedModels, type Snapshot, type SnapshotOptions } from "./hub.ts";
export type { DownloadProgress } from "./hub/download.ts";
export type { HubOptions } from "./hub/options.ts";
export { HubError } from "./hub/request.ts";
export { SHORT_NAMES } from "./names.ts";
export { createOllamaModel, type CreateOllamaOptions } from "./ollama_create.ts";
export { ollamaHost } from "./ollama_host.ts";
export type { OllamaQuantization } from "./ollama_quantization.ts";
export { listOllamaModels, type OllamaModel } from "./ollama_store.ts";
export { resolveModel, type ResolveOptions } from "./resolve.ts";
export type { ModelSource, ResolvedDirectory, ResolvedGguf, ResolvedModel } from "./resolved.ts";
export type { ReadOptions } from "./rows.ts";
export type { TensorInfo } from "./safetensors/header.ts";
export { openSafetensors, type Safetensors } from "./safetensors/read.ts";
export { type TensorEntry, type WriteOptions, writeSafetensors } from "./safetensors/write.ts";
export type { TensorData, WrittenFile } from "./write_tensors.ts";
export { readStateDict, type StateDictTensor } from "./pytorch/read.ts";
export { type StateDictEntry, writeStateDict } from "./pytorch/write.ts";
