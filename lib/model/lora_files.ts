/**
 * Loading and saving LoRA adapters in PEFT's layout: `adapter_config.json` and
 * `adapter_model.safetensors`.
 *
 * @module
 */

import { join } from "@std/path";
import { nameBase } from "../weights/base.ts";
import {
  openSafetensors,
  type WritableDtype,
  writeSafetensors,
  type WrittenFile,
} from "../weights/mod.ts";
import { writeFileBeside } from "../write_beside.ts";
import type { Linear } from "./linear.ts";
import { LoraAdapter, type LoraSettings } from "./lora.ts";
import { attachPairs, type StoredPair } from "./lora_pairs.ts";
import { assertNetwork, type Network } from "./model.ts";
import { originOf } from "./origin.ts";
import { freeze } from "./trainable.ts";
import { assertKnownOptions } from "../options.ts";

const CONFIG = "adapter_config.json";
const WEIGHTS = "adapter_model.safetensors";

/** An adapter's configuration. */
export interface AdapterConfig {
  /** Rank, alpha, dropout. */
  readonly settings: LoraSettings;
  /** The model that it was trained on, if recorded. */
  readonly base?: string;
  /** The revision of that model on the hub, if recorded. */
  readonly revision?: string;
}

/**
 * Saves a model's adapters in the form that PEFT and {@linkcode loadLora} read. The model itself is
 * not written.
 *
 * @param model The adapted model.
 * @param directory The directory; created if it does not exist. Each file is written under a
 * temporary name, then renamed.
 * @param options The base's name or directory and its revision on the hub, for the configuration,
 * by default those of the model's files; the type to store, F32 by default.
 * @returns Length and hash of the weights' file.
 * @throws {TypeError} If the model has no adapter, or adapters with different settings.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { addLora, Gpt2, pick } from "tunebook";
 * import { loadLora, removeLora, saveLora } from "tunebook/model";
 *
 * const device = await pick({ device: "cpu" });
 * const network = Gpt2.create(device, {
 *   vocabularySize: 9, contextLength: 8, width: 4, layers: 1, heads: 2,
 * });
 * const directory = await Deno.makeTempDir();
 * addLora(network, { rank: 2 });
 * await saveLora(network, directory, { base: "openai-community/gpt2" });
 * removeLora(network);
 * const { base, settings } = await loadLora(network, directory);
 * assertEquals([base, settings.rank], ["openai-community/gpt2", 2]);
 * await Deno.remove(directory, { recursive: true });
 * device.close();
 * ```
 */
export async function saveLora(
  model: Network,
  directory: string,
  options: { base?: string; revision?: string; dtype?: WritableDtype; signal?: AbortSignal } = {},
): Promise<WrittenFile> {
  assertKnownOptions("save an adapter", options, {
    base: true,
    revision: true,
    dtype: true,
    signal: true,
  });
  assertNetwork("save an adapter", model);
  const { dtype, signal } = options;
  const origin = originOf(model);
  const { base, revision } = options.base !== undefined || !origin ? options : nameBase(origin);
  const adapted = adaptedLinears(model);
  if (adapted.length === 0) throw new TypeError("Cannot save an adapter: the model has none");
  const { settings } = adapted[0].adapter;
  if (adapted.some(({ adapter }) => adapter.settings !== settings)) {
    throw new TypeError("Cannot save adapters that were added with different settings as one");
  }
  await Deno.mkdir(directory, { recursive: true });
  const prefix = `base_model.model.${model.prefix}`;
  const entries = adapted.flatMap(({ linear, adapter }) =>
    Array.from(adapter.parameters, ([part, tensor]) => ({
      name: `${prefix}${linear.name}.${part}`,
      shape: tensor.shape,
      dtype,
      data: () => tensor.data(),
    }))
  );
  const written = await writeSafetensors(join(directory, WEIGHTS), entries, { signal });
  const config = {
    peft_type: "LORA",
    task_type: "CAUSAL_LM",
    base_model_name_or_path: base ?? null,
    revision: revision ?? null,
    r: settings.rank,
    lora_alpha: settings.alpha,
    lora_dropout: settings.dropout,
    use_rslora: settings.rsLora,
    target_modules: targetModules(model, adapted.map(({ linear }) => linear)),
    fan_in_fan_out: adapted[0].linear.layout === "in-out",
    bias: "none",
    init_lora_weights: true,
    inference_mode: true,
  };
  const text = `${JSON.stringify(config, null, 2)}\n`;
  await writeFileBeside(join(directory, CONFIG), text);
  return written;
}

