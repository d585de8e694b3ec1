/**
 * A folder with a model in Hugging Face's layout.
 *
 * @module
 */

import { resolve } from "@std/path/resolve";
import { proveModel } from "../proof.ts";
import { askedIn } from "./format.ts";
import type { Exported, Exporting, ExportOptions, Folders } from "./options.ts";
import { isAdapted } from "./refusals.ts";

/** Writes the model as saving does, and reads it back. */
export async function toFolder(
  exporting: Exporting,
  target: string,
  { type, merge = false, overwrite, signal }: ExportOptions,
  { save }: Folders,
): Promise<Exported> {
  if (isAdapted(exporting) && !merge) {
    throw new TypeError(
      `Cannot export to "${target}": the model has adapters, which save() puts into a folder by ` +
        'themselves; give "merge: true" for a whole model',
    );
  }
  if (type === "Q8_0") {
    throw new TypeError(
      `Cannot export Q8_0 to "${target}": safetensors hold "F32", "F16" or "BF16"`,
    );
  }
  const { bytes, notices } = await save(target, {
    merge,
    ...(type && { dtype: type }),
    ...(overwrite !== undefined && { overwrite }),
    ...(signal && { signal }),
  });
  const proving = { ...exporting, format: askedIn(exporting) };
  return { bytes, notices, proof: await proveModel(proving, resolve(target), type ?? "F32") };
}
