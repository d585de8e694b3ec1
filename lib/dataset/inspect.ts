/** What a model would learn from a data set, before it does. */
import type { Tokenizer } from "../text/tokenizer.ts";
import { assertKnownOptions, type OptionNames } from "../options.ts";
import { type DatasetEntry, isTextEntry } from "./chat_entry.ts";
import {
  closingTokensOf,
  type EncodedExample,
  encodeExamples,
  type EntryFormat,
} from "./encode.ts";
import { summarize, type Summary } from "./explore.ts";
import {
  COUNT_OPTIONS,
  type CountOptions,
  reportLengths,
  tokensCounted,
  toSequence,
} from "./sequences.ts";

/** Options of {@linkcode inspectExamples}. */
export interface InspectOptions extends CountOptions {
  /** How entries are written. */
  format: EntryFormat;
}

const NAMES: OptionNames<InspectOptions> = { ...COUNT_OPTIONS, format: true };

/** What {@linkcode inspectExamples} returns. */
export interface Inspection {
  /** The examples, one for each entry. */
  examples: EncodedExample[];
  /** Lengths in tokens: of the examples, and of what counts in them. */
  tokens: Record<"total" | "counted", Summary>;
  /** Indices of examples that are cut to the allowed length. */
  cut: number[];
  /** Indices of examples of which nothing counts. */
  uncounted: number[];
  /** The token that ends an answer in the format. */
  closing: number;
  /** Indices of examples in which something counts, but never the token that ends an answer. */
  unclosed: number[];
}

/**
 * Encodes entries and measures what a training would learn from them: how many tokens, what is cut, what is masked whole,
 * and whether answers teach the model to stop.
 *
 * @param entries The entries.
 * @param tokenizer The model's tokenizer.
 * @param options Format, mask and allowed length.
 * @returns The measures. A model learns to stop only if fewer examples are unclosed than are counted.
 * @throws {RangeError} If there are no entries.
 * @throws {TypeError} If an entry cannot be encoded; the message names it.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { gpt2Tokenizer } from "tunebook";
 * import { inspectExamples } from "tunebook/data";
 * import { alpaca } from "tunebook/text";
 *
 * const entries = [{ instruction: "Name a colour.", input: "", output: "Blue." }];
 * const { tokens, unclosed } = inspectExamples(entries, gpt2Tokenizer(), { format: alpaca });
 * assertEquals([tokens.counted.max, unclosed], [3, []]);
 * ```
 */
export function inspectExamples(
  entries: readonly DatasetEntry[],
  tokenizer: Tokenizer,
  options: InspectOptions,
): Inspection {
  assertKnownOptions("inspect entries", options, NAMES);
  const { format, ...count } = options;
  const examples = encodeExamples(entries, tokenizer, format);
  const [closing] = closingTokensOf(format, tokenizer);
  const sequences = examples.map((example) => toSequence(example, count));
  const { cut, uncounted } = reportLengths(examples, count);
  const closes = sequences.map(({ targets, counted }, i) => {
    const token = isTextEntry(entries[i]!) ? tokenizer.eosId : closing!;
    return counted.some(([start, end]) => targets.slice(start, end).includes(token));
  });
  return {
    examples,
    tokens: {
      total: summarize(sequences.map(({ inputs }) => inputs.length + 1)),
      counted: summarize(sequences.map(tokensCounted)),
    },
    cut,
    uncounted,
    closing: closing!,
    unclosed: [...closes.keys()].filter((i) => !closes[i] && sequences[i]!.counted.length > 0),
  };
}