/**
 * Adds saved adapters to a model's layers and freezes the model, to use it or to train it further.
 *
 * @param model The base, changed in place.
 * @param directory A directory by {@linkcode saveLora} or PEFT.
 * @returns Its configuration.
 * @throws {TypeError} If it is another kind of adapter, or does not fit the model.
 * @throws {SyntaxError} If a file is damaged.
 * @throws {Deno.errors.NotFound} If a file is missing.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { addLora, Gpt2, pick } from "tunebook";
 * import { loadLora, removeLora, saveLora } from "tunebook/model";
 *
 * const device = await pick({ device: "cpu" });
 * const network = Gpt2.create(device, {
 *   vocabularySize: 9, contextLength: 8, width: 4, layers: 1, heads: 2,
 * });
 * const directory = await Deno.makeTempDir();
 * addLora(network, { rank: 2 });
 * await saveLora(network, directory, { base: "openai-community/gpt2" });
 * removeLora(network);
 * const { base, settings } = await loadLora(network, directory);
 * assertEquals([base, settings.rank], ["openai-community/gpt2", 2]);
 * await Deno.remove(directory, { recursive: true });
 * device.close();
 * ```
 */
export async function loadLora(model: Network, directory: string): Promise<AdapterConfig> {
  assertNetwork("load an adapter", model);
  const config = await readAdapterConfig(directory);
  using file = await openSafetensors(join(directory, WEIGHTS));
  const cannot = `Cannot load the adapter "${directory}"`;
  const pairs = new Map<Linear, StoredPair>();
  for (const name of file.tensors.keys()) {
    const match = /^(?:base_model\.model\.)?(.+)\.lora_([AB])\.(?:default\.)?weight$/.exec(name);
    const linear = match && findLinear(model, match[1]);
    if (!match || !linear) {
      throw new TypeError(`${cannot}: "${name}" belongs to no linear layer of the model`);
    }
    const matrix = { shape: file.info(name).shape, read: () => file.read(name) };
    pairs.set(linear, { ...pairs.get(linear), [match[2] === "A" ? "a" : "b"]: matrix });
  }
  await attachPairs(model, pairs, () => config.settings, cannot);
  freeze(model);
  return config;
}

/**
 * Reads an adapter's configuration.
 *
 * @param directory The adapter's directory.
 * @returns Settings, and the base's name.
 * @throws {TypeError} If it is not a LoRA adapter, or of a kind that is not supported.
 * @throws {SyntaxError} If it is not JSON.
 * @throws {Deno.errors.NotFound} If there is no `adapter_config.json`.
 */
