// How entries are written for a model: the option that says it, and what it means for a model and its data.

import { join } from "@std/path";
import { Option } from "commander";
import { type DatasetEntry, type EntryFormat, isChatEntry } from "../dataset/mod.ts";
import {
  alpaca,
  CHAT_STYLES,
  type ChatTemplate,
  chatTemplateOf,
  closingToken,
  type Tokenizer,
} from "../text/mod.ts";
import type { ResolvedModel } from "../weights/mod.ts";

/** A model's tokenizer, and where the model came from. */
export interface TextSource {
  readonly tokenizer: Tokenizer;
  readonly source?: ResolvedModel;
}

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
  { tokenizer, source }: TextSource,
): Promise<ChatTemplate> {
  if (name === "chat") {
    const own = source?.kind === "directory" && source.files.includes("chat_template.jinja")
      ? await Deno.readTextFile(join(source.directory, "chat_template.jinja"))
      : undefined;
    return chatTemplateOf(tokenizer, own);
  }
  if ((CHAT_STYLES as readonly string[]).includes(name)) return chatTemplateOf(tokenizer, name);
  return chatTemplateOf(tokenizer, await readTemplate(name));
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

/** The token that ends an answer in a format. */
export function closingTokenOf(format: EntryFormat, tokenizer: Tokenizer): number {
  return "render" in format ? closingToken(tokenizer, format) : tokenizer.eosId;
}
