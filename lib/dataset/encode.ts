/**
 * Entries as tokens.
 *
 * @module
 */

import { assertArray, kindOf } from "../kind_of.ts";
import { alpaca, formatAlpaca, type PromptFormat } from "../text/alpaca.ts";
import { closingToken, encodeChat, encodeChatPrompt } from "../text/chat.ts";
import type { AnswerSpan } from "../text/chat_turns.ts";
import { type ChatMessage, ChatTemplate, type ChatTool } from "../text/chat_template.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { type ChatEntry, type DatasetEntry, isChatEntry, isTextEntry } from "./chat_entry.ts";
import { type InstructionEntry, type TextEntry, topicOf } from "./entry.ts";
import { passOrigin } from "./origin.ts";

/** How entries are formatted: as prompt and response, or as a conversation by a chat template. */
export type EntryFormat = PromptFormat | ChatTemplate;

/** One entry as tokens. Prompt and response are encoded separately, so that no token spans both. */
export interface EncodedExample {
  /**
   * The prompt, up to and including the response marker; for a conversation, up to its first
   * answer.
   */
  promptIds: number[];
  /** The response and the end token; for a conversation, everything after the prompt. */
  responseIds: number[];
  /**
   * The number of tokens of the prompt without its marker, encoded separately: the `instruction`
   * mask ends there.
   */
  instructionLength: number;
  /** The positions of the assistant's answers in the joined tokens of a conversation. */
  answers?: AnswerSpan[];
  /** The weight of its tokens in losses, a number above 0; 1 by default. */
  weight?: number;
  /** The kind of its task, by which losses are told apart. */
  topic?: string;
}

/**
 * The formats of examples; not stored in them, because the format is not part of what is learnt.
 */
const formats = new WeakMap<EncodedExample, EntryFormat>();

/**
 * The format of encoded examples.
 *
 * @param examples Examples by {@linkcode encodeExample}.
 * @returns The format of all of them; undefined if they come from elsewhere or have several formats.
 */
export function formatOf(examples: readonly EncodedExample[]): EntryFormat | undefined {
  const [first, ...others] = new Set(examples.map((example) => formats.get(example)));
  return others.length === 0 ? first : undefined;
}

/**
 * Encodes one entry. Under a chat template, an instruction becomes a user message, with the input
 * after a blank line, and an assistant message.
 *
 * @param entry The entry.
 * @param tokenizer The model's tokenizer.
 * @param format How it is written; Alpaca unless given.
 * @returns The tokens of prompt and response; the response ends with the end token.
 * @throws {TypeError} If a conversation is given for an instruction format, if the template refuses it, or if answers cannot be located in the template's text.
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
  passOrigin(entry, example);
  return example;
}

function encode(
  entry: DatasetEntry,
  tokenizer: Tokenizer,
  format: EntryFormat,
): EncodedExample {
  const { weight } = entry;
  const topic = topicOf(entry);
  const facts = { ...(weight !== undefined && { weight }), ...(topic !== undefined && { topic }) };
  if (isTextEntry(entry)) return { ...encodeText(entry, tokenizer), ...facts };
  if (format instanceof ChatTemplate) {
    const { ids, answers } = encodeChat(messagesOf(entry), tokenizer, format, toolsOf(entry));
    const { start, marker } = answers[0]!;
    return {
      promptIds: ids.slice(0, start),
      responseIds: ids.slice(start),
      instructionLength: marker,
      answers,
      ...facts,
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
    ...facts,
  };
}

/**
 * A text as tokens: all are learnt. Texts are often made by a template, so that names of special tokens are these tokens,
 * and a text that has its first or its last one gets no second.
 */
function encodeText({ text }: TextEntry, tokenizer: Tokenizer): EncodedExample {
  const ids = tokenizer.encode(text, { allowedSpecial: "all" });
  const begin = tokenizer.beginIds.every((id, i) => ids[i] === id) ? [] : tokenizer.beginIds;
  const promptIds = [...begin];
  const close = ids.at(-1) === tokenizer.eosId ? [] : [tokenizer.eosId];
  return { promptIds, responseIds: [...ids, ...close], instructionLength: promptIds.length };
}

/**
 * All tokens that end an answer in a format: the one that is taught, and those that the model's
 * files name.
 *
 * @param format The format.
 * @param tokenizer The model's tokenizer.
 * @returns Their ids, the taught one first, for `eosId` of `generate()`.
 */
export function closingTokensOf(format: EntryFormat, tokenizer: Tokenizer): number[] {
  const taught = format instanceof ChatTemplate ? closingToken(tokenizer, format) : tokenizer.eosId;
  return [...new Set([taught, ...tokenizer.endIds])];
}

/**
 * Encodes the prompt of an entry: without its response, or without its last answer.
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
  if (isTextEntry(entry)) {
    throw new TypeError("Cannot ask a text: expected an instruction or a conversation");
  }
  if (format instanceof ChatTemplate) {
    const messages = messagesOf(entry);
    const last = messages.findLastIndex(({ role }) => role === "assistant");
    const asked = last < 0 ? messages : messages.slice(0, last);
    return encodeChatPrompt(asked, tokenizer, format, toolsOf(entry));
  }
  if (isChatEntry(entry)) throw refuseConversation(format);
  const prompt = format === alpaca
    ? formatAlpaca(entry)
    : format.instruction(entry) + format.responseMarker;
  return [...tokenizer.beginIds, ...tokenizer.encode(prompt)];
}

function toolsOf(entry: InstructionEntry | ChatEntry): { tools?: readonly ChatTool[] } {
  return isChatEntry(entry) && entry.tools ? { tools: entry.tools } : {};
}

function messagesOf(entry: InstructionEntry | ChatEntry): readonly ChatMessage[] {
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
 * @returns One encoded example per entry.
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
  assertArray("encode", entries, "entries");
  if (typeof tokenizer?.encodeParts !== "function") {
    throw new TypeError(`Cannot encode with ${kindOf(tokenizer)}: expected a tokenizer`);
  }
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

/**
 * Refuses entries and texts, which are to be encoded first.
 *
 * @param action What is being done, such as `"train on"`.
 * @param examples What was given.
 * @throws {TypeError} If it is not an array of encoded examples.
 */
export function assertExamples(action: string, examples: readonly EncodedExample[]): void {
  assertArray(action, examples, "examples, as encodeExamples() makes them");
  const isList = (value: unknown) => Array.isArray(value) || ArrayBuffer.isView(value);
  const wrong = examples.findIndex((example) =>
    !isList(example?.promptIds) || !isList(example?.responseIds)
  );
  if (wrong < 0) return;
  throw new TypeError(
    `Cannot ${action} example ${wrong + 1} of ${examples.length}: expected "promptIds" and ` +
      '"responseIds", as encodeExamples() makes them',
  );
}
