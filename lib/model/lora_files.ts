/**
 * Loading and saving LoRA adapters in PEFT's layout: `adapter_config.json` and
 * `adapter_model.safetensors`.
 *
 * @module
 */

import { join } from "@std/path/join";
import { nameBase } from "../weights/base.ts";
import type { WritableDtype } from "../weights/dtype.ts";
import { writeSafetensors } from "../weights/safetensors/write.ts";
import type { WrittenFile } from "../weights/write_tensors.ts";
import { openWeights } from "../weights/open.ts";
import { writeFileBeside } from "../write_beside.ts";
import type { Linear } from "./linear.ts";
import { LoraAdapter, type LoraSettings } from "./lora.ts";
import { attachPairs } from "./lora_pairs.ts";
import { replaceByTensors, sortTensors } from "./lora_tensors.ts";
import { assertNetwork, type Network } from "./model.ts";
import { originOf } from "./origin.ts";
import { replacedWeights, restoreWeights } from "./replaced_weights.ts";
import { freeze } from "./trainable.ts";
import { assertKnownOptions } from "../options.ts";

const CONFIG = "adapter_config.json";
const WEIGHTS = "adapter_model.safetensors";
/** PEFT's older form. */
const STATE_DICT = "adapter_model.bin";

/** An adapter's configuration. */
export interface AdapterConfig {
  /** Rank, alpha, dropout. */
  readonly settings: LoraSettings;
  /** The settings of a layer, by its name in Hugging Face's files without `.weight`. */
  readonly settingsOf: (module: string) => LoraSettings;
  /** Whether it is DoRA, which has a magnitude for each output. */
  readonly isDora: boolean;
  /** Whether a layer, by its name in Hugging Face's files without `.weight`, has an adapter. */
  readonly isTarget: (module: string) => boolean;
  /** Modules that were trained as a whole and saved beside the adapter. */
  readonly saved: readonly string[];
  /** Whether the head stays the token embedding where that is one of them. */
  readonly keepsTied: boolean;
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
  if (adapted.length === 0) {
    const parts = replacedWeights(model).length;
    throw new TypeError(
      "Cannot save an adapter: the model has none" +
        (parts > 0
          ? ` beside its weights, of which ${parts} were replaced: merge and save it`
          : ""),
    );
  }
  const { settings } = adapted[0].adapter;
  const differing = adapted.filter(({ adapter }) => adapter.settings !== settings);
  const { dropout, rsLora } = settings;
  if (
    differing.some(({ adapter: { settings } }) =>
      settings.dropout !== dropout || settings.rsLora !== rsLora
    )
  ) {
    throw new TypeError("Cannot save adapters that were added with different settings as one");
  }
  const patternOf = (key: "rank" | "alpha") =>
    Object.fromEntries(
      differing.map(({ linear, adapter }) => [
        RegExp.escape(`${model.prefix}${linear.name}`),
        adapter.settings[key],
      ]),
    );
  const replaced = replacedWeights(model);
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
  const saved = replaced.map((name) => {
    const tensor = model.parameters.get(name)!;
    const own = name === model.family.head ? "base_model.model." : prefix;
    // PEFT keeps the bias of an adapted layer with the layer that it wraps.
    const isWrapped = model.linears.get(moduleOf(name))?.adapter !== undefined;
    const stored = isWrapped ? `${moduleOf(name)}.base_layer.bias` : name;
    return { name: `${own}${stored}`, shape: tensor.shape, dtype, data: () => tensor.data() };
  });
  const written = await writeSafetensors(join(directory, WEIGHTS), [...entries, ...saved], {
    signal,
  });
  // A bias whose weight is the base's own was trained as "bias" says.
  const modules = new Set(replaced.filter((name) => name.endsWith(".weight")).map(moduleOf));
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
    ...(differing.length > 0 &&
      { rank_pattern: patternOf("rank"), alpha_pattern: patternOf("alpha") }),
    ...(modules.size > 0 && { modules_to_save: [...modules] }),
    bias: replaced.some((name) => !modules.has(moduleOf(name))) ? "all" : "none",
    init_lora_weights: true,
    inference_mode: true,
  };
  const text = `${JSON.stringify(config, null, 2)}\n`;
  await writeFileBeside(join(directory, CONFIG), text);
  return written;
}