export async function readAdapterConfig(directory: string): Promise<AdapterConfig> {
  const path = join(directory, CONFIG);
  const cannot = `Cannot load the adapter "${directory}"`;
  let json: Record<string, unknown>;
  try {
    json = JSON.parse(await Deno.readTextFile(path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      throw new Deno.errors.NotFound(`${cannot}: it has no "${CONFIG}"`);
    }
    throw new SyntaxError(`Cannot read "${path}" as JSON: ${(error as Error).message}`);
  }
  if (json?.peft_type !== "LORA") {
    const type = JSON.stringify(json?.peft_type) ?? "not there";
    throw new TypeError(`${cannot}: its "peft_type" is ${type}, expected "LORA"`);
  }
  assertSupported(json, cannot);
  const number = (key: string, valid: (value: number) => boolean, expected: string): number => {
    const value = json[key];
    if (typeof value === "number" && valid(value)) return value;
    throw new TypeError(`${cannot}: "${key}" is ${JSON.stringify(value)}, expected ${expected}`);
  };
  const { base_model_name_or_path: base, revision } = json;
  return {
    settings: {
      rank: number("r", (r) => Number.isInteger(r) && r > 0, "a positive integer"),
      alpha: number("lora_alpha", (alpha) => alpha > 0, "a number above 0"),
      dropout: number("lora_dropout", (p) => p >= 0 && p < 1, "a number from 0 to below 1"),
      rsLora: json.use_rslora === true,
    },
    ...(typeof base === "string" && { base }),
    ...(typeof revision === "string" && { revision }),
  };
}

/**
 * Whether a directory holds an adapter rather than a model.
 *
 * @param path A path, which need not exist.
 * @returns Whether there is an `adapter_config.json` in it.
 */
export async function isAdapter(path: string): Promise<boolean> {
  return (await Deno.stat(join(path, CONFIG)).catch(() => undefined))?.isFile ?? false;
}

/** PEFT's initializations that do not change the base's weights. */
const BEGINNINGS: readonly unknown[] = [true, false, "gaussian", "eva", "orthogonal", "mica"];

/** Refuses settings that would change the result and are not supported. */
function assertSupported(json: Record<string, unknown>, cannot: string): void {
  const isEmpty = (value: unknown) =>
    value === undefined || value === null || value === false || value === "none" ||
    (typeof value === "object" && Object.keys(value).length === 0);
  const features = [
    "use_dora",
    "use_qalora",
    "use_bdlora",
    "bias",
    "lora_bias",
    "modules_to_save",
    "rank_pattern",
    "alpha_pattern",
    "layer_replication",
    "target_parameters",
    "trainable_token_indices",
    "alora_invocation_tokens",
    "arrow_config",
  ];
  const { init_lora_weights: init } = json;
  if (init != null && !BEGINNINGS.includes(init)) {
    // For other initializations PEFT subtracts the initial adapter from the base's weights, again
    // at each load.
    const [found, ...expected] = [init, ...BEGINNINGS].map((value) => JSON.stringify(value));
    throw new TypeError(
      `${cannot}: "init_lora_weights" is ${found}, for which PEFT changes the base's weights, ` +
        `expected one of ${expected.join(", ")}; PEFT converts most others as it saves them, ` +
        'given "path_initial_model_for_weight_conversion"',
    );
  }
  const feature = features.find((key) => !isEmpty(json[key]));
  if (feature) {
    throw new TypeError(
      `${cannot}: "${feature}" is ${JSON.stringify(json[feature])}, which is not supported`,
    );
  }
}

function adaptedLinears(model: Network): { linear: Linear; adapter: LoraAdapter }[] {
  return [...model.linears.values()].flatMap((linear) =>
    linear.adapter instanceof LoraAdapter ? [{ linear, adapter: linear.adapter }] : []
  );
}

function findLinear(model: Network, module: string): Linear | undefined {
  const { prefix } = model;
  const name = module.startsWith(prefix) ? module.slice(prefix.length) : module;
  return model.linears.get(name);
}

/**
 * The adapted layers' names as suffixes, as PEFT matches them: without the block's number if that
 * selects the same layers.
 */
function targetModules(model: Network, adapted: readonly Linear[]): string[] {
  const chosen = new Set(adapted.map(({ name }) => name));
  const short = new Set(adapted.map(({ name }) => name.replace(/^.*?\.\d+\./, "")));
  const chooses = (name: string) => [...short].some((end) => `.${name}`.endsWith(`.${end}`));
  const isSame = [...model.linears.keys()].every((name) => chooses(name) === chosen.has(name));
  return isSame ? [...short] : [...chosen].map((name) => `${model.prefix}${name}`);
}
