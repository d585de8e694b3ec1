// `tunebook export` for models: a GGUF file, a model in Ollama, an ONNX file, or a directory in Hugging Face's layout.

import type { ExportType } from "../model/mod.ts";
import { join } from "@std/path/join";
import { exportFiles, isWhole } from "../pipeline/export.ts";
import type { FoundModel } from "../pipeline/find_model.ts";
import type { ExportProof } from "../pipeline/proof.ts";
import { checkpointName, type StateDictNames } from "../pipeline/state_dict.ts";
import type { Exported, ExportOptions, Model } from "../pipeline/mod.ts";
import { setCommand } from "../pipeline/program.ts";
import type { OllamaQuantization } from "../weights/ollama_quantization.ts";
import { readFormatOption } from "./format.ts";
import { onInterrupt } from "./interrupt.ts";
import { findForCommand, loadForCommand } from "./load.ts";
import { progress } from "./progress.ts";

/** Options of an export. */
export interface ExportModelOptions {
  /** The GGUF file to write. */
  gguf?: string;
  /** The model to make in Ollama. */
  ollama?: string;
  /** The state dict to write, or its folder. */
  pth?: string;
  /** Whose names its weights have. */
  names: StateDictNames;
  /** The directory to write `model.onnx` into. */
  onnx?: string;
  /** The directory to write. */
  hf?: string;
  /** The type of matrices; F16 by default, F32 in a directory. */
  type?: "f32" | "f16" | "bf16" | "q8_0";
  /** How Ollama quantises. */
  ollamaQuantize?: OllamaQuantization;
  /** The prompt format for Ollama. */
  format?: string;
  /** A LoRA adapter for the model. */
  adapter?: string;
  /** Whether the adapter is merged into the weights. */
  merge: boolean;
  /** Whether to replace another run's model in the directory. */
  overwrite: boolean;
}

/**
 * Exports a model to each given target.
 *
 * @param spec The model's name, or an adapter's directory.
 * @param options The targets, and how to write them.
 */
export async function exportModel(spec: string, options: ExportModelOptions): Promise<void> {
  const { hf, gguf, ollama, onnx, merge, names } = options;
  if (hf !== undefined && options.type === "q8_0") {
    throw new TypeError(
      "Cannot write Q8_0 into a directory: safetensors have --type f32, f16 or bf16",
    );
  }
  if (options.pth !== undefined && options.type === "q8_0") {
    throw new TypeError("Cannot write Q8_0 into a state dict: expected --type f32, f16 or bf16");
  }
  if (onnx !== undefined && (options.type === "q8_0" || options.type === "bf16")) {
    throw new TypeError("Cannot write such an ONNX file: expected --type f32 or f16");
  }
  if ((gguf !== undefined || ollama !== undefined) && options.type === "bf16") {
    throw new TypeError("Cannot write BF16 into a GGUF file: expected --type f32, f16 or q8_0");
  }
  setCommand(`tunebook export ${spec}`);
  using interrupt = onInterrupt(() => console.error("\nStopping"));
  const { signal } = interrupt;
  const found = await findForCommand(spec, { adapter: options.adapter, signal });
  const { adapter } = found;
  if (merge && adapter === undefined) {
    throw new TypeError(`Cannot merge: "${spec}" is not an adapter, and --adapter is not given`);
  }
  if (hf !== undefined && adapter !== undefined && !merge) {
    throw new TypeError(
      `Cannot export "${adapter}" into a directory: it is already one; give --merge for a whole model`,
    );
  }
  const how: ExportOptions = {
    type: options.type?.toUpperCase() as ExportType | "BF16" | undefined,
    merge,
    format: await readFormatOption(options.format),
    names,
    overwrite: options.overwrite,
    signal,
  };
  const { ollamaQuantize } = options;
  if (ollamaQuantize !== undefined && ollama === undefined) {
    throw new TypeError("Cannot quantise: --ollama-quantize needs --ollama");
  }
  const pth = options.pth && await statePath(options.pth, found);
  const inMemory = [hf, pth, onnx && `onnx:${onnx}`];
  // A model without changes is exported tensor by tensor; an adapter needs its model in memory.
  let model: Model | undefined;
  const handOn = async (target: string): Promise<Exported> => {
    const inOllama = target.startsWith("ollama:");
    const bar = progress(inOllama ? "Sending" : "Writing", 100);
    const onProgress = (done: number, total: number) => bar.update(Math.floor(100 * done / total));
    const settings = { ...how, onProgress, ...(inOllama && ollamaQuantize && { ollamaQuantize }) };
    try {
      if (!inMemory.includes(target) && isWhole(found)) {
        return await exportFiles(found, target, settings);
      }
      model ??= await loadForCommand(spec, { device: "cpu", adapter: options.adapter, signal });
      return await model.export(target, settings);
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
      const message = error.message.replace('"overwrite: true"', "--overwrite");
      throw new Deno.errors.AlreadyExists(message, { cause: error });
    } finally {
      bar.finish();
    }
  };
  try {
    for (const target of [...inMemory, gguf && `gguf:${gguf}`, ollama && `ollama:${ollama}`]) {
      if (target === undefined) continue;
      const { bytes, notices, proof } = await handOn(target);
      for (const notice of notices) console.error(`Note: ${notice}`);
      console.error(
        target.startsWith("ollama:")
          ? `Made the Ollama model "${ollama}"; to talk to it: ollama run ${ollama}`
          : `Wrote ${target.replace(/^(gguf|onnx):/, "")} (${megabytes(bytes)})`,
      );
      if (proof) console.error(describeProof(proof));
    }
  } finally {
    model?.device.close();
  }
}

/** A state dict's path; in a folder that exists, or with a trailing slash, the file is named after the model. */
async function statePath(path: string, { source, taught }: FoundModel): Promise<string> {
  const isFolder = /[\\/]$/.test(path) ||
    await Deno.stat(path).then(({ isDirectory }) => isDirectory, () => false);
  if (!isFolder && !/\.pth$/i.test(path)) {
    throw new TypeError(
      `Cannot write a state dict to "${path}": expected a folder, or a file that ends in ".pth"`,
    );
  }
  if (!isFolder) return path;
  await Deno.mkdir(path, { recursive: true });
  return join(path, checkpointName(taught?.base ?? source.name));
}

function describeProof({ compared, count, difference, tolerance, program }: ExportProof): string {
  const what = compared === "logits"
    ? `the logits of ${count} prompts`
    : `${count.toLocaleString("en")} weights`;
  const far = difference === 0
    ? "are equal"
    : `differ by at most ${difference.toExponential(1)} of the largest`;
  return `Read back${program ? ` by ${program}` : ""}: ${what} ${far} (${
    Number(tolerance.toPrecision(2))
  } allowed)`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