/**
 * Adds saved adapters to a model's layers and freezes the model, to use it or to train it further. Weights that were
 * trained as a whole (`modules_to_save`, embeddings saved beside), DoRA, and adapters of embeddings and heads become part of
 * the weights: they are honoured and saved again, and learn no more.
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
  using file = await openWeights(await findAdapterWeights(directory));
  const cannot = `Cannot load the adapter "${directory}"`;
  const { pairs, others } = sortTensors(model, file, cannot);
  assertSaved(model, config, others.keys(), cannot);
  const { head } = model.family;
  const beside = [...others].filter(([, { a, b }]) => a !== undefined || b !== undefined)
    .map(([parameter]) => moduleOf(parameter === head ? head : `${model.prefix}${parameter}`));
  const plain = Array.from(pairs.keys(), ({ name }) => `${model.prefix}${name}`);
  assertTargets(config, [...plain, ...beside], cannot);
  const measured = [...others].find(([, { magnitude }]) => magnitude !== undefined)?.[0];
  if (!config.isDora && measured !== undefined) {
    throw new TypeError(
      `${cannot}: the file has magnitudes for "${measured}", as DoRA has, and its "use_dora" is not true`,
    );
  }
  const [unmeasured] = pairs.keys();
  if (config.isDora && unmeasured !== undefined) {
    throw new TypeError(
      `${cannot}: its "use_dora" is true, and the file has no magnitudes for "${unmeasured.name}"`,
    );
  }
  await replaceByTensors(
    model,
    others,
    (parameter) => config.settingsOf(`${model.prefix}${parameter.replace(/\.weight$/, "")}`),
    (parameter) =>
      !config.keepsTied && config.saved.some((module) => isIn(model, parameter, module)),
    cannot,
  );
  if (pairs.size > 0 || others.size === 0) {
    const settingsOf = (_rank: number, { name }: Linear) =>
      config.settingsOf(`${model.prefix}${name}`);
    try {
      await attachPairs(model, pairs, settingsOf, cannot);
    } catch (error) {
      restoreWeights(model);
      throw error;
    }
  }
  freeze(model);
  return config;
}

/** The module of a weight or bias. */
function moduleOf(parameter: string): string {
  return parameter.replace(/\.(weight|bias)$/, "");
}

/** The adapter's weights, in the order in which PEFT looks for them. */
async function findAdapterWeights(directory: string): Promise<string> {
  for (const name of [WEIGHTS, STATE_DICT]) {
    const path = join(directory, name);
    if ((await Deno.stat(path).catch(() => undefined))?.isFile) return path;
  }
  return join(directory, WEIGHTS);
}

/** Whether a weight is in a module, or in one that has such a name as the end of its own, as PEFT matches them. */
function isIn({ prefix }: Network, parameter: string, module: string): boolean {
  return `.${prefix}${parameter}`.includes(`.${module}.`);
}

/** Refuses a file without a weight that the configuration says was saved. */
function assertSaved(
  model: Network,
  { saved }: AdapterConfig,
  found: Iterable<string>,
  cannot: string,
): void {
  const parameters = [...found];
  for (const module of saved) {
    if (parameters.some((parameter) => isIn(model, parameter, module))) continue;
    throw new TypeError(
      `${cannot}: its "modules_to_save" names "${module}", of which the file has no weights`,
    );
  }
}

/** Refuses a file with adapters of layers that the configuration does not name, which PEFT would pass over. */
function assertTargets(
  { isTarget }: AdapterConfig,
  found: readonly string[],
  cannot: string,
): void {
  for (const name of found) {
    if (isTarget(name)) continue;
    throw new TypeError(
      `${cannot}: the file has an adapter of "${name}", which its "target_modules" does not name, or "exclude_modules" takes out`,
    );
  }
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
    throw new TypeError(`${cannot}: its "peft_type" is ${type}, expected "LORA"; ${OTHERWISE}`);
  }
  assertSupported(json, cannot);
  const number = (
    key: string,
    otherwise: number,
    valid: (value: number) => boolean,
    expected: string,
  ): number => {
    const value = json[key] === undefined ? otherwise : json[key];
    if (typeof value === "number" && valid(value)) return value;
    throw new TypeError(`${cannot}: "${key}" is ${JSON.stringify(value)}, expected ${expected}`);
  };
  const { base_model_name_or_path: base, revision, modules_to_save: saved } = json;
  if (saved != null && !(Array.isArray(saved) && saved.every((one) => typeof one === "string"))) {
    throw new TypeError(`${cannot}: "modules_to_save" is ${JSON.stringify(saved)}, expected names`);
  }
  const settings = {
    rank: number("r", 8, (r) => Number.isInteger(r) && r > 0, "a positive integer"),
    alpha: number("lora_alpha", 8, (alpha) => alpha > 0, "a number above 0"),
    dropout: number("lora_dropout", 0, (p) => p >= 0 && p < 1, "a number from 0 to below 1"),
    rsLora: json.use_rslora === true,
  };
  const rankOf = readPatterns(json, "rank_pattern", cannot);
  const alphaOf = readPatterns(json, "alpha_pattern", cannot);
  const known = new Map<string, LoraSettings>(); // layers with the same numbers share their settings
  return {
    settings,
    settingsOf(module) {
      const [rank, alpha] = [rankOf(module) ?? settings.rank, alphaOf(module) ?? settings.alpha];
      if (rank === settings.rank && alpha === settings.alpha) return settings;
      const own = known.get(`${rank} ${alpha}`) ?? { ...settings, rank, alpha };
      known.set(`${rank} ${alpha}`, own);
      return own;
    },
    isDora: json.use_dora === true,
    isTarget: readTargets(json, cannot),
    keepsTied: json.ensure_weight_tying === true,
    saved: saved as string[] ?? [],
    ...(typeof base === "string" && { base }),
    ...(typeof revision === "string" && { revision }),
  };
}

