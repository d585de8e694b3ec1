/**
 * From a model's name to the model.
 *
 * @module
 */

import { assertPlausible, loadNetwork } from "../model/files.ts";
import { addLora, type LoraOptions } from "../model/lora.ts";
import { loadLora } from "../model/lora_files.ts";
import type { Quantization } from "../model/quantize.ts";
import { assertKnownOptions, type OptionNames } from "../options.ts";
import { stopSignal } from "../stop.ts";
import type { Device, DeviceKind } from "../tensor/device.ts";
import { type MatmulPrecision, parseDevice, pick } from "../tensor/pick.ts";
import { resolveModel, type ResolveOptions } from "../weights/resolve.ts";
import { findBase } from "./base.ts";
import { describeFound } from "./find_model.ts";
import { Model } from "./model.ts";
import { assertAsSaved } from "./record.ts";

/** How far loading is. */
export interface LoadProgress {
  /** What is being done. */
  readonly phase: "downloading" | "reading";
  /** The file, where one is downloaded. */
  readonly file?: string;
  /** Bytes downloaded, or weights read. */
  readonly done: number;
  /** Of so many, where that is known. */
  readonly total?: number;
}

/** Options of {@linkcode loadModel}; those of the hub apply where it is asked. */
export interface LoadModelOptions
  extends Omit<ResolveOptions, "weights" | "onProgress" | "signal"> {
  /**
   * The device: `"cpu"`, `"webgpu"`, `"auto"` for the faster one, or a `Device`. By default the value of
   * `TUNEBOOK_DEVICE`, otherwise `"auto"`.
   */
  readonly device?: Device | DeviceKind | "auto" | (string & Record<never, never>);
  /**
   * What the CPU rounds matrices to before it multiplies them: `"bfloat16"` is up to twice as fast where processor and
   * library multiply it. By default the value of `TUNEBOOK_MATMUL_PRECISION`, otherwise `"float32"`: nothing is rounded.
   */
  readonly matmulPrecision?: MatmulPrecision;
  /** Stores matrices in less memory, where only adapters learn; by default they are float32, and learn. */
  readonly quantize?: Quantization;
  /** Adds LoRA adapters, so that these learn and the weights do not: their settings, or `true` for the defaults. */
  readonly lora?: LoraOptions | boolean;
  /** The directory of a saved adapter to put beside the model. A name that is an adapter's directory needs none. */
  readonly adapter?: string;
  /** Probability of dropping elements in training. 0 by default. */
  readonly dropout?: number;
  /** Stops it: the call rejects with the signal's reason. By default the stop button of a notebook. */
  readonly signal?: AbortSignal;
  /** Called as files are downloaded and weights are read. */
  readonly onProgress?: (progress: LoadProgress) => void;
}

const NAMES: OptionNames<LoadModelOptions> = {
  device: true,
  matmulPrecision: true,
  quantize: true,
  lora: true,
  adapter: true,
  dropout: true,
  signal: true,
  onProgress: true,
  ollamaStores: true,
  endpoint: true,
  cacheDirectory: true,
  token: true,
  offline: true,
  retries: true,
  retryDelay: true,
  timeout: true,
};

/**
 * Loads a model: its network, tokenizer, prompt format, adapters, device and provenance.
 *
 * The prompt format is the one that `taught.json` records, otherwise the model's chat template, otherwise Alpaca's prompt.
 *
 * @param name `"nano"` (the model that comes with Tunebook), a short name such as `"smollm2-135m-instruct"`,
 * `"hf:owner/name"`, `"ollama:name"`, a directory, a GGUF file, or the directory of an adapter, which names its base.
 * @param options Device, adapters and quantisation.
 * @returns The model, ready to answer and to learn.
 * @throws {TypeError} If its architecture or a file's contents are not what is expected, an option is unknown, or
 * products in bfloat16 are asked for that this machine does not have.
 * @throws {RangeError} If a weight is missing or the name is malformed.
 * @throws {Deno.errors.NotFound} If there is no such model.
 *
 * @example From a name to an answer
 * ```ts
 * import { assert } from "@std/assert";
 * import { loadModel } from "tunebook";
 *
 * const model = await loadModel("nano", { device: "cpu" });
 * const answer = await model.answer("What is the plural of fox?", { maxNewTokens: 8 });
 * assert(typeof answer === "string");
 * ```
 */
export async function loadModel(name: string, options: LoadModelOptions = {}): Promise<Model> {
  assertKnownOptions("load a model", options, NAMES);
  assertName(name);
  const { device: wanted, matmulPrecision, quantize, lora, adapter, dropout, onProgress, ...rest } =
    options;
  const { signal = stopSignal() } = options;
  const resolving: ResolveOptions = {
    ...rest,
    ...(signal && { signal }),
    onProgress: ({ file, received, total }) =>
      onProgress?.({ phase: "downloading", file, done: received, total }),
  };
  const { base, adapter: beside } = await findBase(name, adapter);
  const source = await resolveModel(base, resolving);
  // A stranger's configuration is checked before anything else is read.
  await assertPlausible(source);
  const found = await describeFound(source, beside);
  if (source.kind === "directory") {
    await assertAsSaved(source.directory, "model.safetensors", signal);
  }
  if (beside !== undefined) await assertAsSaved(beside, "adapter_model.safetensors", signal);
  const device = await openDevice(wanted, matmulPrecision);
  const { network, source: { notice } } = await loadNetwork(found.source.spec, {
    ...resolving,
    device,
    dropout,
    quantize,
    onRead: (done, total) => onProgress?.({ phase: "reading", done, total }),
  });
  if (found.adapter !== undefined) await loadLora(network, found.adapter);
  if (lora) addLora(network, lora === true ? {} : lora);
  return new Model(
    network,
    notice === undefined ? found : { ...found, source: { ...found.source, notice } },
  );
}

function assertName(name: string): void {
  if (typeof name === "string") return;
  throw new TypeError(
    `Cannot load a model with the name ${JSON.stringify(name)}: expected a string`,
  );
}

/** The device that an option names, with a precision. */
async function openDevice(
  device: LoadModelOptions["device"],
  matmulPrecision?: MatmulPrecision,
): Promise<Device> {
  if (typeof device === "object") {
    if (matmulPrecision === undefined) return device;
    throw new TypeError(
      'Cannot set "matmulPrecision" of a device that is open: expected it where "pick" opens the device',
    );
  }
  return await pick({
    device: device === undefined ? undefined : parseDevice(device),
    matmulPrecision,
  });
}
