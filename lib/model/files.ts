/**
 * Loading and saving models: directories in Hugging Face's layout (`config.json` and safetensors),
 * and GGUF files.
 *
 * @module
 */

import { join } from "@std/path/join";
import { isReported, recordProvenance } from "../provenance.ts";
import { dequantize, type Device, sizeOf, Tensor } from "../tensor/mod.ts";
import { partsOf } from "../tensor/parts.ts";
import { ollamaAdapters } from "../weights/resolved.ts";
import type { WritableDtype } from "../weights/dtype.ts";
import { resolveModel, type ResolveOptions } from "../weights/resolve.ts";
import type { ResolvedModel } from "../weights/resolved.ts";
import { writeSafetensors } from "../weights/safetensors/write.ts";
import type { WrittenFile } from "../weights/write_tensors.ts";
import { writeFileBeside } from "../write_beside.ts";
import { assertLayers, planModel } from "./architectures.ts";
import type { ModelPlan } from "./families/family.ts";
import type { FamilyTraits } from "./families/traits.ts";
import { loadLoraGguf } from "./gguf_adapter.ts";
import { mergeLora } from "./lora.ts";
import { assertNetwork, type Network } from "./model.ts";
import { setOrigin } from "./origin.ts";
import { configOf } from "./replaced_weights.ts";
import { loadPacked, type Quantization } from "./quantize.ts";
import { openStoredModel, type StoredModel, type StoredWeight } from "./stored_weights.ts";
import { assertKnownOptions, type OptionNames } from "../options.ts";
import { RESOLVE_OPTIONS } from "../weights/resolve.ts";
import { hashModel } from "../weights/hash_model.ts";

/** A loaded model and its files. */
export interface LoadedNetwork {
  /** The network. */
  readonly network: Network;
  /** Its files; the notice says what of them is not the model's. */
  readonly source: ResolvedModel;
}

/** Options of {@linkcode loadNetwork}. */
export interface LoadNetworkOptions extends ResolveOptions {
  /** The device that stores it. */
  readonly device: Device;
  /** Overrides the dropout of its configuration; 0 by default, as is usual in fine-tuning. */
  readonly dropout?: number;
  /** Called while weights are read, with the elements done and the total. */
  readonly onRead?: (done: number, total: number) => void;
  /** Stores matrices in less memory, where only adapters learn; by default they are float32 and learn. */
  readonly quantize?: Quantization;
}

const NAMES: OptionNames<LoadNetworkOptions> = {
  ...RESOLVE_OPTIONS,
  device: true,
  dropout: true,
  onRead: true,
  quantize: true,
};

/**
 * Loads a model: a GPT-2, Llama, Mistral, Gemma 1 or Gemma 3. Adapters of an Ollama model are added
 * to the weights; adapted weights are then float32, regardless of how the others are kept.
 *
 * @param name A directory, a GGUF file, `hf:owner/name`, or a short name; see `resolveModel`.
 * @param options Device, dropout, progress.
 * @returns The model and its files.
 * @throws {TypeError} If its architecture is not supported or a tensor has another shape than
 * expected.
 * @throws {RangeError} If one of its tensors is missing.
 * @throws {Deno.errors.NotFound} If the model does not exist.
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
  const { device, dropout, onRead, quantize, ...where } = options;
  const pack = quantize && loadPacked(quantize);
  const { signal } = where;
  const resolved = await resolveModel(name, where);
  using stored = await openStoredModel(resolved);
  const plan = planStored(stored, dropout);
  const total = [...plan.shapes.values()].reduce((sum, shape) => sum + sizeOf(shape), 0);
  const parameters = new Map<string, Tensor>();
  let done = 0;
  // All shapes are compared before the first tensor takes memory.
  const weights = Array.from(plan.shapes.keys(), (name) => stored.find(plan, name, signal));
  const source = withNotices(resolved, passedOver(plan, stored), unusedOf(stored, weights));
  for (const weight of weights) {
    signal?.throwIfAborted();
    const { parameter, shape } = weight;
    const tensor = await pack?.(weight, device) ?? await widen(weight, device);
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
  const sha256 = isReported() ? await hashModel(source, signal ? { signal } : {}) : undefined;
  await recordProvenance("model", {
    ...{ name: named, source: from },
    ...(commit && { commit }),
    ...(sha256 && { sha256 }),
  });
  return { network, source };
}

/** Says what a file holds that is not the model's. */
function unusedOf(stored: StoredModel, weights: readonly StoredWeight[]): string | undefined {
  const unused = stored.unusedBeside(new Set(weights.map(({ tensor }) => tensor)));
  if (unused.length === 0) return undefined;
  const named = unused.slice(0, 3).map((name) => `"${name}"`).join(", ");
  const more = unused.length > 3 ? ` and ${unused.length - 3} more` : "";
  return `Note: "${stored.path}" also holds ${named}${more}, which the model does not have: left out`;
}