/** Which layers have adapters, as PEFT finds them (`check_target_module_exists`); all where the configuration names none. */
function readTargets(
  json: Record<string, unknown>,
  cannot: string,
): (module: string) => boolean {
  const isTarget = readTargetModules(json, cannot);
  const isExcluded = readExcluded(json, cannot);
  return (module) => isTarget(module) && !isExcluded(module);
}

/** Which layers "exclude_modules" takes out. */
function readExcluded(
  { exclude_modules: excluded }: Record<string, unknown>,
  cannot: string,
): (module: string) => boolean {
  if (excluded == null || excluded === "") return () => false;
  if (typeof excluded === "string") return readPattern(excluded, "^", "exclude_modules", cannot);
  if (!(Array.isArray(excluded) && excluded.every((one) => typeof one === "string"))) {
    throw new TypeError(
      `${cannot}: "exclude_modules" is ${JSON.stringify(excluded)}, expected names or a pattern`,
    );
  }
  return (module) => excluded.some((one) => `.${module}`.endsWith(`.${one}`));
}

function readTargetModules(
  json: Record<string, unknown>,
  cannot: string,
): (module: string) => boolean {
  const { target_modules: targets, layers_to_transform: layers, layers_pattern: pattern } = json;
  const isList = Array.isArray(targets) && targets.every((one) => typeof one === "string");
  if (targets == null || targets === "all-linear") return () => true;
  if (!isList && typeof targets !== "string") {
    throw new TypeError(
      `${cannot}: "target_modules" is ${JSON.stringify(targets)}, expected names or a pattern`,
    );
  }
  if (!isList) return readPattern(targets, "^", "target_modules", cannot);
  const isNamed = (module: string) => targets.some((one) => `.${module}`.endsWith(`.${one}`));
  if (layers == null || [layers].flat().length === 0) return isNamed;
  const places = [pattern ?? []].flat().filter((one) => one !== "");
  const numbers = (places.length > 0 ? places : ["[^.]*"]).map((place) =>
    new RegExp(`^(?:.*?\\.)?${place}\\.(\\d+)\\.`)
  );
  return (module) => {
    if (targets.includes(module)) return true;
    const found = numbers.map((number) => number.exec(module)?.[1]).find((one) => one);
    return isNamed(module) && found !== undefined && [layers].flat().includes(Number(found));
  };
}

/** A pattern that a whole name matches, after a beginning. */
function readPattern(
  pattern: string,
  beginning: string,
  key: string,
  cannot: string,
): (name: string) => boolean {
  try {
    const regex = new RegExp(`${beginning}(?:${pattern})$`, "u");
    return (name) => regex.test(name);
  } catch (cause) {
    throw new TypeError(`${cannot}: "${key}" has the pattern "${pattern}", which cannot be read`, {
      cause,
    });
  }
}

/**
 * Numbers of single layers, by patterns that PEFT matches with the end of a layer's name
 * (`get_pattern_key`); the first counts.
 */
function readPatterns(
  json: Record<string, unknown>,
  key: "rank_pattern" | "alpha_pattern",
  cannot: string,
): (module: string) => number | undefined {
  const patterns = Object.entries(json[key] ?? {}).map(([pattern, value]) => {
    if (typeof value !== "number" || !(value > 0 && value < Infinity)) {
      throw new TypeError(
        `${cannot}: "${key}" has ${
          JSON.stringify(value)
        } for "${pattern}", expected a positive number`,
      );
    }
    return { matches: readPattern(pattern, String.raw`^(?:.*\.)?`, key, cannot), value };
  });
  return (module) => patterns.find(({ matches }) => matches(module))?.value;
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

/** What to do about an adapter that is not read. */
const OTHERWISE =
  "PEFT merges most kinds of adapters into their models with merge_and_unload(), and that can be loaded";

/** PEFT's initializations that do not change the base's weights. */
const BEGINNINGS: readonly unknown[] = [true, false, "gaussian", "eva", "orthogonal", "mica"];

/** Refuses settings that would change the result and are not supported. */
function assertSupported(json: Record<string, unknown>, cannot: string): void {
  const isEmpty = (value: unknown) =>
    value === undefined || value === null || value === false || value === "none" ||
    (typeof value === "object" && Object.keys(value).length === 0);
  const known = ["use_rslora", "use_dora"];
  const features = [
    ...Object.keys(json).filter((key) => key.startsWith("use_") && !known.includes(key)),
    "lora_bias",
    "layer_replication",
    "target_parameters",
    "trainable_token_indices",
    "alora_invocation_tokens",
    "arrow_config",
    "kasa_config",
    "monteclora_config",
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
      `${cannot}: "${feature}" is ${
        JSON.stringify(json[feature])
      }, which is not supported; ${OTHERWISE}`,
    );
  }
}

function adaptedLinears(model: Network): { linear: Linear; adapter: LoraAdapter }[] {
  return [...model.linears.values()].flatMap((linear) =>
    linear.adapter instanceof LoraAdapter ? [{ linear, adapter: linear.adapter }] : []
  );
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
