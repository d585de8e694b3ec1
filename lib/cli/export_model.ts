// `tunebook export` for models: a GGUF file, a model in Ollama, or a directory in Hugging Face's layout.

import { join } from "@std/path";
import {
  exportGguf,
  exportLoraGguf,
  type ExportType,
  mergeLora,
  type Network,
  saveNetwork,
} from "../model/mod.ts";
import { openStoredModel } from "../model/stored_weights.ts";
import {
  type ChatTemplate,
  chatToOllama,
  formatToOllama,
  type OllamaPrompt,
  openTokenizer,
  saveTokenizer,
  type Tokenizer,
  tokenizerToGguf,
} from "../text/mod.ts";
import {
  createOllamaModel,
  type GgufMetadata,
  type ResolvedModel,
  type WritableDtype,
  type WrittenFile,
} from "../weights/mod.ts";
import { ollamaAdapters } from "../weights/resolved.ts";
import { findBase } from "./adapter_options.ts";
import { chooseFormat, findTemplate, type TextSource, writeTemplate } from "./format.ts";
import { onInterrupt } from "./interrupt.ts";
import { loadForCommand, resolveForCommand } from "./load.ts";
import { progress } from "./progress.ts";

/** Options of an export. */
export interface ExportModelOptions {
  /** The GGUF file to write. */
  gguf?: string;
  /** The model to make in Ollama. */
  ollama?: string;
  /** The directory to write. */
  hf?: string;
  /** How matrices are stored; F16 unless given, F32 in a directory. */
  type?: "f32" | "f16" | "bf16" | "q8_0";
  /** How Ollama writes prompts. */
  format?: string;
  /** A LoRA adapter for the model. */
  adapter?: string;
  /** Whether the adapter becomes part of the weights. */
  merge: boolean;
}

/** Greedy, as `tunebook generate` is: what Ollama says is what is said here. */
const GREEDY = { temperature: 0, repeat_penalty: 1 };

/**
 * Exports a model to each place that is named.
 *
 * @param spec The model's name, or an adapter's directory.
 * @param options Where to, and how.
 */
export async function exportModel(spec: string, options: ExportModelOptions): Promise<void> {
  const { hf, gguf, ollama, merge } = options;
  if (hf !== undefined && options.type === "q8_0") {
    throw new TypeError(
      "Cannot write Q8_0 into a directory: safetensors have --type f32, f16 or bf16",
    );
  }
  if ((gguf !== undefined || ollama !== undefined) && options.type === "bf16") {
    throw new TypeError("Cannot write BF16 into a GGUF file: expected --type f32, f16 or q8_0");
  }
  const { base, adapter } = await findBase(spec, options.adapter);
  if (merge && adapter === undefined) {
    throw new TypeError(`Cannot merge: "${spec}" is no adapter, and there is no --adapter`);
  }
  if (hf !== undefined && adapter !== undefined && !merge) {
    throw new TypeError(
      `Cannot export "${adapter}" into a directory: it is an adapter in one; give --merge for a whole model`,
    );
  }
  using interrupt = onInterrupt(() => console.error("\nStopping"));
  const { signal } = interrupt;
  const source = await resolveForCommand(base, { signal });
  const tokenizer = await openTokenizer(source);
  // What is exported as it lies is read tensor by tensor; an adapter needs its model.
  const loaded = adapter !== undefined || hf !== undefined || ollamaAdapters(source).length > 0
    ? await loadForCommand(base, { device: "cpu", adapter, signal })
    : undefined;
  const model = loaded?.model;
  try {
    if (merge) mergeLora(model!);
    const exporting: Exporting = {
      source,
      tokenizer,
      model,
      adapter: merge ? undefined : adapter,
      trained: adapter ?? (source.kind === "directory" ? source.directory : undefined),
      signal,
    };
    if (hf !== undefined) await toDirectory(exporting, hf, options);
    if (gguf !== undefined) {
      const { bytes } = exporting.adapter === undefined
        ? await toGguf(exporting, gguf, options, tokenizerToGguf(tokenizer))
        : await exportLoraGguf(model!, gguf, { signal });
      console.error(`Wrote ${gguf} (${megabytes(bytes)})`);
    }
    if (ollama !== undefined) await toOllama(exporting, ollama, options);
  } finally {
    model?.device.close();
  }
}

interface Exporting {
  readonly source: ResolvedModel;
  readonly tokenizer: Tokenizer;
  /** The model in memory, where it must be. */
  readonly model?: Network;
  /** The adapter that goes beside it. */
  readonly adapter?: string;
  /** The directory of what was trained. */
  readonly trained?: string;
  readonly signal: AbortSignal;
}

async function toDirectory(
  { source, tokenizer, model, trained, signal }: Exporting,
  directory: string,
  { type }: ExportModelOptions,
): Promise<void> {
  const dtype = (type?.toUpperCase() ?? "F32") as WritableDtype;
  const { bytes } = await saveNetwork(model!, directory, { dtype, signal });
  await saveTokenizer(tokenizer, directory, source);
  const taught = await findTemplate(trained);
  if (taught !== undefined) await writeTemplate(directory, taught);
  console.error(`Wrote ${directory} (${megabytes(bytes)})`);
}

