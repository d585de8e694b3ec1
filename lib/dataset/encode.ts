/**
 * Entries as tokens.
 *
 * @module
 */

import { alpaca, formatAlpaca, type PromptFormat } from "../text/alpaca.ts";
import { type AnswerSpan, closingToken, encodeChat, encodeChatPrompt } from "../text/chat.ts";
import { type ChatMessage, ChatTemplate } from "../text/chat_template.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { type DatasetEntry, isChatEntry } from "./chat_entry.ts";

/** How entries are written: as prompt and response, or by a chat template as a conversation. */
export type EntryFormat = PromptFormat | ChatTemplate;

/** One entry as tokens. Prompt and response are encoded apart, so that no token spans both. */
export interface EncodedExample {
  /** The prompt, up to and including the response marker; a conversation's up to its first answer. */
  promptIds: number[];
  /** The response and the closing token; all that follows a conversation's prompt. */
  responseIds: number[];
  /** How many tokens the prompt without its marker has, encoded alone: the `instruction` mask's line. */
  instructionLength: number;
  /** Where the assistant's answers stand among the joined tokens, in a conversation. */
  answers?: AnswerSpan[];
  /** How often its tokens count, a number above 0; once where it has none. */
  weight?: number;
}

/** How examples were written; kept apart from them, since it is no part of what is learnt. */
const formats = new WeakMap<EncodedExample, EntryFormat>();

/**
 * The format in which examples were written.
 *
 * @param examples What {@linkcode encodeExample} made.
 * @returns The format of all of them; undefined where they were made otherwise, or in several formats.
 */
export function formatOf(examples: readonly EncodedExample[]): EntryFormat | undefined {
  const [first, ...others] = new Set(examples.map((example) => formats.get(example)));
  return others.length === 0 ? first : undefined;
}

/**
 * Encodes one entry. An instruction becomes, under a chat template, a message of the user, with its
 * input after a blank line, and one of the assistant.
 *
 * @param entry The entry.
 * @param tokenizer The model's tokenizer.
 * @param format How it is written; Alpaca unless given.
 * @returns The tokens of prompt and response; the response ends with the closing token.
 * @throws {TypeError} If a conversation is to be written as an instruction, or the template refuses
 * it, or writes it so that answers cannot be told apart.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { encodeExample, gpt2Tokenizer } from "tunebook";
 *
 * const tokenizer = gpt2Tokenizer();
 * const entry = { instruction: "Name a colour.", input: "", output: "Blue." };
 * const { promptIds, responseIds } = encodeExample(entry, tokenizer);
 * assertEquals(tokenizer.decode(promptIds).endsWith("### Response:\n"), true);
 * assertEquals(responseIds.at(-1), tokenizer.eosId);
 * ```
 */
export function encodeExample(
  entry: DatasetEntry,
  tokenizer: Tokenizer,
  format: EntryFormat = alpaca,
): EncodedExample {
  const example = encode(entry, tokenizer, format);
  formats.set(example, format);
  return example;
}

function encode(
  entry: DatasetEntry,
  tokenizer: Tokenizer,
  format: EntryFormat,
): EncodedExample {
  const weight = entry.weight !== undefined && { weight: entry.weight };
  if (format instanceof ChatTemplate) {
    const { ids, answers } = encodeChat(messagesOf(entry), tokenizer, format);
    const { start, marker } = answers[0]!;
    return {
      promptIds: ids.slice(0, start),
      responseIds: ids.slice(start),
      instructionLength: marker,
      answers,
      ...weight,
    };
  }
  if (isChatEntry(entry)) throw refuseConversation(format);
  const instruction = format.instruction(entry);
  const begin = tokenizer.beginIds;
  const [prompt, response] = tokenizer.encodeParts([
    instruction + format.responseMarker,
    entry.output,
  ]) as [number[], number[]];
  return {
    promptIds: [...begin, ...prompt],
    responseIds: [...response, tokenizer.eosId],
    instructionLength: begin.length + tokenizer.encode(instruction).length,
    ...weight,
  };
}

/**
 * The tokens of which each ends an answer in a format: the one that was taught, and those that the model's files name.
 *
 * @param format The format.
 * @param tokenizer The model's tokenizer.
 * @returns Their ids, the taught one first: what `generate()` takes as `eosId`.
 */
export function closingTokensOf(format: EntryFormat, tokenizer: Tokenizer): number[] {
  const taught = format instanceof ChatTemplate ? closingToken(tokenizer, format) : tokenizer.eosId;
  return [...new Set([taught, ...tokenizer.endIds])];
}

/**
 * Encodes what a model is asked: an entry without its response, or without its last answer.
 *
 * @param entry The entry.
 * @param tokenizer The model's tokenizer.
 * @param format How it is written; Alpaca unless given.
 * @returns The prompt's tokens.
 * @throws {TypeError} As {@linkcode encodeExample}.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { encodePrompt, formatAlpaca, gpt2Tokenizer } from "tunebook";
 *
 * const tokenizer = gpt2Tokenizer();
 * const entry = { instruction: "Name a colour.", input: "", output: "" };
 * assertEquals(tokenizer.decode(encodePrompt(entry, tokenizer)), formatAlpaca(entry));
 * ```
 */
export function encodePrompt(
  entry: DatasetEntry,
  tokenizer: Tokenizer,
  format: EntryFormat = alpaca,
): number[] {
  if (format instanceof ChatTemplate) {
    const messages = messagesOf(entry);
    const last = messages.findLastIndex(({ role }) => role === "assistant");
    return encodeChatPrompt(last < 0 ? messages : messages.slice(0, last), tokenizer, format);
  }
  if (isChatEntry(entry)) throw refuseConversation(format);
  const prompt = format === alpaca
    ? formatAlpaca(entry)
    : format.instruction(entry) + format.responseMarker;
  return [...tokenizer.beginIds, ...tokenizer.encode(prompt)];
}

function messagesOf(entry: DatasetEntry): readonly ChatMessage[] {
  if (isChatEntry(entry)) return entry.messages;
  const { instruction, input, output } = entry;
  return [
    { role: "user", content: input ? `${instruction}\n\n${input}` : instruction },
    { role: "assistant", content: output },
  ];
}

function refuseConversation({ name }: PromptFormat): TypeError {
  return new TypeError(
    `Cannot write a conversation in the format "${name}", expected a chat template`,
  );
}

/**
 * Encodes entries; see {@linkcode encodeExample}.
 *
 * @param entries The entries.
 * @param tokenizer The model's tokenizer.
 * @param format How they are written; Alpaca unless given.
 * @returns One encoded example an entry.
 * @throws {TypeError} If one cannot be encoded; the message names it.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { encodeExamples, gpt2Tokenizer } from "tunebook";
 *
 * const entries = [
 *   { instruction: "Name a colour.", input: "", output: "Blue." },
 *   { instruction: "Name a fruit.", input: "", output: "An apple." },
 * ];
 * const examples = encodeExamples(entries, gpt2Tokenizer());
 * assertEquals(examples.map(({ responseIds }) => responseIds.length), [3, 4]);
 * ```
 */
export function encodeExamples(
  entries: readonly DatasetEntry[],
  tokenizer: Tokenizer,
  format: EntryFormat = alpaca,
): EncodedExample[] {
  return entries.map((entry, i) => {
    try {
      return encodeExample(entry, tokenizer, format);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      throw new TypeError(`Cannot encode entry ${i + 1} of ${entries.length}: ${error.message}`, {
        cause: error,
      });
    }
  });
}
