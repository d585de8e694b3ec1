/** The kinds of entries: instructions, conversations and texts. */
import { kindOf } from "../kind_of.ts";
import type { ChatMessage, ChatTool } from "../text/chat_template.ts";
import type { CarriedFields, InstructionEntry, TextEntry } from "./entry.ts";

/** One conversation of a data set. */
export interface ChatEntry extends CarriedFields {
  /** The messages; the model learns the assistant's. */
  messages: ChatMessage[];
  /** The tools that the assistant may call. */
  tools?: ChatTool[];
  /** The weight of its tokens in losses, a number above 0; 1 by default. */
  weight?: number;
}

/** One entry of a data set. */
export type DatasetEntry = InstructionEntry | ChatEntry | TextEntry;

/**
 * Whether an entry is a conversation.
 *
 * @param entry The entry.
 * @returns Whether it has messages.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { isChatEntry, parseDataset } from "tunebook/data";
 *
 * const [entry] = parseDataset('{"messages": [{"role": "user", "content": "Hi"}]}');
 * assertEquals(isChatEntry(entry), true);
 * ```
 */
export function isChatEntry(entry: DatasetEntry): entry is ChatEntry {
  return "messages" in entry;
}

/**
 * Whether an entry is a text that is learnt whole.
 *
 * @param entry The entry.
 * @returns Whether it has a text.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { isTextEntry, parseDataset } from "tunebook/data";
 *
 * const [entry] = parseDataset('{"text": "Once upon a time."}');
 * assertEquals(isTextEntry(entry), true);
 * ```
 */
export function isTextEntry(entry: DatasetEntry): entry is TextEntry {
  return "text" in entry && !("messages" in entry || "instruction" in entry);
}

/**
 * Refuses what is not an array of entries, as JavaScript and JSON that was not checked may hold.
 *
 * @param action What is done with them, after "Cannot": `train on`.
 * @param entries What was given.
 * @throws {TypeError} If it is not an array, or an entry is neither a conversation, an instruction with its output, nor a
 * text.
 */
export function assertEntries(action: string, entries: readonly DatasetEntry[]): void {
  if (!Array.isArray(entries)) {
    throw new TypeError(`Cannot ${action} ${kindOf(entries)}: expected an array of entries`);
  }
  for (const [index, entry] of entries.entries()) {
    if (isWhole(entry)) continue;
    const where = `entry ${index + 1} of ${entries.length}`;
    const found = isObject(entry) ? `fields ${JSON.stringify(Object.keys(entry))}` : kindOf(entry);
    throw new TypeError(
      `Cannot ${action} ${where}: expected an object with the strings "instruction" and "output", ` +
        `with "messages" or with "text", found ${found}`,
    );
  }
}

function isWhole(entry: unknown): boolean {
  if (!isObject(entry)) return false;
  if ("messages" in entry) return Array.isArray(entry.messages);
  if (typeof entry.instruction === "string") return typeof entry.output === "string";
  return typeof entry.text === "string";
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
