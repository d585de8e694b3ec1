/** Entries as tokens, and which of them are too long. */
import { alpaca, formatAlpaca, type PromptFormat } from "../text/alpaca.ts";
import { type AnswerSpan, closingToken, encodeChat, encodeChatPrompt } from "../text/chat.ts";
import { type ChatMessage, ChatTemplate } from "../text/chat_template.ts";
import { countedRanges, type Mask } from "../text/mask.ts";
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

/** Which targets of a batch count, and how long its sequences may be. */
export interface CountOptions {
  /**
   * Which tokens count.
   *
   * @default {"prompt"}
   */
  mask?: Mask;
  /**
   * The most input tokens a sequence may have; what lies beyond is cut off. Unbounded unless given.
   */
  maxLength?: number;
}

/** One example as inputs and targets, cut to the allowed length. */
export interface Sequence {
  /** The model's input, length n: prompt and response without the closing token. */
  inputs: number[];
  /** Each input's successor, length n. */
  targets: number[];
  /** Ranges of indices whose targets count: the first and one past the last, in order, none empty. */
  counted: [start: number, end: number][];
  /** Whether tokens were cut off. */
  cut: boolean;
  /** How often each of its targets counts. */
  weight: number;
}

/**
 * An example as inputs and targets: the targets are the joined tokens shifted left by one, both are
 * cut at `maxLength` as the reference cuts them.
 *
 * @param example The example.
 * @param options The mask and the allowed length.
 * @returns Inputs, targets, and which of them count.
 * @throws {RangeError} If `maxLength` is not a positive integer.
 */
export function toSequence(example: EncodedExample, options: CountOptions = {}): Sequence {
  const { mask = "prompt", maxLength = Infinity } = options;
  if (maxLength !== Infinity && !(Number.isInteger(maxLength) && maxLength >= 1)) {
    throw new RangeError(`Cannot cut at ${maxLength} tokens: maxLength must be a positive integer`);
  }
  const ids = [...example.promptIds, ...example.responseIds];
  const length = Math.min(ids.length - 1, maxLength);
  return {
    inputs: ids.slice(0, length),
    targets: ids.slice(1, length + 1),
    counted: countedRanges(example, mask)
      .map(([start, end]): [number, number] => [start - 1, Math.min(end - 1, length)])
      .filter(([start, end]) => start < end),
    cut: ids.length - 1 > length,
    weight: example.weight ?? 1,
  };
}

/** How many of a sequence's targets count. */
export function tokensCounted({ counted }: Sequence): number {
  return counted.reduce((sum, [start, end]) => sum + end - start, 0);
}

/** What an allowed length does to a data set. */
export interface LengthReport {
  /** How many examples were looked at. */
  examples: number;
  /** The indices of those longer than allowed. */
  cut: number[];
  /** The indices of those of which no token counts any more. */
  uncounted: number[];
  /** Both in one sentence, or `undefined` where there is nothing to say. */
  message: string | undefined;
}

/**
 * Finds the examples that an allowed length cuts, and those of which nothing is left to learn, so
 * that neither happens in silence.
 *
 * @param examples The examples.
 * @param options The mask and the allowed length.
 * @returns Their indices, and a sentence for a person.
 */
export function reportLengths(
  examples: readonly EncodedExample[],
  options: CountOptions = {},
): LengthReport {
  const cut: number[] = [];
  const uncounted: number[] = [];
  for (const [index, example] of examples.entries()) {
    const sequence = toSequence(example, options);
    if (sequence.cut) cut.push(index);
    if (sequence.counted.length === 0) uncounted.push(index);
  }
  const total = examples.length;
  const sentences = [];
  if (cut.length > 0) {
    sentences.push(`${cut.length} of ${total} examples are cut to ${options.maxLength} tokens`);
  }
  if (uncounted.length > 0) {
    sentences.push(
      `${uncounted.length} of ${total} have no token that counts under the mask ` +
        `"${options.mask ?? "prompt"}" (the first is example ${uncounted[0]! + 1})`,
    );
  }
  return {
    examples: total,
    cut,
    uncounted,
    message: sentences.length > 0 ? sentences.join("; ") : undefined,
  };
}
