/** Conversations as entries: parsing them, and distinguishing them from instructions. */
import { kindOf } from "../kind_of.ts";
import { z } from "zod";
import type { ChatMessage } from "../text/chat_template.ts";
import { entrySchema, type InstructionEntry, parseEntriesAs } from "./entry.ts";

/** One conversation of a data set. */
export interface ChatEntry {
  /** The messages; the model learns the assistant's. */
  messages: ChatMessage[];
  /** The weight of its tokens in losses, a number above 0; 1 by default. */
  weight?: number;
  /** The kind of its task: for stratified splits, balance and losses by topic. It is not learnt. */
  topic?: string;
}

/** One entry of a data set. */
export type DatasetEntry = InstructionEntry | ChatEntry;

/** Whether an entry is a conversation. */
export function isChatEntry(entry: DatasetEntry): entry is ChatEntry {
  return "messages" in entry;
}

/**
 * Refuses what is not an array of entries, as JavaScript and JSON that was not checked may hold.
 *
 * @param action What is done with them, after "Cannot": `train on`.
 * @param entries What was given.
 * @throws {TypeError} If it is not an array, or an entry is neither a conversation nor an instruction with its output.
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
        `or with "messages", found ${found}`,
    );
  }
}

function isWhole(entry: unknown): boolean {
  if (!isObject(entry)) return false;
  if ("messages" in entry) return Array.isArray(entry.messages);
  return typeof entry.instruction === "string" && typeof entry.output === "string";
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** ShareGPT's names of the roles. */
const SPEAKERS: Readonly<Record<string, string>> = {
  human: "user",
  user: "user",
  gpt: "assistant",
  chatgpt: "assistant",
  assistant: "assistant",
  bing: "assistant",
  bard: "assistant",
  system: "system",
  tool: "tool",
  function: "tool",
};

const weight = z.number().positive("a number above 0").optional();
const topic = z.string().min(1, "a name").optional();

const chatSchema: z.ZodType<ChatEntry> = z.object({
  messages: z.array(z.object({ role: z.string().min(1, "a name"), content: z.string() }))
    .min(1, "an array of at least one message"),
  weight,
  topic,
});

const shareGptSchema: z.ZodType<ChatEntry> = z.object({
  conversations: z.array(
    z.object({
      from: z.string().refine((name) => Object.hasOwn(SPEAKERS, name), {
        message: `one of ${Object.keys(SPEAKERS).map((name) => `"${name}"`).join(", ")}`,
      }),
      value: z.string(),
    }),
  ).min(1, "an array of at least one message"),
  weight,
  topic,
}).transform(({ conversations, weight, topic }) => ({
  messages: conversations.map(({ from, value }) => ({ role: SPEAKERS[from]!, content: value })),
  ...(weight !== undefined && { weight }),
  ...(topic !== undefined && { topic }),
}));

/**
 * Reads entries of any kind from JSON text: an array of objects, each with `instruction`, `input` and
 * `output`, or with `messages` of `role` and `content`, or with ShareGPT's `conversations` of `from`
 * and `value`.
 *
 * @param text The JSON text.
 * @param name The text's name in errors, for example that of the file.
 * @returns The entries, in the text's order; all conversations in the form of {@linkcode
 * ChatEntry}.
 * @throws {SyntaxError} If the text is not JSON.
 * @throws {TypeError} If an entry has another form; the message names the entry and the field.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseDataset } from "./chat_entry.ts";
 *
 * const [entry] = parseDataset('[{"conversations": [{"from": "human", "value": "Hi"}]}]');
 * assertEquals(entry, { messages: [{ role: "user", content: "Hi" }] });
 * ```
 */
export function parseDataset(text: string, name = "data"): DatasetEntry[] {
  return parseEntriesAs<DatasetEntry>(text, name, (item) => {
    const has = (key: string) => typeof item === "object" && item !== null && key in item;
    if (has("messages")) return chatSchema;
    return has("conversations") ? shareGptSchema : entrySchema;
  });
}
