/**
 * Writes a model for ONNX: a decoder with past keys and values, whose inputs and outputs are named as optimum names them.
 *
 * @module
 */

import { assertKnownOptions, type OptionNames } from "../../options.ts";
import type { OnnxGraph } from "../../weights/onnx/graph.ts";
import type { WrittenFile } from "../../weights/mod.ts";
import { Gpt2 } from "../families/gpt2.ts";
import { assertNetwork, type Network } from "../model.ts";
import { Transformer } from "../transformer.ts";
import { addGpt2 } from "./gpt2.ts";
import { DecoderBuilder } from "./parts.ts";
import { addTransformer } from "./transformer.ts";

/** Options of {@linkcode exportOnnx}. */
export interface ExportOnnxOptions {
  /**
   * How weights are stored, F32 by default. Inputs, outputs and computation are float32: F16 weights are widened when the
   * file is loaded.
   */
  readonly type?: "F32" | "F16";
  /** Stops the writing: the call rejects with the signal's reason and no file is left. */
  readonly signal?: AbortSignal;
  /** Called while bytes are written, with the bytes done so far and the total. */
  readonly onProgress?: (done: number, total: number) => void;
}

const NAMES: OptionNames<ExportOnnxOptions> = { type: true, signal: true, onProgress: true };

/**
 * Writes a model as an ONNX file of opset 14, with one tensor at a time in memory. Where it would be longer than 2 GiB, the
 * weights are in a second file, named `<path>_data`.
 *
 * Its inputs are `input_ids`, `attention_mask` and `position_ids` (int64), and for each layer N `past_key_values.N.key` and
 * `.value`, (batch, heads of keys, past tokens, head dimension); there may be 0 past tokens. Its outputs are `logits` and
 * for each layer `present.N.key` and `.value`, which are the past of the next call.
 *
 * @param model A model, into which adapters must have been merged.
 * @param path The file; its directory must exist.
 * @param options The type of weights.
 * @returns Bytes of all that was written, and the hash of the file with the weights.
 * @throws {TypeError} If the model has adapters, or computes what a graph cannot.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { Gpt2, pick } from "tunebook";
 * import { exportOnnx } from "tunebook/model";
 *
 * const device = await pick({ device: "cpu" });
 * const network = Gpt2.create(device, {
 *   vocabularySize: 9, contextLength: 8, width: 4, layers: 1, heads: 2,
 * });
 * const path = await Deno.makeTempFile({ suffix: ".onnx" });
 * const { bytes } = await exportOnnx(network, path);
 * assert(bytes === (await Deno.stat(path)).size);
 * await Deno.remove(path);
 * device.close();
 * ```
 */
export async function exportOnnx(
  model: Network,
  path: string,
  options: ExportOnnxOptions = {},
): Promise<WrittenFile> {
  assertKnownOptions("write a model as ONNX", options, NAMES);
  const { type = "F32", ...progress } = options;
  const { writeOnnx } = await import("../../weights/onnx/write.ts"); // when it is needed
  return await writeOnnx(path, onnxGraphOf(model, type), progress);
}

/**
 * A model as a graph.
 *
 * @param model The model.
 * @param type How weights are stored.
 * @returns The graph; weights are read when they are written.
 * @throws {TypeError} If the model has adapters, or computes what a graph cannot.
 */
export function onnxGraphOf(model: Network, type: "F32" | "F16" = "F32"): OnnxGraph {
  assertNetwork("write a model as ONNX", model);
  if (type !== "F32" && type !== "F16") {
    throw new TypeError(
      `Cannot write a model as ONNX with weights of "${type}": expected "F32" or "F16"`,
    );
  }
  if ([...model.linears.values()].some(({ adapter }) => adapter !== undefined)) {
    throw new TypeError("Cannot write a model as ONNX that has adapters: merge them first");
  }
  const build = new DecoderBuilder(model, type === "F32" ? "float32" : "float16");
  return build.finish(addLayers(build, model));
}

function addLayers(build: DecoderBuilder, model: Network): string {
  if (model instanceof Gpt2) return addGpt2(build, model);
  if (model instanceof Transformer) return addTransformer(build, model.recipe);
  throw new TypeError(`Cannot write a ${model.family.title} as ONNX: its layers are not known`);
}
