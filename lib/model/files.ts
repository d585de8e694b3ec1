/**
 * Models from and to files: directories in Hugging Face's layout (`config.json` and safetensors), and GGUF files.
 *
 * @module
 */

import { join } from "@std/path";
import { recordProvenance } from "../provenance.ts";
import { dequantize, type Device, sizeOf, Tensor } from "../tensor/mod.ts";
import { ollamaAdapters } from "../weights/resolved.ts";
import {
  type ResolvedModel,
  resolveModel,
  type ResolveOptions,
  type WritableDtype,
  writeSafetensors,
  type WrittenFile,
} from "../weights/mod.ts";
import { writeFileBeside } from "../write_beside.ts";
import { planModel } from "./architectures.ts";
import { loadLoraGguf } from "./gguf_adapter.ts";
import { mergeLora } from "./lora.ts";
import type { Network } from "./model.ts";
import { setOrigin } from "./origin.ts";
import { loadPacked, type Quantization } from "./quantize.ts";
import { openStoredModel, type StoredWeight } from "./stored_weights.ts";
import { assertKnownOptions, type OptionNames } from "../options.ts";
import { RESOLVE_OPTIONS } from "../weights/resolve.ts";

/** A model that was loaded, and where it came from. */
export interface LoadedNetwork {
  /** The network. */
  readonly network: Network;
  /** Its files. */
  readonly source: ResolvedModel;
}

/** Options of {@linkcode loadNetwork}. */
export interface LoadNetworkOptions extends ResolveOptions {
  /** Where it shall live. */
  readonly device: Device;
  /** Overrides the dropout that its configuration names; 0 by default, as fine-tuning usually has it. */
  readonly dropout?: number;
  /** Called as weights are read, with the elements done and those in all. */
  readonly onRead?: (done: number, total: number) => void;
  /**
   * Makes a weight's tensor in another way than by widening it to float32, such as by keeping its blocks. Where it
   * gives nothing, the weight is widened.
   */
  readonly keepStored?: (weight: StoredWeight, device: Device) => Promise<Tensor | undefined>;
  /** Keeps matrices in less memory, as {@linkcode loadPacked} does; by default they are float32, and learn. */
  readonly quantize?: Quantization;
}

const NAMES: OptionNames<LoadNetworkOptions> = {
  ...RESOLVE_OPTIONS,
  device: true,
  dropout: true,
  onRead: true,
  keepStored: true,
  quantize: true,
};

/**
 * Loads a model: a GPT-2, Llama, Mistral, Gemma 1 or Gemma 3. Adapters that an Ollama model has on its base are added to
 * the weights: what they adapt is float32 then, however the others are kept.
 *
 * @param name A directory, a GGUF file, `hf:owner/name`, or a short name; see `resolveModel`.
 * @param options Device, dropout, progress.
 * @returns The model and its files.
 * @throws {TypeError} If its architecture or a tensor's shape is not what is expected.
 * @throws {RangeError} If one of its tensors is not there.
 * @throws {Deno.errors.NotFound} If it does not exist.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { loadNetwork, pick } from "tunebook";
 *
 * const device = await pick({ device: "cpu" });
 * const { network, source } = await loadNetwork("nano", { device });
 * assertEquals([network.architecture, source.name], ["gpt2", "nano"]);
 * device.close();
 * ```
 */
export async function loadNetwork(
  name: string,
  options: LoadNetworkOptions,
): Promise<LoadedNetwork> {
  assertKnownOptions("load a network", options, NAMES);
  const { device, dropout, onRead, quantize, ...rest } = options;
  const { keepStored = quantize && loadPacked(quantize), ...where } = rest;
  const { signal } = where;
  const source = await resolveModel(name, where);
  using stored = await openStoredModel(source);
  const plan = planModel(stored.config, stored.path, dropout);
  const total = [...plan.shapes.values()].reduce((sum, shape) => sum + sizeOf(shape), 0);
  const parameters = new Map<string, Tensor>();
  let done = 0;
  for (const [parameter, shape] of plan.shapes) {
    signal?.throwIfAborted();
    const weight = stored.find(plan, parameter, signal);
    const tensor = await keepStored?.(weight, device) ?? await widen(weight, device);
    parameters.set(parameter, tensor.keep());
    done += sizeOf(shape);
    onRead?.(done, total);
  }
  const network = plan.build(parameters);
  for (const adapter of ollamaAdapters(source)) {
    await loadLoraGguf(network, adapter);
    mergeLora(network);
  }
  setOrigin(network, source);
  const { name: named, source: from, commit } = source;
  await recordProvenance("model", { name: named, source: from, ...(commit && { commit }) });
  return { network, source };
}

/** A weight as float32. What kernels can widen goes to the device as it is stored: less to copy, and by all threads. */
async function widen(weight: StoredWeight, device: Device): Promise<Tensor> {
  using packed = weight.transposed ? undefined : await loadPacked("keep")(weight, device);
  if (packed) return dequantize(packed);
  return Tensor.from(device, await weight.values(), weight.shape);
}

/**
 * Saves a model in Hugging Face's layout, so that transformers and {@linkcode loadNetwork} read it.
 *
 * @param model The model.
 * @param directory Where to; made if it does not exist. Each file is written beside, then renamed.
 * @param options The type to store, F32 by default; metadata kept in the file.
 * @returns Length and hash of the weights' file.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Gpt2, loadNetwork, pick, saveNetwork } from "tunebook";
 *
 * const device = await pick({ device: "cpu" });
 * const network = Gpt2.create(device, {
 *   vocabularySize: 9, contextLength: 8, width: 4, layers: 1, heads: 2,
 * });
 * const directory = await Deno.makeTempDir();
 * await saveNetwork(network, directory);
 * const { network: again } = await loadNetwork(directory, { device });
 * assertEquals(again.vocabularySize, 9);
 * await Deno.remove(directory, { recursive: true });
 * device.close();
 * ```
 */
export async function saveNetwork(
  model: Network,
  directory: string,
  options: { dtype?: WritableDtype; metadata?: Record<string, string>; signal?: AbortSignal } = {},
): Promise<WrittenFile> {
  assertKnownOptions("save a network", options, { dtype: true, metadata: true, signal: true });
  const { dtype = "F32", metadata = {}, signal } = options;
  await Deno.mkdir(directory, { recursive: true });
  const entries = Array.from(model.parameters, ([name, tensor]) => ({
    name: name === "lm_head.weight" ? name : `${model.prefix}${name}`,
    shape: tensor.shape,
    dtype,
    data: () => tensor.data(),
  }));
  const written = await writeSafetensors(join(directory, "model.safetensors"), entries, {
    metadata: { format: "pt", ...metadata },
    signal,
  });
  const config = { ...model.toConfig(), torch_dtype: TORCH_NAMES[dtype] };
  const text = `${JSON.stringify(config, null, 2)}\n`;
  await writeFileBeside(join(directory, "config.json"), text);
  return written;
}

const TORCH_NAMES = { F32: "float32", F16: "float16", BF16: "bfloat16" } as const;
