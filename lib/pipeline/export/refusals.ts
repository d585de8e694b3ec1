/**
 * Exports that are refused before anything is written.
 *
 * @module
 */

import type { Network } from "../../model/model.ts";
import { OLLAMA_QUANTIZATIONS } from "../../weights/ollama_quantization.ts";
import type { Exporting, ExportOptions } from "./options.ts";

/** Endings of models' files in formats that are not written; a folder has none of these. */
const OTHER_FORMATS = /\.(onnx|safetensors|pt|bin|ckpt|h5|keras|tflite|mlmodel|mlpackage|npz)$/i;

/** Refuses a target of a kind that is not written. */
export function assertTarget(target: string): void {
  const known = typeof target === "string" && target !== "ollama:" && target !== "gguf:" &&
    target !== "onnx:" && target !== "" && !OTHER_FORMATS.test(target);
  if (known) return;
  throw new TypeError(
    `Cannot export to ${JSON.stringify(target)}: expected "ollama:NAME", a path that ends in ` +
      '".gguf" or ".pth", "onnx:FOLDER", or a folder for safetensors',
  );
}

/** Refuses to merge what is not there. */
export function assertMergeable(
  exporting: Exporting,
  { merge }: ExportOptions,
  target: string,
): void {
  if (!merge || isAdapted(exporting)) return;
  throw new TypeError(`Cannot merge for "${target}": the model has no adapters`);
}

/** Refuses a model whose adapters are not merged, for a target that holds whole models. */
export function assertWhole(exporting: Exporting, { merge }: ExportOptions, target: string): void {
  if (merge || !isAdapted(exporting)) return;
  throw new TypeError(
    `Cannot export to "${target}": the model has adapters; give "merge: true" for a whole model`,
  );
}

/**
 * Asks for the model in memory, for a target that is not written of files.
 *
 * @param exporting What is exported.
 * @param target Where it goes.
 * @returns The network.
 * @throws {TypeError} If it is not loaded.
 */
export function networkOf({ network }: Exporting, target: string): Network {
  if (network !== undefined) return network;
  throw new TypeError(`Cannot export to "${target}": load the model first`);
}

/** Refuses a quantisation that Ollama could not make. */
export function assertQuantizable(
  exporting: Exporting,
  { ollamaQuantize, type, merge }: ExportOptions,
  target: string,
): void {
  if (ollamaQuantize === undefined) return;
  if (!OLLAMA_QUANTIZATIONS.includes(ollamaQuantize)) {
    throw new RangeError(
      `Cannot let Ollama quantise to ${JSON.stringify(ollamaQuantize)}: expected one of ` +
        OLLAMA_QUANTIZATIONS.map((name) => `"${name}"`).join(", "),
    );
  }
  const cannot = `Cannot let Ollama quantise to "${ollamaQuantize}"`;
  if (!target.startsWith("ollama:")) throw new TypeError(`${cannot} what is not made in Ollama`);
  // Ollama 0.6.5 takes the number of F32, 0, for a file whose type is unknown.
  if (type !== undefined && type !== "F16") {
    throw new TypeError(`${cannot} from "${type}": expected "F16"`);
  }
  if (isAdapted(exporting) && !merge) {
    throw new TypeError(`${cannot} a model with adapters beside it: merge them`);
  }
}

/** Whether there are adapters beside the network. An Ollama model's own are part of its weights once it is loaded. */
export function isAdapted({ network }: Pick<Exporting, "network">): boolean {
  return [...network?.linears.values() ?? []].some(({ adapter }) => adapter);
}
