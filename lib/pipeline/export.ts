/**
 * A model for other programs: a GGUF file, a model in Ollama, an ONNX file, a folder in Hugging Face's layout.
 *
 * @module
 */

import { makeOwnTempDir } from "../own_temp.ts";
import { join } from "@std/path/join";
import { resolve } from "@std/path/resolve";
import type { EntryFormat } from "../dataset/mod.ts";
import { planModel } from "../model/architectures.ts";
import { exportLoraGguf } from "../model/gguf_adapter.ts";
import { exportGguf, type ExportType } from "../model/gguf_export.ts";
import { mergedCopy } from "../model/lora.ts";
import type { Network } from "../model/model.ts";
import { exportOnnx } from "../model/onnx/export.ts";
import { configOf } from "../model/replaced_weights.ts";
import { openStoredModel } from "../model/stored_weights.ts";
import { assertKnownOptions, type OptionNames } from "../options.ts";
import { stopSignal } from "../stop.ts";
import {
  alpaca,
  ChatTemplate,
  chatTemplateOf,
  chatToOllama,
  formatToOllama,
  type OllamaPrompt,
  type Tokenizer,
  tokenizerToGguf,
} from "../text/mod.ts";
import {
  createOllamaModel,
  type GgufMetadata,
  type ResolvedModel,
  writeStateDict,
  type WrittenFile,
} from "../weights/mod.ts";
import { OLLAMA_QUANTIZATIONS, type OllamaQuantization } from "../weights/ollama_quantization.ts";
import { ollamaAdapters } from "../weights/resolved.ts";
import { assertWritable } from "../weights/dtype.ts";
import type { FoundModel } from "./find_model.ts";
import { formatFor, type FormatName, toChatTemplate } from "./format.ts";
import type { Taught } from "./record.ts";
import { type ExportProof, proveModel, proveOnnx, proveStateDict } from "./proof.ts";
import { STATE_DICT_NAMES, type StateDictNames, stateDictOf } from "./state_dict.ts";
import type { SavedModel, SaveOptions, WriteNetwork } from "./save.ts";

/** Options of {@linkcode Model.export}. */
export interface ExportOptions {
  /**
   * How matrices are stored: BF16 only in a folder of safetensors or a `.pth` file, Q8_0 only in GGUF. F16 by default in
   * GGUF, F32 elsewhere.
   */
  readonly type?: ExportType | "BF16";
  /** Whether adapters become part of the weights. False by default: they go beside these, where the target can. */
  readonly merge?: boolean;
  /** How the target writes prompts; as the model was taught by default. */
  readonly format?: FormatName | EntryFormat;
  /** Whose names the weights of a `.pth` file have. `"transformers"` by default. */
  readonly names?: StateDictNames;
  /** How Ollama quantises a whole model as it makes it. Not by default. */
  readonly ollamaQuantize?: OllamaQuantization;
  /** Where Ollama runs; by default what `OLLAMA_HOST` says. */
  readonly host?: string;
  /** Whether another run's model may be replaced, in a folder. False by default. */
  readonly overwrite?: boolean;
  /** Stops it: the call rejects with the signal's reason. By default the stop button of a notebook. */
  readonly signal?: AbortSignal;
  /** Called as bytes are written or sent with those done so far and those in all. */
  readonly onProgress?: (done: number, total: number) => void;
}

const NAMES: OptionNames<ExportOptions> = {
  type: true,
  merge: true,
  format: true,
  names: true,
  ollamaQuantize: true,
  host: true,
  overwrite: true,
  signal: true,
  onProgress: true,
};

/** What is exported: a model in memory, or its files. */
export interface Exporting {
  /** The base's files. */
  readonly source: ResolvedModel;
  readonly tokenizer: Tokenizer;
  /** The model in memory; without it the files are read one tensor at a time. */
  readonly network?: Network;
  /** How prompts are to be written, where that is known. */
  readonly format?: EntryFormat;
}

/** What was exported. */
export interface Exported {
  /** How what was written was found to be the model; undefined for an adapter by itself. */
  readonly proof?: ExportProof;
  /** Bytes of the file with the weights, or with the adapter where that goes by itself. */
  readonly bytes: number;
  /** Notices for the user, if the other program computes differently. */
  readonly notices: readonly string[];
}

/** Greedy, as answers are by default, so that Ollama's answers are the same as here. */
const GREEDY = { temperature: 0, repeat_penalty: 1 };

/** How folders are written. */
interface Folders {
  readonly save: (
    directory: string,
    options: SaveOptions,
    write?: WriteNetwork,
  ) => Promise<SavedModel>;
}

/**
 * Exports a model to a target by its name; see {@linkcode Model.export}.
 *
 * @param exporting The model.
 * @param target `ollama:NAME`, a `.gguf` file (`gguf:PATH` for other names), a `.pth` file, `onnx:FOLDER`, or a folder.
 * @param options How.
 * @param folders How a folder is written.
 */
