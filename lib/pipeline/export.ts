/**
 * A model for other programs: a GGUF file, a model in Ollama, an ONNX file, a folder in Hugging Face's layout.
 *
 * @module
 */

import { planModel } from "../model/architectures.ts";
import { openStoredModel } from "../model/stored_weights.ts";
import { assertKnownOptions } from "../options.ts";
import { stopSignal } from "../stop.ts";
import { assertWritable } from "../weights/dtype.ts";
import { ollamaAdapters } from "../weights/resolved.ts";
import { toFolder } from "./export/folder.ts";
import { formatToExport } from "./export/format.ts";
import { toGgufFile } from "./export/gguf.ts";
import { quantizedNotice, toOllama } from "./export/ollama.ts";
import { toOnnx } from "./export/onnx.ts";
import {
  EXPORT_OPTIONS,
  type Exported,
  type Exporting,
  type ExportOptions,
  type Folders,
} from "./export/options.ts";
import { assertMergeable, assertQuantizable, assertTarget } from "./export/refusals.ts";
import { toStateDict } from "./export/state_dict.ts";
import type { FoundModel } from "./find_model.ts";
import { formatFor } from "./format.ts";
import { assertAsSaved } from "./record.ts";

/**
 * Exports a model to a target by its name; see {@linkcode Model.export}.
 *
 * @param exporting The model.
 * @param target `ollama:NAME`, a `.gguf` file (`gguf:PATH` for other names), a `.pth` file, `onnx:FOLDER`, or a folder.
 * @param options How.
 * @param folders How a folder is written.
 */
export async function exportModel(
  exporting: Exporting,
  target: string,
  options: ExportOptions,
  folders: Folders,
): Promise<Exported> {
  assertKnownOptions("export", options, EXPORT_OPTIONS);
  assertTarget(target);
  assertWritable("export weights", options.type, ["F32", "F16", "BF16", "Q8_0"]);
  const { signal = stopSignal() } = options;
  const how = { ...options, ...(signal && { signal }) };
  assertMergeable(exporting, options, target);
  assertQuantizable(exporting, options, target);
  if (target.startsWith("ollama:")) {
    const { bytes, proof } = await toOllama(exporting, target.slice("ollama:".length), how);
    const notices = await noticesFor(exporting);
    return {
      bytes,
      notices: [...notices, ...quantizedNotice(options)],
      ...(proof && { proof }),
    };
  }
  const file = /^gguf:(.+)$/.exec(target)?.[1] ?? (/\.gguf$/i.test(target) ? target : undefined);
  if (file !== undefined) {
    const { bytes, proof } = await toGgufFile(exporting, file, how);
    return { bytes, notices: await noticesFor(exporting), ...(proof && { proof }) };
  }
  if (/\.pth$/i.test(target)) return await toStateDict(exporting, target, how);
  const onnx = /^onnx:(.+)$/.exec(target)?.[1];
  if (onnx !== undefined) return await toOnnx(exporting, onnx, how, folders);
  return await toFolder(exporting, target, how, folders);
}

/** Notices where readers of GGUF files compute differently. */
async function noticesFor({ source }: Exporting): Promise<string[]> {
  using stored = await openStoredModel(source);
  const { family, completeConfig } = planModel(stored.config, stored.path);
  return family.gguf.notices?.(completeConfig()) ?? [];
}

/**
 * Exports a model from its files, one tensor at a time, so that models larger than memory can be exported.
 *
 * @param found A model without adapters.
 * @param target `ollama:NAME`, or a `.gguf` file.
 * @param options How.
 * @returns The size of the weights, and notices for the user.
 * @throws {SyntaxError} If the weights are not those that were saved.
 */
export async function exportFiles(
  found: FoundModel,
  target: string,
  options: ExportOptions = {},
): Promise<Exported> {
  const { source, tokenizer, generation, taught } = found;
  if (source.kind === "directory") {
    await assertAsSaved(source.directory, "model.safetensors", options.signal);
  }
  const isTaught = taught?.format !== undefined;
  const format = options.format === undefined
    ? formatToExport(target, isTaught ? found.format : undefined, taught)
    : formatFor({ ...found, isTaught }, [], options.format);
  const exporting = { source, tokenizer, generation, ...(format && { format }) };
  return await exportModel(exporting, target, options, {
    save: () => Promise.reject(new TypeError("a folder is written of a model in memory")),
  });
}

/** Whether a model's files hold the whole model, without adapters. */
export function isWhole({ source, adapter }: FoundModel): boolean {
  return adapter === undefined && ollamaAdapters(source).length === 0;
}