/** Says which settings of a configuration change nothing. */
function passedOver(plan: ModelPlan, { path }: StoredModel): string | undefined {
  const { passedOver: keys, family: { title } } = plan;
  if (keys.length === 0) return undefined;
  const named = keys.map((key) => `"${key}"`).join(", ");
  return `Note: "${path}" has ${named}, which models of the family ${title} do not have: passed over`;
}

function withNotices(
  source: ResolvedModel,
  ...notices: readonly (string | undefined)[]
): ResolvedModel {
  const given = [source.notice, ...notices].filter((notice) => notice !== undefined);
  return given.length === 0 ? source : { ...source, notice: given.join("\n") };
}

/**
 * Refuses a model whose configuration cannot be that of its weights, before anything is made for it.
 *
 * @param source The model's files.
 * @throws {TypeError} If its architecture is not supported.
 * @throws {RangeError} If it claims more layers than there are tensors for.
 */
export async function assertPlausible(source: ResolvedModel): Promise<void> {
  using stored = await openStoredModel(source);
  planStored(stored);
}

function planStored({ config, path, tensors }: StoredModel, dropout?: number): ModelPlan {
  assertLayers(config, path, tensors, `than the file's ${tensors} tensors allow`);
  return planModel(config, path, dropout);
}

/**
 * A weight as float32. Types that kernels can widen are sent to the device unchanged: less to copy,
 * and widened by all threads. What bitsandbytes packed is not: it rounds to the type that was packed.
 */
async function widen(weight: StoredWeight, device: Device): Promise<Tensor> {
  const { transposed, type } = weight;
  const isSame = !transposed && type !== "NF4";
  using packed = isSame ? await loadPacked("stored")(weight, device) : undefined;
  if (packed) return dequantize(packed);
  return Tensor.from(device, await weight.values(), weight.shape);
}

/**
 * Saves a model in Hugging Face's layout, so that transformers and {@linkcode loadNetwork} read it.
 *
 * @param model The model.
 * @param directory The directory; created if it does not exist. Each file is written under a
 * temporary name, then renamed.
 * @param options The type to store, F32 by default; metadata for the file.
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
  assertNetwork("save weights", model);
  const { dtype = "F32", metadata = {}, signal } = options;
  await Deno.mkdir(directory, { recursive: true });
  const entries = Array.from(model.parameters, ([name, tensor]) => ({
    name: storedName(model.family, name),
    shape: tensor.shape,
    dtype,
    data: () => partsOf(tensor),
  }));
  const written = await writeSafetensors(join(directory, "model.safetensors"), entries, {
    metadata: { format: "pt", ...metadata },
    signal,
  });
  const config = { ...configOf(model), torch_dtype: TORCH_NAMES[dtype] };
  const text = `${JSON.stringify(config, null, 2)}\n`;
  await writeFileBeside(join(directory, "config.json"), text);
  return written;
}

/**
 * The name that a weight is written with in Hugging Face's layout. The head is outside of the model,
 * which the prefix names.
 *
 * @param family The model's family.
 * @param parameter The weight's name.
 * @returns The tensor's name.
 */
export function storedName({ head, prefixes }: FamilyTraits, parameter: string): string {
  return parameter === head ? parameter : `${prefixes[0]}${parameter}`;
}

const TORCH_NAMES = { F32: "float32", F16: "float16", BF16: "bfloat16" } as const;
