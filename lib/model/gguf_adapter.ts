/**
 * Reads and writes LoRA adapters as GGUF files, which llama.cpp and Ollama load together with a
 * model.
 *
 * https://github.com/ggml-org/llama.cpp/blob/master/convert_lora_to_gguf.py
 *
 * @module
 */

import { openGguf } from "../weights/gguf/read.ts";
import { type GgufEntry, writeGguf } from "../weights/gguf/write.ts";
import type { WrittenFile } from "../weights/write_tensors.ts";
import { fromGgufForm, type GgufForm, toGgufForm } from "./gguf_forms.ts";
import { ggufPlace } from "./gguf_names.ts";
import type { Linear } from "./linear.ts";
import { LoraAdapter, type LoraSettings } from "./lora.ts";
import { attachPairs, type StoredPair } from "./lora_pairs.ts";
import { assertNetwork, type Network } from "./model.ts";
import { replacedWeights } from "./replaced_weights.ts";
import { freeze } from "./trainable.ts";
import { assertKnownOptions } from "../options.ts";

/**
 * Writes a model's adapters; the model itself is not written.
 *
 * @param model The adapted model.
 * @param path The file; its directory must exist. It is written under a temporary name, then
 * renamed.
 * @param options Stop signal.
 * @returns The file's length and hash.
 * @throws {TypeError} If the model has no adapter, or adapters with different settings.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { addLora, Gpt2, pick } from "tunebook";
 * import { exportLoraGguf, loadLoraGguf, removeLora } from "tunebook/model";
 *
 * const device = await pick({ device: "cpu" });
 * const network = Gpt2.create(device, {
 *   vocabularySize: 9, contextLength: 8, width: 4, layers: 1, heads: 2,
 * });
 * const path = await Deno.makeTempFile({ suffix: ".gguf" });
 * addLora(network, { rank: 2 });
 * await exportLoraGguf(network, path);
 * removeLora(network);
 * await loadLoraGguf(network, path);
 * assertEquals(network.linears.get("h.0.attn.c_attn")!.adapter !== undefined, true);
 * await Deno.remove(path);
 * device.close();
 * ```
 */
export async function exportLoraGguf(
  model: Network,
  path: string,
  options: { signal?: AbortSignal } = {},
): Promise<WrittenFile> {
  assertKnownOptions("write an adapter as GGUF", options, { signal: true });
  assertNetwork("write an adapter as GGUF", model);
  const entries: GgufEntry[] = [];
  const alphas = new Set<number>();
  for (const { name, adapter } of model.linears.values()) {
    if (!(adapter instanceof LoraAdapter)) continue;
    const { a, b, factor, settings } = adapter;
    alphas.add(factor * settings.rank); // readers divide alpha by the rank
    const { place, form } = placeOf(name, model);
    entries.push(
      { name: `${place}.lora_a`, shape: a.shape, data: () => a.data() },
      {
        name: `${place}.lora_b`,
        shape: b.shape,
        data: async () => toGgufForm(await b.data(), b.shape, form),
      },
    );
  }
  const [replaced] = replacedWeights(model);
  if (replaced !== undefined) {
    throw new TypeError(
      `Cannot write an adapter as GGUF: it replaces "${replaced}", which only a merged model can hold`,
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

/**
 * Adds the adapters of a GGUF file to a model's layers and freezes the model, as `loadLora()` does
 * for PEFT's.
 *
 * @param model The base, changed in place.
 * @param path A file by {@linkcode exportLoraGguf}, llama.cpp's converter or Ollama.
 * @throws {TypeError} If it is not an adapter, or does not fit the model.
 * @throws {SyntaxError} If the file is damaged.
 * @throws {Deno.errors.NotFound} If there is no such file.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { addLora, Gpt2, pick } from "tunebook";
 * import { exportLoraGguf, loadLoraGguf, removeLora } from "tunebook/model";
 *
 * const device = await pick({ device: "cpu" });
 * const network = Gpt2.create(device, {
 *   vocabularySize: 9, contextLength: 8, width: 4, layers: 1, heads: 2,
 * });
 * const path = await Deno.makeTempFile({ suffix: ".gguf" });
 * addLora(network, { rank: 2 });
 * await exportLoraGguf(network, path);
 * removeLora(network);
 * await loadLoraGguf(network, path);
 * assertEquals(network.linears.get("h.0.attn.c_attn")!.adapter !== undefined, true);
 * await Deno.remove(path);
 * device.close();
 * ```
 */
export async function loadLoraGguf(model: Network, path: string): Promise<void> {
  const cannot = `Cannot load the adapter "${path}"`;
  using file = await openGguf(path);
  const expect = (key: string, expected: string) => {
    const value = file.metadata.get(key);
    if (value === expected) return;
    throw new TypeError(
      `${cannot}: its "${key}" is ${JSON.stringify(value) ?? "not there"}, expected "${expected}"`,
    );
  };
  expect("general.type", "adapter");
  expect("adapter.type", "lora");
  expect("general.architecture", model.architecture);
  // As in llama.cpp's llama-adapter.h: if alpha is 0 or absent, the scale is 1.
  const alpha = file.metadata.get("adapter.lora.alpha") ?? 0;
  if (typeof alpha !== "number" || !(alpha >= 0 && alpha < Infinity)) {
    throw new TypeError(`${cannot}: its "adapter.lora.alpha" is ${alpha}, expected a number`);
  }
  const places = new Map<string, { linear: Linear; form: GgufForm }>();
  for (const linear of model.linears.values()) {
    const { place, form } = placeOf(linear.name, model);
    places.set(place, { linear, form });
  }
  const pairs = new Map<Linear, StoredPair>();
  for (const [name, { shape }] of file.tensors) {
    const [, place = "", part] = /^(.+)\.lora_([ab])$/.exec(name) ?? [];
    const found = places.get(place);
    if (!found) {
      throw new TypeError(`${cannot}: "${name}" belongs to no linear layer of the model`);
    }
    const { linear, form } = found;
    const read = part === "a"
      ? () => file.read(name)
      : async () => fromGgufForm(await file.read(name), shape, form);
    pairs.set(linear, { ...pairs.get(linear), [part]: { shape, read } });
  }
  const settings = new Map<number, LoraSettings>(); // layers of the same rank share their settings
  const settingsOf = (rank: number) => {
    const known = settings.get(rank) ?? { rank, alpha: alpha || rank, dropout: 0, rsLora: false };
    settings.set(rank, known);
    return known;
  };
  await attachPairs(model, pairs, settingsOf, cannot);
  freeze(model);
}

/** The names of a layer's A and B, and the order of B's rows. */
function placeOf(name: string, model: Network): { place: string; form: GgufForm } {
  const { name: place, form } = ggufPlace(`${name}.weight`, model);
  // A and B are (r, in) and (out, r) for both layouts of the weight; only rows can be permuted.
  return { place, form: form.kind === "transposed" ? { kind: "same" } : form };
}
