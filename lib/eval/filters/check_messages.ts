/**
 * Filters of what is asked in several texts: the messages of a conversation, or the fields of an entry.
 *
 * @module
 */

import { type DatasetEntry, isChatEntry, isTextEntry } from "../../dataset/chat_entry.ts";
import type { FilterFinding } from "./filter.ts";
import { checkText, type FilterRule } from "./mod.ts";

/** What is asked, after the filters. */
export interface CheckedMessages<Message> {
  /** The messages with masks, also if they are refused. */
  readonly messages: Message[];
  /** What was found, with the index of the message. */
  readonly found: readonly (FilterFinding & { readonly message: number })[];
  /** Why they go no further, if so. */
  readonly refusal?: string;
}

/**
 * Checks each message of a conversation, earlier answers too. Filters whose findings are the whole text read the last message of
 * the user only.
 *
 * @param messages The messages.
 * @param rules The filters.
 * @returns What the model may see.
 */
export function checkMessages<Message extends { readonly role: string; readonly content: string }>(
  messages: readonly Message[],
  rules: readonly FilterRule[],
): CheckedMessages<Message> {
  const parts = rules.filter(({ filter }) => filter.masks);
  const last = messages.findLastIndex(({ role }) => role === "user");
  const checked = messages.map(({ content }, i) =>
    checkText(content, "prompt", i === last ? rules : parts)
  );
  return {
    messages: messages.map((message, i) => ({ ...message, content: checked[i].text })),
    found: checked.flatMap(({ findings }, message) =>
      findings.map((finding) => ({ message, ...finding }))
    ),
    refusal: checked.find(({ refusal }) => refusal !== undefined)?.refusal,
  };
}

/** What an entry asks, after the filters. */
export interface CheckedEntry {
  /** The entry with masks in what it asks, also if it is refused. */
  readonly entry: DatasetEntry;
  /** What was found, with the field: `instruction`, `input`, `messages.0.content`. */
  readonly found: readonly (FilterFinding & { readonly field: string })[];
  /** Why it is not answered, if so. */
  readonly refusal?: string;
}

/**
 * Checks what an entry asks: instruction and input, or the messages before the last answer. The answer to learn stays as it is.
 *
 * @param entry The entry.
 * @param rules The filters.
 * @returns What the model may see.
 */
export function checkEntry(entry: DatasetEntry, rules: readonly FilterRule[]): CheckedEntry {
  if (isTextEntry(entry)) return { entry, found: [] };
  if (isChatEntry(entry)) {
    const answer = entry.messages.findLastIndex(({ role }) => role === "assistant");
    const end = answer < 0 ? entry.messages.length : answer;
    const { messages, found, refusal } = checkMessages(entry.messages.slice(0, end), rules);
    return {
      entry: { ...entry, messages: [...messages, ...entry.messages.slice(end)] },
      found: found.map(({ message, ...rest }) => ({
        field: `messages.${message}.content`,
        ...rest,
      })),
      refusal,
    };
  }
  const whole = checkText(
    promptsOf(entry)[0],
    "prompt",
    rules.filter(({ filter }) => !filter.masks),
  );
  const parts = rules.filter(({ filter }) => filter.masks);
  const fields = (["instruction", "input"] as const)
    .map((field) => ({ field, ...checkText(entry[field], "prompt", parts) }));
  return {
    entry: { ...entry, instruction: fields[0].text, input: fields[1].text },
    found: [
      ...whole.findings.map((finding) => ({ field: "instruction", ...finding })),
      ...fields.flatMap(({ field, findings }) => findings.map((one) => ({ field, ...one }))),
    ],
    refusal: whole.refusal ?? fields.find(({ refusal }) => refusal !== undefined)?.refusal,
  };
}

/**
 * Whether an entry asks something that no filter reads: tools, calls of tools, thinking.
 *
 * @param entry The entry.
 * @returns Whether there is any.
 */
export function hasUnreadParts(entry: DatasetEntry): boolean {
  if (!isChatEntry(entry)) return false;
  return entry.tools !== undefined ||
    entry.messages.some((message) =>
      (["tool_calls", "reasoning_content", "thinking"] as const).some((field) =>
        message[field] !== undefined
      )
    );
}

/**
 * What a person asks in an entry.
 *
 * @param entry The entry.
 * @returns The instruction with its input, or the user's messages.
 */
export function promptsOf(entry: DatasetEntry): string[] {
  if (isTextEntry(entry)) return [];
  if (!isChatEntry(entry)) return [[entry.instruction, entry.input].filter(Boolean).join("\n")];
  return entry.messages.filter(({ role }) => role === "user").map(({ content }) => content);
}
