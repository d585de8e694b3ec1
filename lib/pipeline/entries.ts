/**
 * Questions as entries, and entries held back for validation.
 *
 * @module
 */

import type { DatasetEntry } from "../dataset/chat_entry.ts";
import { splitEntries } from "../dataset/split.ts";
import type { ChatMessage, ChatTool, Instruction } from "../text/mod.ts";

/** What a model can be asked: a question, an instruction with or without an input, or a conversation so far. */
export type Question =
  | string
  | Instruction
  | DatasetEntry
  | { readonly messages: readonly ChatMessage[]; readonly tools?: readonly ChatTool[] };

/**
 * Writes a question as an entry without an answer.
 *
 * @param question A question, an instruction, or a conversation.
 * @returns The entry.
 * @throws {TypeError} If it is something else.
 */
export function toEntry(question: Question): DatasetEntry {
  if (typeof question === "string") return { instruction: question, input: "", output: "" };
  if (
    typeof question !== "object" || question === null ||
    !("messages" in question || "instruction" in question || "text" in question)
  ) {
    throw new TypeError(
      `Cannot ask ${JSON.stringify(question)}: expected a string, an instruction or a conversation`,
    );
  }
  if ("messages" in question) {
    const { tools } = question;
    return { messages: [...question.messages], ...(tools && { tools: [...tools] }) };
  }
  if (!("instruction" in question)) {
    throw new TypeError("Cannot ask a text: expected a question, an instruction or a conversation");
  }
  return { input: "", output: "", ...question };
}

/**
 * Divides entries into those to train on and those to validate on.
 *
 * @param entries The entries.
 * @param validation Entries to validate on, or what fraction of the entries, chosen by a seeded shuffle; rounded up.
 * @returns Entries to train on, then entries to validate on.
 * @throws {RangeError} If the fraction is out of range.
 */
export function holdBack(
  entries: readonly DatasetEntry[],
  validation: readonly DatasetEntry[] | number,
): [readonly DatasetEntry[], readonly DatasetEntry[]] {
  if (typeof validation !== "number") return [entries, validation];
  if (!(validation >= 0 && validation < 1)) {
    throw new RangeError(
      `Cannot hold back ${validation} of the entries for validation: expected a fraction from 0 ` +
        "up to, not including, 1",
    );
  }
  const parts = splitEntries(entries, { fractions: [1 - validation, 0, validation] });
  return [parts.train, parts.validation];
}
