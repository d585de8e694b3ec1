/**
 * A model before its weights are read: files, tokenizer, record and prompt format.
 *
 * @module
 */

import { join } from "@std/path/join";
import type { EntryFormat } from "../dataset/mod.ts";
import { alpaca } from "../text/alpaca.ts";
import { chatTemplateOf } from "../text/chat_formats.ts";
import type { ChatTemplate } from "../text/chat_template.ts";
import { openTokenizer } from "../text/files.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { openGguf } from "../weights/gguf/read.ts";
import { resolveModel, type ResolveOptions } from "../weights/resolve.ts";
import type { ResolvedModel } from "../weights/resolved.ts";
import { findBase } from "./base.ts";
import { parseFormat } from "./format.ts";
import { type GenerationDefaults, readGenerationDefaults } from "./generation_defaults.ts";
import { ggufDefaults, ollamaDefaults } from "./llama_cpp_defaults.ts";
import { readRecord, type TaughtRecord } from "./record.ts";

/** A model without its weights. */
export interface FoundModel {
  /** The base's files. */
  readonly source: ResolvedModel;
  /** The directory of the adapter that goes beside it, if there is one. */
  readonly adapter?: string;
  /** Turns text into the model's tokens. */
  readonly tokenizer: Tokenizer;
  /** What the model or its adapter was taught, where that was written down. */
  readonly taught?: TaughtRecord;
  /** The chat template among its files, where there is one. */
  readonly chatTemplate?: ChatTemplate;
  /** Its prompt format: the one that it was taught, otherwise its chat template, otherwise Alpaca's prompt. */
  readonly format: EntryFormat;
  /** What its files say of its answers. */
  readonly generation: GenerationDefaults;
}

/**
 * Finds a model.
 *
 * @param name A model's name, as `resolveModel()` reads it, or an adapter's directory.
 * @param options An adapter's directory beside the model's name, and how the hub is reached.
 * @returns Its files, tokenizer, record and format.
 * @throws {TypeError} If an adapter does not name its model, or a file has the wrong contents.
 * @throws {SyntaxError} If a file is not JSON, or not a record of a known version.
 * @throws {Deno.errors.NotFound} If there is no such model, or it has no tokenizer.
 */
export async function findModel(
  name: string,
  options: ResolveOptions & { adapter?: string } = {},
): Promise<FoundModel> {
  const { adapter: given, ...rest } = options;
  const { base, adapter } = await findBase(name, given);
  const source = await resolveModel(base, rest);
  return await describeFound(source, adapter);
}

/**
 * Reads the files beside a model's weights.
 *
 * @param source The base's files.
 * @param adapter The adapter's directory, if there is one.
 * @param known Its record, if that is known better than from its files.
 * @returns Its files, tokenizer, record and format.
 */
export async function describeFound(
  source: ResolvedModel,
  adapter: string | undefined,
  known?: TaughtRecord,
): Promise<FoundModel> {
  const tokenizer = await openTokenizer(source);
  const directory = source.kind === "directory" ? source.directory : undefined;
  const taught = known ?? (adapter === undefined ? undefined : await readRecord(adapter)) ??
    (directory === undefined ? undefined : await readRecord(directory));
  const chatTemplate = await findChatTemplate(tokenizer, adapter);
  const format = taught?.format === undefined
    ? chatTemplate ?? alpaca
    : parseFormat(taught.format, tokenizer);
  return {
    source,
    ...(adapter !== undefined && { adapter }),
    tokenizer,
    ...(taught && { taught }),
    ...(chatTemplate && { chatTemplate }),
    format,
    generation: await findGenerationDefaults(source, tokenizer),
  };
}

/** What a model's files say of its answers. Ollama does not read what a GGUF file says of them. */
async function findGenerationDefaults(
  source: ResolvedModel,
  tokenizer: Tokenizer,
): Promise<GenerationDefaults> {
  if (source.kind === "directory") return await readGenerationDefaults(source);
  if (source.ollama) return ollamaDefaults(source.ollama, tokenizer.specialTokens);
  using file = await openGguf(source.weights);
  return ggufDefaults(file.metadata);
}

/** The template that came with an adapter, otherwise the model's own. */
async function findChatTemplate(
  tokenizer: Tokenizer,
  adapter: string | undefined,
): Promise<ChatTemplate | undefined> {
  if (adapter !== undefined) {
    try {
      const text = await Deno.readTextFile(join(adapter, "chat_template.jinja"));
      return chatTemplateOf(tokenizer, text);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return tokenizer.definition?.chatTemplate === undefined ? undefined : chatTemplateOf(tokenizer);
}
