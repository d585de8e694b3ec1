/**
 * A model's LoRA adapters as a GGUF file, which llama.cpp and Ollama put beside the model.
 *
 * https://github.com/ggml-org/llama.cpp/blob/master/convert_lora_to_gguf.py
 *
 * @module
 */

import { type GgufEntry, writeGguf, type WrittenFile } from "../weights/mod.ts";
import { type GgufForm, ggufPlace, toGgufForm } from "./gguf_names.ts";
import { LoraAdapter } from "./lora.ts";
import type { LanguageModel } from "./model.ts";

/**
 * Writes a model's adapters; the model itself is not written.
 *
 * @param model The adapted model.
 * @param path The file; its directory must exist. It is written beside, then renamed.
 * @param options Stop signal.
 * @returns The file's length and hash.
 * @throws {TypeError} If the model has no adapter, or adapters that count differently.
 */
export async function exportLoraGguf(
  model: LanguageModel,
  path: string,
  options: { signal?: AbortSignal } = {},
): Promise<WrittenFile> {
  const entries: GgufEntry[] = [];
  const alphas = new Set<number>();
  for (const { name, adapter } of model.linears.values()) {
    if (!(adapter instanceof LoraAdapter)) continue;
    const { a, b, factor, settings } = adapter;
    alphas.add(factor * settings.rank); // readers divide by the rank
    const place = ggufPlace(`${name}.weight`, model);
    // A and B are (r, in) and (out, r) whichever way the weight lies; only rows can change places.
    const form: GgufForm = place.form.kind === "transposed" ? { kind: "same" } : place.form;
    entries.push(
      { name: `${place.name}.lora_a`, shape: a.shape, data: () => a.data() },
      {
        name: `${place.name}.lora_b`,
        shape: b.shape,
        data: async () => toGgufForm(await b.data(), b.shape, form),
      },
    );
  }
  if (entries.length === 0) {
    throw new TypeError("Cannot write an adapter as GGUF: the model has none");
  }
  if (alphas.size > 1) {
    throw new TypeError(
      "Cannot write adapters as one GGUF file that were added with different settings",
    );
  }
  return await writeGguf(path, entries, {
    metadata: {
      "general.architecture": model.architecture,
      "general.type": "adapter",
      "adapter.type": "lora",
      "adapter.lora.alpha": { float32: [...alphas][0] },
    },
    signal: options.signal,
  });
}
