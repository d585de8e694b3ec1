/**
 * Model weights: where they come from, how they are read and written.
 *
 * Plain typed arrays; nothing here knows of tensors with gradients or of models.
 *
 * @module
 */

export type { Dtype, ReadableDtype, WritableDtype } from "./dtype.ts";
export type { TensorInfo } from "./safetensors/header.ts";
export { type BaseName, nameBase } from "./base.ts";
export { openSafetensors, type Safetensors } from "./safetensors/read.ts";
export type { ReadOptions } from "./rows.ts";
export { type TensorEntry, type WriteOptions, writeSafetensors } from "./safetensors/write.ts";
export type { NamedTensor, TensorData, WriteProgress, WrittenFile } from "./write_tensors.ts";
export { sha256File, type StreamOptions } from "./sha256.ts";
export {
  type DownloadProgress,
  downloadSnapshot,
  HubError,
  type HubOptions,
  type SnapshotOptions,
} from "./hub.ts";
export { listCachedModels } from "./hub.ts";
export type { Snapshot } from "./hub.ts";
export { downloadFile, type HubFile } from "./hub/file.ts";
export { createOllamaModel, type CreateOllamaOptions } from "./ollama_create.ts";
export { ollamaHost } from "./ollama_host.ts";
export { listOllamaModels, type OllamaModel } from "./ollama_store.ts";
export { checkpointName, EMBEDDED_NAME, SHORT_NAMES } from "./names.ts";
export { resolveModel, type ResolveOptions } from "./resolve.ts";
export {
  type ModelSource,
  ollamaAdapters,
  type OllamaLayers,
  type ResolvedDirectory,
  type ResolvedGguf,
  type ResolvedModel,
} from "./resolved.ts";
export type { GgufArray, GgufTensorInfo, GgufValue } from "./gguf/header.ts";
export { type Gguf, openGguf } from "./gguf/read.ts";
export type { GgufMetadata, GgufNumberType, GgufWritable } from "./gguf/format.ts";
export {
  type GgufEntry,
  type WritableGgmlType,
  writeGguf,
  type WriteGgufOptions,
} from "./gguf/write.ts";
