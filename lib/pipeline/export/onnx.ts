/**
 * A folder with a model for onnxruntime and transformers.js.
 *
 * @module
 */

import { join } from "@std/path/join";
import { exportOnnx } from "../../model/onnx/export.ts";
import { configOf } from "../../model/replaced_weights.ts";
import { proveOnnx } from "../proof.ts";
import type { WriteNetwork } from "../save.ts";
import { askedIn } from "./format.ts";
import type { Exported, Exporting, ExportOptions, Folders } from "./options.ts";
import { assertWhole, networkOf } from "./refusals.ts";

/** The file's name, which optimum's and transformers.js' loaders look for. */
const ONNX_FILE = "model.onnx";

/** Writes `model.onnx` of the model in memory, with configuration and tokenizer beside it, as optimum does. */
export async function toOnnx(
  exporting: Exporting,
  folder: string,
  options: ExportOptions,
  { save }: Folders,
): Promise<Exported> {
  const { type = "F32", merge = false, overwrite, signal, onProgress } = options;
  const loaded = networkOf(exporting, folder);
  if (type !== "F32" && type !== "F16") {
    throw new TypeError(
      `Cannot export ${type} to "${folder}": weights in ONNX are "F32" or "F16"`,
    );
  }
  assertWhole(exporting, options, folder);
  await assertNoWeights(folder);
  const write: WriteNetwork = async (network, unfinished) => {
    const how = { type, ...(signal && { signal }), ...(onProgress && { onProgress }) };
    const written = await exportOnnx(network, join(unfinished, ONNX_FILE), how);
    const config = { ...configOf(network), torch_dtype: "float32" };
    const text = `${JSON.stringify(config, null, 2)}\n`;
    await Deno.writeTextFile(join(unfinished, "config.json"), text);
    return written;
  };
  const { bytes, directory, notices: kept } = await save(folder, {
    merge,
    ...(overwrite !== undefined && { overwrite }),
    ...(signal && { signal }),
  }, write);
  try {
    const path = join(directory, ONNX_FILE);
    const proving = { ...exporting, network: loaded, format: askedIn(exporting) };
    const proof = await proveOnnx(proving, path, type);
    const notices = proof.compared === "logits" ? kept : [
      ...kept,
      "The graph was read back, but not run: onnxruntime is not here; to have it, " +
      "run: deno cache npm:onnxruntime-node",
    ];
    return { bytes, notices, proof };
  } catch (error) {
    for (const name of [ONNX_FILE, `${ONNX_FILE}_data`]) {
      await Deno.remove(join(directory, name)).catch(() => {});
    }
    throw error;
  }
}

/** Refuses a folder of which an export would replace weights of another kind. */
async function assertNoWeights(folder: string): Promise<void> {
  const names = await Array.fromAsync(Deno.readDir(folder), ({ name }) => name).catch(() => []);
  const weights = names.find((name) => name.endsWith(".safetensors"));
  if (weights === undefined) return;
  throw new Deno.errors.AlreadyExists(
    `Cannot export to "${folder}": it holds "${weights}"; give a folder of its own, such as "${
      join(folder, "onnx")
    }"`,
  );
}
