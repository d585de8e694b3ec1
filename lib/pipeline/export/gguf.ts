/**
 * A GGUF file of a model, or of its adapters.
 *
 * @module
 */

import { resolve } from "@std/path/resolve";
import { exportLoraGguf } from "../../model/gguf_adapter.ts";
import { exportGguf } from "../../model/gguf_export.ts";
import { mergedCopy } from "../../model/lora.ts";
import { openStoredModel } from "../../model/stored_weights.ts";
import { tokenizerToGguf } from "../../text/tokenizer_to_gguf.ts";
import type { GgufMetadata } from "../../weights/gguf/format.ts";
import type { WrittenFile } from "../../weights/write_tensors.ts";
import { toChatTemplate } from "../format.ts";
import { toGgufSampling } from "../llama_cpp_defaults.ts";
import { type ExportProof, proveModel } from "../proof.ts";
import { askedIn } from "./format.ts";
import type { Exporting, ExportOptions } from "./options.ts";
import { isAdapted } from "./refusals.ts";

/**
 * Writes a GGUF file: of the whole model, or of its adapters if these are not merged.
 *
 * @param exporting The model.
 * @param path The file; its directory must exist.
 * @param options How.
 * @returns The file's length and hash.
 */
export async function toGgufFile(
  exporting: Exporting,
  path: string,
  options: ExportOptions,
): Promise<WrittenFile & { proof?: ExportProof }> {
  const { merge, signal } = options;
  if (isAdapted(exporting) && !merge) {
    return await exportLoraGguf(exporting.network!, path, { ...(signal && { signal }) });
  }
  const keys = { ...describeTokenizer(exporting), ...toGgufSampling(exporting.generation) };
  return await writeWhole(exporting, path, options, keys);
}

/** The tokenizer's keys, with the template that the model was taught. */
export function describeTokenizer(
  { tokenizer, format }: Pick<Exporting, "tokenizer" | "format">,
): GgufMetadata {
  const metadata = tokenizerToGguf(tokenizer);
  if (format === undefined) return metadata;
  return { ...metadata, "tokenizer.chat_template": toChatTemplate(format, tokenizer) };
}

/** Writes the weights: those in memory, with adapters merged if asked for, otherwise those in the model's files. */
export async function writeWhole(
  exporting: Exporting,
  path: string,
  { type = "F16", merge, signal, onProgress }: ExportOptions,
  tokenizer: GgufMetadata,
): Promise<WrittenFile & { proof: ExportProof }> {
  const { source, network } = exporting;
  if (type === "BF16") {
    throw new TypeError(
      `Cannot export BF16 to "${path}": GGUF files are written as "F32", "F16" or "Q8_0"`,
    );
  }
  const how = { type, tokenizer, name: source.name, signal, onProgress };
  // An unmerged adapter goes beside the weights of the files.
  const whole = network && (merge || !isAdapted({ network })) ? network : undefined;
  const write = async () => {
    if (whole !== undefined) {
      using merged = mergedCopy(whole);
      return await exportGguf(merged.network, path, how);
    }
    using stored = await openStoredModel(source);
    return await exportGguf(stored, path, how);
  };
  const written = await write();
  const { network: _, ...files } = exporting;
  const proving = { ...files, ...(whole && { network: whole }), format: askedIn(exporting) };
  try {
    return { ...written, proof: await proveModel(proving, resolve(path), type) };
  } catch (error) {
    await Deno.remove(path).catch(() => {});
    throw error;
  }
}
