/**
 * A model as a PyTorch state dict.
 *
 * @module
 */

import { mergedCopy } from "../../model/lora.ts";
import { writeStateDict } from "../../weights/pytorch/write.ts";
import { proveStateDict } from "../proof.ts";
import { STATE_DICT_NAMES, stateDictOf } from "../state_dict.ts";
import type { Exported, Exporting, ExportOptions } from "./options.ts";
import { assertWhole, networkOf } from "./refusals.ts";

/** Writes a PyTorch state dict of the model in memory. */
export async function toStateDict(
  exporting: Exporting,
  path: string,
  options: ExportOptions,
): Promise<Exported> {
  const { type = "F32", names = "transformers", signal, onProgress } = options;
  const network = networkOf(exporting, path);
  if (type === "Q8_0") {
    throw new TypeError(
      `Cannot export Q8_0 to "${path}": a state dict holds "F32", "F16" or "BF16"`,
    );
  }
  if (!STATE_DICT_NAMES.includes(names)) {
    throw new RangeError(
      `Cannot name weights as "${names}" does: expected one of ${
        STATE_DICT_NAMES.map((name) => `"${name}"`).join(", ")
      }`,
    );
  }
  assertWhole(exporting, options, path);
  using merged = mergedCopy(network);
  const entries = stateDictOf(merged.network, names, type);
  const { bytes } = await writeStateDict(path, entries, {
    ...(signal && { signal }),
    ...(onProgress && { onProgress }),
  });
  try {
    return { bytes, notices: [], proof: await proveStateDict(entries, path, type) };
  } catch (error) {
    await Deno.remove(path).catch(() => {});
    throw error;
  }
}