export async function exportModel(
  exporting: Exporting,
  target: string,
  options: ExportOptions,
  folders: Folders,
): Promise<Exported> {
  assertKnownOptions("export", options, NAMES);
  assertTarget(target);
  assertWritable("export weights", options.type, ["F32", "F16", "BF16", "Q8_0"]);
  const { type, overwrite, signal = stopSignal() } = options;
  const how = { ...options, ...(signal && { signal }) };
  assertMergeable(exporting, options, target);
  assertQuantizable(exporting, options, target);
  const merge = options.merge ?? false;
  if (target.startsWith("ollama:")) {
    const { bytes, proof } = await toOllama(exporting, target.slice("ollama:".length), how);
    const notices = await noticesFor(exporting);
    return {
      bytes,
      notices: [...notices, ...quantizedNotice(options)],
      ...(proof && { proof }),
    };
  }
  const file = /^gguf:(.+)$/.exec(target)?.[1] ?? (/\.gguf$/i.test(target) ? target : undefined);
  if (file !== undefined) {
    const { bytes, proof } = await toGgufFile(exporting, file, how);
    return { bytes, notices: await noticesFor(exporting), ...(proof && { proof }) };
  }
  if (/\.pth$/i.test(target)) return await toStateDict(exporting, target, how);
  const onnx = /^onnx:(.+)$/.exec(target)?.[1];
  if (onnx !== undefined) return await toOnnx(exporting, onnx, how, folders);
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
  const { bytes, notices } = await folders.save(target, {
    merge,
    ...(type && { dtype: type }),
    ...(overwrite !== undefined && { overwrite }),
    ...(signal && { signal }),
  });
  const proof = await proveModel(
    { ...exporting, format: askedIn(exporting) },
    resolve(target),
    type ?? "F32",
  );
  return { bytes, notices, proof };
}

/** The format that a reader of the export finds. */
function askedIn({ format, tokenizer }: Exporting): EntryFormat {
  if (format !== undefined) return format;
  return tokenizer.definition?.chatTemplate === undefined ? alpaca : chatTemplateOf(tokenizer);
}

