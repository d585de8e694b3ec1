// `tunebook export` for models: a GGUF file, a model in Ollama, or a directory in Hugging Face's layout.

import { join } from "@std/path";
import {
  exportGguf,
  type ExportType,
  loadModel,
  openStoredModel,
  saveModel,
} from "../model/mod.ts";
import { CpuDevice } from "../tensor/cpu/device.ts";
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
  resolveModel,
  type WrittenFile,
} from "../weights/mod.ts";
import { chooseFormat } from "./format.ts";
import { onInterrupt } from "./interrupt.ts";
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
  type?: "f32" | "f16" | "q8_0";
  /** How Ollama writes prompts. */
  format?: string;
}

/** Greedy, as `tunebook generate` is: what Ollama says is what is said here. */
const GREEDY = { temperature: 0, repeat_penalty: 1 };

/**
 * Exports a model to each place that is named.
 *
 * @param spec The model's name.
 * @param options Where to, and how.
 */
export async function exportModel(spec: string, options: ExportModelOptions): Promise<void> {
  if (options.hf !== undefined && options.type === "q8_0") {
    throw new TypeError("Cannot write Q8_0 into a directory: safetensors have --type f32 or f16");
  }
  using interrupt = onInterrupt(() => console.error("\nStopping"));
  const { signal } = interrupt;
  const download = progress("Downloading");
  const source = await resolveModel(spec, {
    signal,
    onProgress: ({ file, received, total }) =>
      download.update(received, total ? `${file} ${Math.floor(100 * received / total)} %` : file),
  }).finally(() => download.finish());
  if (source.notice) console.error(source.notice);
  const tokenizer = await openTokenizer(source);
  const exporting = { source, tokenizer, signal };
  if (options.hf !== undefined) await toDirectory(exporting, options.hf, options);
  if (options.gguf !== undefined) {
    const file = await toGguf(exporting, options.gguf, options, tokenizerToGguf(tokenizer));
    console.error(`Wrote ${options.gguf} (${megabytes(file.bytes)})`);
  }
  if (options.ollama !== undefined) await toOllama(exporting, options.ollama, options);
}

interface Exporting {
  readonly source: ResolvedModel;
  readonly tokenizer: Tokenizer;
  readonly signal: AbortSignal;
}

async function toDirectory(
  { source, tokenizer, signal }: Exporting,
  directory: string,
  { type }: ExportModelOptions,
): Promise<void> {
  const device = new CpuDevice({ threads: 1 });
  try {
    const { model } = await loadModel(source.spec, { device, signal });
    const dtype = type === "f16" ? "F16" : "F32";
    const { bytes } = await saveModel(model, directory, { dtype, signal });
    await saveTokenizer(tokenizer, directory, source);
    console.error(`Wrote ${directory} (${megabytes(bytes)})`);
  } finally {
    device.close();
  }
}

async function toGguf(
  { source, signal }: Exporting,
  path: string,
  { type = "f16" }: ExportModelOptions,
  tokenizer: GgufMetadata,
): Promise<WrittenFile> {
  using stored = await openStoredModel(source);
  const bar = progress("Writing", 100);
  try {
    return await exportGguf(stored, path, {
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
  const { tokenizer, signal } = exporting;
  const prompt = await promptFor(exporting, options.format);
  const folder = await Deno.makeTempDir({ prefix: "tunebook-export-" });
  const bar = progress("Sending", 100);
  try {
    const gguf = await toGguf(exporting, join(folder, "model.gguf"), options, {
      ...tokenizerToGguf(tokenizer),
      "tokenizer.ggml.add_bos_token": prompt.addBos,
    });
    await createOllamaModel(name, {
      gguf,
      template: prompt.template,
      parameters: { ...GREEDY, ...(prompt.stop.length > 0 && { stop: prompt.stop }) },
      signal,
      onProgress: (done, total) => bar.update(Math.floor(100 * done / total)),
    });
  } finally {
    bar.finish();
    await Deno.remove(folder, { recursive: true });
  }
  console.error(`Made the Ollama model "${name}"; to talk to it: ollama run ${name}`);
}

/** How Ollama writes prompts for the model. */
async function promptFor(
  { source, tokenizer }: Exporting,
  format: string | undefined,
): Promise<OllamaPrompt> {
  const name = format ?? await formatOfTraining(source) ??
    (tokenizer.definition?.chatTemplate === undefined ? undefined : "chat");
  if (name === undefined) { // it was never taught a format: it continues what it is given
    return { template: "{{ .Prompt }}", stop: [], addBos: tokenizer.beginIds.length > 0 };
  }
  const chosen = await chooseFormat(name, { tokenizer, source });
  return isTemplate(chosen) ? chatToOllama(chosen, tokenizer) : formatToOllama(chosen, tokenizer);
}

function isTemplate(format: Awaited<ReturnType<typeof chooseFormat>>): format is ChatTemplate {
  return "render" in format;
}

/** The format in which `tunebook train` taught a model, where it did. */
async function formatOfTraining(source: ResolvedModel): Promise<string | undefined> {
  if (source.kind !== "directory" || !source.files.includes("training.json")) return undefined;
  const record = JSON.parse(await Deno.readTextFile(join(source.directory, "training.json")));
  return record.format === "chat" ? "chat" : "alpaca";
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
