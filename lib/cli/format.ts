// The option that chooses the format of entries.

import { Option } from "commander";
import { type DatasetEntry, type EntryFormat, isChatEntry } from "../dataset/mod.ts";
import { FORMAT_NAMES, type FormatName, type Model } from "../pipeline/mod.ts";
import { noteOnTurns } from "../text/chat_turns.ts";
import { CHAT_STYLES, ChatTemplate, chatTemplateOf } from "../text/mod.ts";

/**
 * The option.
 *
 * @param byDefault What is taken without it.
 * @returns The option.
 */
export function formatOption(
  byDefault = "the format of the model's training, its chat template, or alpaca",
): Option {
  return new Option(
    "--format <name|file>",
    `the format of entries: alpaca; chat, by the model's own template; ${
      CHAT_STYLES.join(", ")
    }; or a file with a Jinja template (default: ${byDefault})`,
  );
}

/**
 * Resolves the option.
 *
 * @param name The option's value, if given.
 * @returns The format's name, or the template in a file.
 */
export async function readFormatOption(
  name: string | undefined,
): Promise<FormatName | EntryFormat | undefined> {
  if (name === undefined) return undefined;
  if ((FORMAT_NAMES as readonly string[]).includes(name)) return name as FormatName;
  let text: string;
  try {
    text = await Deno.readTextFile(name);
  } catch (error) {
    const reason = error instanceof Deno.errors.NotFound
      ? `there is no such file or format: formats are ${FORMAT_NAMES.join(", ")}`
      : (error as Error).message;
    throw new Error(`Cannot read the template "${name}": ${reason}`, { cause: error });
  }
  return new ChatTemplate(text, { name: "given" });
}

/**
 * Says on standard error if a template does not write messages one after the other.
 *
 * @param model The model.
 * @param format The format that was chosen, if any.
 */
export function noteOnFormat(
  { format: own, tokenizer }: Pick<Model, "format" | "tokenizer">,
  format: FormatName | EntryFormat | undefined,
): void {
  const chosen = format === "chat" && !(own instanceof ChatTemplate)
    ? chatTemplateOf(tokenizer)
    : format === undefined || format === "chat"
    ? own
    : format;
  const note = chosen instanceof ChatTemplate ? noteOnTurns(chosen, tokenizer) : undefined;
  if (note !== undefined) console.error(`Note: ${note}`);
}

/**
 * Says on standard error which style conversations are written in, where a model came without a chat template and its special
 * tokens suggest one.
 *
 * @param model The model.
 * @param format The format that was chosen, if any.
 * @param entries What is written.
 */
export function noteOnGuess(
  { format: own, tokenizer }: Pick<Model, "format" | "tokenizer">,
  format: FormatName | EntryFormat | undefined,
  entries: readonly Partial<DatasetEntry>[],
): void {
  const needed = format === "chat" || (format === undefined && entries.some(isConversation));
  if (!needed || own instanceof ChatTemplate) return;
  if (tokenizer.definition?.chatTemplate !== undefined) return;
  const style = chatTemplateOf(tokenizer).name;
  console.error(
    `Note: "${tokenizer.name}" came without a chat template; messages are written in the style "${style}", which its ` +
      "special tokens suggest (--format names another)",
  );
}

const isConversation = (entry: Partial<DatasetEntry>) => isChatEntry(entry as DatasetEntry);
