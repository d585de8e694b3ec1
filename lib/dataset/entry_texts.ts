/**
 * The texts of an entry by their parts, for statistics that know instructions, conversations and texts alike.
 *
 * @module
 */

import { type DatasetEntry, isChatEntry, isTextEntry } from "./chat_entry.ts";

/**
 * A copy of an entry with other texts; fields that do not change keep their values.
 *
 * @param entry The entry.
 * @param map Gives the text for a text and its field, such as `output` or `messages.1.content`.
 * @returns The copy.
 */
export function mapTexts<T extends DatasetEntry>(
  entry: T,
  map: (text: string, field: string) => string,
): T {
  const mapFields = <Item extends object>(
    item: Item,
    names: readonly (keyof Item)[],
    at = "",
  ): Item =>
    names.reduce((copy, name) => {
      const text = item[name];
      return typeof text === "string" ? { ...copy, [name]: map(text, at + String(name)) } : copy;
    }, item);
  if (isChatEntry(entry)) {
    const names = ["content", "reasoning_content", "thinking"] as const;
    const messages = entry.messages.map((message, i) =>
      mapFields(message, names, `messages.${i}.`)
    );
    return { ...entry, messages };
  }
  const names = isTextEntry(entry) ? ["text"] : ["instruction", "input", "output"];
  return mapFields(entry, names as (keyof T)[]);
}

/** The texts of an entry: what is asked, what is given with it, and what is learnt. */
export interface EntryTexts {
  /** The instruction; of a conversation, what users say; empty for a text. */
  instruction: string;
  /** The input; of a conversation, what the system and tools say. */
  input: string;
  /** The output; of a conversation, what the assistant says; of a text, the text. */
  output: string;
}

/**
 * Takes an entry apart.
 *
 * @param entry The entry.
 * @returns Its texts; messages have a line break between two.
 */
export function textsOf(entry: DatasetEntry): EntryTexts {
  if (isTextEntry(entry)) return { instruction: "", input: "", output: entry.text };
  if (!isChatEntry(entry)) {
    const { instruction, input, output } = entry;
    return { instruction, input, output };
  }
  const said = (isWanted: (role: string) => boolean) =>
    entry.messages.filter(({ role }) => isWanted(role)).map(({ content }) => content).join("\n");
  return {
    instruction: said((role) => role === "user"),
    input: said((role) => role !== "user" && role !== "assistant"),
    output: said((role) => role === "assistant"),
  };
}