/** Writes the weights: of the model in memory if adapters were merged into it, else as they lie. */
async function toGguf(
  { source, model, adapter, signal }: Exporting,
  path: string,
  { type = "f16" }: ExportModelOptions,
  tokenizer: GgufMetadata,
): Promise<WrittenFile> {
  using stored = await openStoredModel(source);
  const { model_type: kind, sliding_window: window } = stored.config;
  if (kind === "mistral" && typeof window === "number") {
    console.error(
      `Note: llama.cpp and Ollama let a Mistral see the whole text, here each token sees ${window}: ` +
        "longer texts will differ",
    );
  }
  const bar = progress("Writing", 100);
  try {
    return await exportGguf(adapter === undefined && model ? model : stored, path, {
      type: type.toUpperCase() as ExportType,
      tokenizer,
      name: source.name,
      signal,
      onProgress: (done, total) => bar.update(Math.floor(100 * done / total)),
    });
  } finally {
    bar.finish();
  }
}

async function toOllama(
  exporting: Exporting,
  name: string,
  options: ExportModelOptions,
): Promise<void> {
  const { source, tokenizer, model, adapter, signal } = exporting;
  if (adapter !== undefined && model!.architecture === "gemma3") {
    throw new TypeError(
      "Cannot give Ollama an adapter for a Gemma 3, for which it has none: give --merge",
    );
  }
  const settings = await settingsFor(exporting, options.format);
  const folder = await Deno.makeTempDir({ prefix: "tunebook-export-" });
  const bar = progress("Sending", 100);
  try {
    // An adapter for a model that Ollama has goes beside that.
    const inOllama = adapter !== undefined && source.source === "ollama";
    const weights = inOllama ? { from: source.spec.slice("ollama:".length) } : {
      gguf: await toGguf(exporting, join(folder, "model.gguf"), options, {
        ...tokenizerToGguf(tokenizer),
        "tokenizer.ggml.add_bos_token": settings.addBos,
      }),
    };
    await createOllamaModel(name, {
      ...weights,
      adapter: adapter === undefined
        ? undefined
        : await exportLoraGguf(model!, join(folder, "adapter.gguf"), { signal }),
      template: settings.template,
      system: settings.system,
      parameters: settings.parameters,
      signal,
      onProgress: (done, total) => bar.update(Math.floor(100 * done / total)),
    });
  } finally {
    bar.finish();
    await Deno.remove(folder, { recursive: true });
  }
  console.error(`Made the Ollama model "${name}"; to talk to it: ollama run ${name}`);
}

/** What Ollama is told beside the weights. */
interface OllamaSettings {
  readonly template: string;
  /** Whether texts begin with the beginning token. */
  readonly addBos: boolean;
  readonly system?: string;
  readonly parameters: Record<string, unknown>;
}

/** How Ollama writes prompts for the model, and what else it is told. */
async function settingsFor(
  { source, tokenizer, trained }: Exporting,
  format: string | undefined,
): Promise<OllamaSettings> {
  const taught = format ?? await formatOfTraining(trained);
  const own = source.kind === "gguf" ? source.ollama : undefined;
  if (taught === undefined && own?.template !== undefined) {
    // A model of Ollama's stays what it is there.
    const { template, system, parameters } = own;
    return { template, system, parameters, addBos: tokenizer.beginIds.length > 0 };
  }
  const name = taught ?? (tokenizer.definition?.chatTemplate === undefined ? undefined : "chat");
  const { template, addBos, stop } = await promptFor(name, { tokenizer, source, adapter: trained });
  return { template, addBos, parameters: { ...GREEDY, ...(stop.length > 0 && { stop }) } };
}

async function promptFor(name: string | undefined, text: TextSource): Promise<OllamaPrompt> {
  const { tokenizer } = text;
  if (name === undefined) { // it was never taught a format: it continues what it is given
    return { template: "{{ .Prompt }}", stop: [], addBos: tokenizer.beginIds.length > 0 };
  }
  const chosen = await chooseFormat(name, text);
  return isTemplate(chosen) ? chatToOllama(chosen, tokenizer) : formatToOllama(chosen, tokenizer);
}

function isTemplate(format: Awaited<ReturnType<typeof chooseFormat>>): format is ChatTemplate {
  return "render" in format;
}

/** The format in which `tunebook train` taught what lies in a directory, where it did. */
async function formatOfTraining(directory: string | undefined): Promise<string | undefined> {
  if (directory === undefined) return undefined;
  const text = await Deno.readTextFile(join(directory, "training.json")).catch(() => undefined);
  if (text === undefined) return await findTemplate(directory) === undefined ? undefined : "chat";
  return JSON.parse(text).format === "chat" ? "chat" : "alpaca";
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
