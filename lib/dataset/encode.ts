/** Entries as tokens, and which of them are too long. */
import { alpaca, type PromptFormat } from "../text/alpaca.ts";
import { firstCounted, type Mask } from "../text/mask.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import type { InstructionEntry } from "./entry.ts";

/** One entry as tokens. Prompt and response are encoded apart, so that no token spans both. */
export interface EncodedExample {
  /** The prompt, up to and including the response marker. */
  promptIds: number[];
  /** The response and the closing token. */
  responseIds: number[];
  /** How many tokens the prompt without its marker has, encoded alone: the `instruction` mask's line. */
  instructionLength: number;
  /** How often its tokens count, a number above 0; once where it has none. */
  weight?: number;
}

/**
 * Encodes one entry.
 *
 * @param entry The entry.
 * @param tokenizer The model's tokenizer.
 * @param format How the prompt is written; Alpaca unless given.
 * @returns The tokens of prompt and response; the response ends with the closing token.
 */
export function encodeExample(
  entry: InstructionEntry,
  tokenizer: Tokenizer,
  format: PromptFormat = alpaca,
): EncodedExample {
  const instruction = format.instruction(entry);
  return {
    promptIds: tokenizer.encode(instruction + format.responseMarker),
    responseIds: [...tokenizer.encode(entry.output), tokenizer.eosId],
    instructionLength: tokenizer.encode(instruction).length,
    ...(entry.weight !== undefined && { weight: entry.weight }),
  };
}

/**
 * Encodes entries; see {@linkcode encodeExample}.
 *
 * @param entries The entries.
 * @param tokenizer The model's tokenizer.
 * @param format How prompts are written; Alpaca unless given.
 * @returns One encoded example an entry.
 */
export function encodeExamples(
  entries: readonly InstructionEntry[],
  tokenizer: Tokenizer,
  format: PromptFormat = alpaca,
): EncodedExample[] {
  return entries.map((entry) => encodeExample(entry, tokenizer, format));
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
  /** The first index whose target counts; n where none does. */
  counted: number;
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
 * @returns Inputs, targets, and where counting begins.
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
    counted: Math.min(firstCounted(example, mask) - 1, length),
    cut: ids.length - 1 > length,
    weight: example.weight ?? 1,
  };
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
    if (sequence.counted === sequence.inputs.length) uncounted.push(index);
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