/** Writes a PyTorch state dict of the model in memory. */
async function toStateDict(
  { network }: Exporting,
  path: string,
  { type = "F32", names = "transformers", merge = false, signal, onProgress }: ExportOptions,
): Promise<Exported> {
  if (network === undefined) {
    throw new TypeError(`Cannot export to "${path}": load the model first`);
  }
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
  if (isAdapted({ network }) && !merge) {
    throw new TypeError(
      `Cannot export to "${path}": the model has adapters; give "merge: true" for a whole model`,
    );
  }
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

/** Writes `model.onnx` of the model in memory, with configuration and tokenizer beside it, as optimum does. */
async function toOnnx(
  exporting: Exporting,
  folder: string,
  { type = "F32", merge = false, overwrite, signal, onProgress }: ExportOptions,
  { save }: Folders,
): Promise<Exported> {
  if (exporting.network === undefined) {
    throw new TypeError(`Cannot export to "${folder}": load the model first`);
  }
  if (type !== "F32" && type !== "F16") {
    throw new TypeError(
      `Cannot export ${type} to "${folder}": weights in ONNX are "F32" or "F16"`,
    );
  }
  if (isAdapted(exporting) && !merge) {
    throw new TypeError(
      `Cannot export to "${folder}": the model has adapters; give "merge: true" for a whole model`,
    );
  }
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
    const proving = { ...exporting, network: exporting.network, format: askedIn(exporting) };
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

/** The file's name, which optimum's and transformers.js' loaders look for. */
const ONNX_FILE = "model.onnx";

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

/** Endings of models' files in formats that are not written; a folder has none of these. */
const OTHER_FORMATS = /\.(onnx|safetensors|pt|bin|ckpt|h5|keras|tflite|mlmodel|mlpackage|npz)$/i;

function assertTarget(target: string): void {
  const known = typeof target === "string" && target !== "ollama:" && target !== "gguf:" &&
    target !== "onnx:" && target !== "" && !OTHER_FORMATS.test(target);
  if (known) return;
  throw new TypeError(
    `Cannot export to ${JSON.stringify(target)}: expected "ollama:NAME", a path that ends in ` +
      '".gguf" or ".pth", "onnx:FOLDER", or a folder for safetensors',
  );
}

/** Notices where readers of GGUF files compute differently. */
async function noticesFor({ source }: Exporting): Promise<string[]> {
  using stored = await openStoredModel(source);
  const { family, completeConfig } = planModel(stored.config, stored.path);
  return family.gguf.notices?.(completeConfig()) ?? [];
}

/**
 * Chooses the format that an exported model carries: the one that it was taught. A model that was never trained keeps its
 * own.
 *
 * @param target Where the model goes.
 * @param format The format that it was taught, where one is known.
 * @param taught What it was taught.
 * @returns The format; undefined for a model that was taught nothing.
 * @throws {TypeError} If it was trained on examples whose format is not known.
 */
export function formatToExport(
  target: string,
  format: EntryFormat | undefined,
  taught: Pick<Taught, "trainings"> | undefined,
): EntryFormat | undefined {
  if (format !== undefined || !taught || taught.trainings.length === 0) return format;
  throw new TypeError(
    `Cannot export to "${target}": the model was trained on examples whose format is not known; ` +
      'set "model.format", or give a format',
  );
}

/** Refuses to merge what is not there. */
function assertMergeable(exporting: Exporting, { merge }: ExportOptions, target: string): void {
  if (!merge || isAdapted(exporting)) return;
  throw new TypeError(`Cannot merge for "${target}": the model has no adapters`);
}

/**
 * Writes a GGUF file: of the whole model, or of its adapters if these are not merged.
 *
 * @param exporting The model.
 * @param path The file; its directory must exist.
 * @param options How.
 * @returns The file's length and hash.
 */
export async function toGgufFile(
  exporting: Exporting,
  path: string,
  options: ExportOptions,
): Promise<WrittenFile & { proof?: ExportProof }> {
  const { merge, signal } = options;
  if (isAdapted(exporting) && !merge) {
    return await exportLoraGguf(exporting.network!, path, { ...(signal && { signal }) });
  }
  return await writeWhole(exporting, path, options, describeTokenizer(exporting));
}

/** The tokenizer's keys, with the template that the model was taught. */
function describeTokenizer({ tokenizer, format }: Exporting): GgufMetadata {
  const metadata = tokenizerToGguf(tokenizer);
  if (format === undefined) return metadata;
  return { ...metadata, "tokenizer.chat_template": toChatTemplate(format, tokenizer) };
}

/** Writes the weights: those in memory, with adapters merged if asked for, otherwise those in the model's files. */
async function writeWhole(
  exporting: Exporting,
  path: string,
  { type = "F16", merge, signal, onProgress }: ExportOptions,
  tokenizer: GgufMetadata,
): Promise<WrittenFile & { proof: ExportProof }> {
  const { source, network } = exporting;
  if (type === "BF16") {
    throw new TypeError(
      `Cannot export BF16 to "${path}": GGUF files are written as "F32", "F16" or "Q8_0"`,
    );
  }
  const how = { type, tokenizer, name: source.name, signal, onProgress };
  // An unmerged adapter goes beside the weights of the files.
  const whole = network && (merge || !isAdapted({ network })) ? network : undefined;
  const write = async () => {
    if (whole !== undefined) {
      using merged = mergedCopy(whole);
      return await exportGguf(merged.network, path, how);
    }
    using stored = await openStoredModel(source);
    return await exportGguf(stored, path, how);
  };
  const written = await write();
  const { network: _, ...files } = exporting;
  const proving = { ...files, ...(whole && { network: whole }), format: askedIn(exporting) };
  try {
    return { ...written, proof: await proveModel(proving, resolve(path), type) };
  } catch (error) {
    await Deno.remove(path).catch(() => {});
    throw error;
  }
}

/**
 * Makes a model in Ollama.
 *
 * @param exporting The model.
 * @param name Its name there.
 * @param options How.
 */
export async function toOllama(
  exporting: Exporting,
  name: string,
  options: ExportOptions,
): Promise<{ bytes: number; proof?: ExportProof }> {
  const { source, network } = exporting;
  const { merge, host, signal, onProgress } = options;
  const beside = isAdapted(exporting) && !merge;
  if (beside && network!.family.gguf.takesAdapters === false) {
    throw new TypeError(
      `Cannot give Ollama an adapter for a ${
        network!.family.title
      }, for which it has none: merge it`,
    );
  }
  const settings = settingsFor(exporting);
  const folder = await makeOwnTempDir("tunebook-export-");
  try {
    // If Ollama has the base, only the adapter is sent.
    const inOllama = beside && source.source === "ollama";
    const gguf = inOllama
      ? undefined
      : await writeWhole(exporting, join(folder, "model.gguf"), options, {
        ...describeTokenizer(exporting),
        "tokenizer.ggml.add_bos_token": settings.addBos,
      });
    const adapter = beside
      ? await exportLoraGguf(network!, join(folder, "adapter.gguf"), { signal })
      : undefined;
    const { template, system, parameters } = settings;
    await createOllamaModel(name, {
      ...(gguf ? { gguf } : { from: source.spec.slice("ollama:".length) }),
      adapter,
      template,
      system,
      parameters,
      ...(options.ollamaQuantize && { quantize: options.ollamaQuantize }),
      host,
      signal,
      onProgress,
    });
    return { bytes: (gguf ?? adapter)!.bytes, ...(gguf && { proof: gguf.proof }) };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Refuses a quantisation that Ollama could not make. */
function assertQuantizable(
  exporting: Exporting,
  { ollamaQuantize, type, merge }: ExportOptions,
  target: string,
): void {
  if (ollamaQuantize === undefined) return;
  if (!OLLAMA_QUANTIZATIONS.includes(ollamaQuantize)) {
    throw new RangeError(
      `Cannot let Ollama quantise to ${JSON.stringify(ollamaQuantize)}: expected one of ` +
        OLLAMA_QUANTIZATIONS.map((name) => `"${name}"`).join(", "),
    );
  }
  const cannot = `Cannot let Ollama quantise to "${ollamaQuantize}"`;
  if (!target.startsWith("ollama:")) throw new TypeError(`${cannot} what is not made in Ollama`);
  // Ollama 0.6.5 takes the number of F32, 0, for a file whose type is unknown.
  if (type !== undefined && type !== "F16") {
    throw new TypeError(`${cannot} from "${type}": expected "F16"`);
  }
  if (isAdapted(exporting) && !merge) {
    throw new TypeError(`${cannot} a model with adapters beside it: merge them`);
  }
}

/** What was read back is what Ollama was sent, not what it made of it. */
function quantizedNotice({ ollamaQuantize }: ExportOptions): string[] {
  if (ollamaQuantize === undefined) return [];
  return [
    `Ollama quantised the weights to ${ollamaQuantize}, so its answers differ from those here`,
  ];
}

/** What Ollama is told beside the weights. */
export interface OllamaSettings {
  /** How it writes prompts. */
  readonly template: string;
  /** Whether texts begin with the beginning token. */
  readonly addBos: boolean;
  /** The system message that it begins with, if any. */
  readonly system?: string;
  /** Defaults for generation. */
  readonly parameters: Record<string, unknown>;
}

/**
 * Chooses Ollama's template and parameters: from the format that the model was taught, otherwise from Ollama's own model,
 * otherwise from the chat template. A model with none of these continues the text that it is given.
 *
 * @param exporting The model.
 * @returns Template, parameters, and whether texts begin with the beginning token.
 * @throws {TypeError} If the format cannot be written as Ollama's.
 */
export function settingsFor({ source, tokenizer, format }: Exporting): OllamaSettings {
  const own = source.kind === "gguf" ? source.ollama : undefined;
  const addBos = tokenizer.beginIds.length > 0;
  if (format === undefined && own?.template !== undefined) {
    const { template, system, parameters } = own;
    return { template, ...(system !== undefined && { system }), parameters, addBos };
  }
  const hasTemplate = tokenizer.definition?.chatTemplate !== undefined;
  const written = format ?? (hasTemplate ? chatTemplateOf(tokenizer) : undefined);
  if (written === undefined) {
    return { template: "{{ .Prompt }}", addBos, parameters: GREEDY };
  }
  const { stop, ...prompt } = toOllamaPrompt(written, tokenizer);
  return { ...prompt, parameters: { ...GREEDY, ...(stop.length > 0 && { stop }) } };
}

function toOllamaPrompt(format: EntryFormat, tokenizer: Tokenizer): OllamaPrompt {
  return format instanceof ChatTemplate
    ? chatToOllama(format, tokenizer)
    : formatToOllama(format, tokenizer);
}

/** Whether there are adapters beside the network. An Ollama model's own are part of its weights once it is loaded. */
function isAdapted({ network }: Pick<Exporting, "network">): boolean {
  return [...network?.linears.values() ?? []].some(({ adapter }) => adapter);
}

/**
 * Exports a model from its files, one tensor at a time, so that models larger than memory can be exported.
 *
 * @param found A model without adapters.
 * @param target `ollama:NAME`, or a `.gguf` file.
 * @param options How.
 * @returns The size of the weights, and notices for the user.
 */
export async function exportFiles(
  found: FoundModel,
  target: string,
  options: ExportOptions = {},
): Promise<Exported> {
  const { source, tokenizer, taught } = found;
  const isTaught = taught?.format !== undefined;
  const format = options.format === undefined
    ? formatToExport(target, isTaught ? found.format : undefined, taught)
    : formatFor({ ...found, isTaught }, [], options.format);
  return await exportModel({ source, tokenizer, ...(format && { format }) }, target, options, {
    save: () => Promise.reject(new TypeError("a folder is written of a model in memory")),
  });
}

/** Whether a model's files hold the whole model, without adapters. */
export function isWhole({ source, adapter }: FoundModel): boolean {
  return adapter === undefined && ollamaAdapters(source).length === 0;
}
