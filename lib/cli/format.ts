// How entries are written for a model: the option that says it, and what it means for a model and its data.

import { join } from "@std/path";
import { Option } from "commander";
import type { DatasetEntry, EntryFormat } from "../dataset/mod.ts";
import { isChatEntry } from "../dataset/chat_entry.ts";
import {
  alpaca,
  CHAT_STYLES,
  type ChatTemplate,
  chatTemplateOf,
  type Tokenizer,
} from "../text/mod.ts";
import type { ResolvedModel } from "../weights/mod.ts";
import { writeFileBeside } from "../write_beside.ts";

/** A model's tokenizer, and where the model came from. */
export interface TextSource {
  readonly tokenizer: Tokenizer;
  readonly source?: ResolvedModel;
  /** The directory of an adapter on the model: the template that it was taught goes before the model's. */
  readonly adapter?: string;
}

const TEMPLATE_FILE = "chat_template.jinja";

/** The option that chooses how entries are written. */
export function formatOption(): Option {
  return new Option(
    "--format <name|file>",
    `how entries are written: alpaca; chat, by the model's own template; ${
      CHAT_STYLES.join(", ")
    }; or a file with a template in Jinja (default: alpaca for instructions, chat for messages)`,
  );
}

/**
 * What the option means.
 *
 * @param name What was given, if anything.
 * @param text The model's tokenizer and files.
 * @param entries What is to be written; chat is the default where it holds conversations.
 * @returns Alpaca, or a chat template.
 */
export async function chooseFormat(
  name: string | undefined,
  text: TextSource,
  entries: readonly DatasetEntry[] = [],
): Promise<EntryFormat> {
  const chosen = name ?? (entries.some(isChatEntry) ? "chat" : "alpaca");
  if (chosen === "alpaca") return alpaca;
  return await chooseTemplate(chosen, text);
}

/**
 * The chat template that the option means.
 *
 * @param name `chat`, a style, or a file.
 * @param text The model's tokenizer and files.
 * @returns The template.
 */
export async function chooseTemplate(
  name: string,
  { tokenizer, source, adapter }: TextSource,
): Promise<ChatTemplate> {
  if (name === "chat") {
    const directory = source?.kind === "directory" ? source.directory : undefined;
    return chatTemplateOf(tokenizer, await findTemplate(adapter) ?? await findTemplate(directory));
  }
  if ((CHAT_STYLES as readonly string[]).includes(name)) return chatTemplateOf(tokenizer, name);
  return chatTemplateOf(tokenizer, await readTemplate(name));
}

/**
 * Reads the chat template that lies beside a model or an adapter.
 *
 * @param directory Its directory, if it has one.
 * @returns The template's source, if there is one.
 */
export async function findTemplate(directory: string | undefined): Promise<string | undefined> {
  if (directory === undefined) return undefined;
  try {
    return await Deno.readTextFile(join(directory, TEMPLATE_FILE));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/**
 * Puts a chat template beside a model or an adapter.
 *
 * @param directory Its directory.
 * @param source The template's source.
 */
export async function writeTemplate(directory: string, source: string): Promise<void> {
  await writeFileBeside(join(directory, TEMPLATE_FILE), source);
}

async function readTemplate(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    const reason = error instanceof Deno.errors.NotFound
      ? `there is no such file, nor a format of that name: these are alpaca, chat, ${
        CHAT_STYLES.join(", ")
      }`
      : (error as Error).message;
    throw new Error(`Cannot read the template "${path}": ${reason}`, { cause: error });
  }
}
