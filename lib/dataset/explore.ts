/** Statistics of a data set, to be inspected before training. */
import { alpaca, type PromptFormat } from "../text/alpaca.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { collate } from "./collate.ts";
import { type EncodedExample, encodeExample } from "./encode.ts";
import type { CountOptions } from "./sequences.ts";
import type { InstructionEntry } from "./entry.ts";
import { forest } from "./forest.ts";
import { assertKnownOptions } from "../options.ts";
import { COUNT_OPTIONS } from "./sequences.ts";

/** A distribution of whole numbers. */
export interface Summary {
  /** The smallest. */
  min: number;
  /** The mean. */
  mean: number;
  /** The middle one, or the mean of the two in the middle. */
  median: number;
  /** The 95th percentile (nearest rank). */
  p95: number;
  /** The largest. */
  max: number;
  /** All values, in the data's order, for a histogram. */
  values: number[];
}

/** The result of {@linkcode exploreEntries}. */
export interface Exploration {
  /** How many entries there are. */
  entries: number;
  /** How many have an input. */
  withInput: number;
  /** The indices of entries whose output is empty or white space. */
  emptyOutputs: number[];
  /** Groups of indices of entries equal in all three fields. */
  duplicates: number[][];
  /** Groups of indices of entries with the same instruction and input, but different outputs. */
  conflicts: number[][];
  /** Lengths in characters (UTF-16 code units). */
  characters: Record<"instruction" | "input" | "output", Summary>;
  /**
   * Lengths in tokens: the prompt with its marker, the response without the end token, and both.
   */
  tokens: Record<"prompt" | "response" | "total", Summary>;
  /** The length of the common prefix of all prompts, in tokens. */
  sharedPrefixTokens: number;
  /** The first two words of instructions, most common first. */
  openings: { words: string; count: number }[];
}

/**
 * Computes the statistics of a data set: its size, lengths, variety and duplicates.
 *
 * @param entries The entries.
 * @param tokenizer The model's tokenizer.
 * @param options How prompts are written, and how many openings to list.
 * @returns The statistics.
 * @throws {RangeError} If there are no entries.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { exploreEntries, gpt2Tokenizer } from "tunebook";
 *
 * const entry = { instruction: "Name a colour.", input: "", output: "Blue." };
 * const { entries, duplicates, tokens } = exploreEntries([entry, entry], gpt2Tokenizer());
 * assertEquals([entries, duplicates, tokens.response.max], [2, [[0, 1]], 2]);
 * ```
 */
export function exploreEntries(
  entries: readonly InstructionEntry[],
  tokenizer: Tokenizer,
  options: { format?: PromptFormat; openings?: number } = {},
): Exploration {
  assertKnownOptions("explore entries", options, { format: true, openings: true });
  const { format = alpaca, openings = 10 } = options;
  const examples = entries.map((entry) => encodeExample(entry, tokenizer, format));
  const prompts = examples.map(({ promptIds }) => promptIds.length);
  const responses = examples.map(({ responseIds }) => responseIds.length - 1);
  const asked = groups(entries, ({ instruction, input }) => JSON.stringify([instruction, input]));
  const equal = groups(entries, (e) => JSON.stringify([e.instruction, e.input, e.output]));
  return {
    entries: entries.length,
    withInput: entries.filter(({ input }) => input !== "").length,
    emptyOutputs: [...entries.keys()].filter((i) => entries[i]!.output.trim() === ""),
    duplicates: equal,
    conflicts: asked.filter((group) => new Set(group.map((i) => entries[i]!.output)).size > 1),
    characters: {
      instruction: summarize(entries.map(({ instruction }) => instruction.length)),
      input: summarize(entries.map(({ input }) => input.length)),
      output: summarize(entries.map(({ output }) => output.length)),
    },
    tokens: {
      prompt: summarize(prompts),
      response: summarize(responses),
      total: summarize(prompts.map((length, i) => length + responses[i]!)),
    },
    sharedPrefixTokens: sharedPrefix(examples),
    openings: commonOpenings(entries).slice(0, openings),
  };
}

/**
 * Summarizes numbers.
 *
 * @param values The numbers.
 * @returns Their extremes, mean, median and 95th percentile, and the numbers themselves.
 * @throws {RangeError} If there are none.
 */
export function summarize(values: readonly number[]): Summary {
  if (values.length === 0) throw new RangeError("Cannot summarize no values");
  const sorted = values.toSorted((a, b) => a - b);
  const n = sorted.length;
  return {
    min: sorted[0]!,
    mean: values.reduce((sum, value) => sum + value, 0) / n,
    median: (sorted[(n - 1) >> 1]! + sorted[n >> 1]!) / 2,
    p95: sorted[Math.ceil(0.95 * n) - 1]!,
    max: sorted[n - 1]!,
    values: [...values],
  };
}

/** Sizes of batches, summed over all of them. */
export interface BatchTotals {
  /** How many batches there are. */
  batches: number;
  /** Tokens that padded batches compute. */
  tokensPadded: number;
  /** Tokens that are not padding. */
  tokensReal: number;
  /** Tokens that forest batches compute. */
  tokensComputed: number;
  /** Targets that the loss counts. */
  tokensCounted: number;
}

/**
 * Adds up the tokens of padded batches and forest batches.
 *
 * @param examples The examples.
 * @param batches Indices of each batch's examples.
 * @param options The mask and the allowed length.
 * @returns The sums; a batch without counted targets has no forest tokens.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { totalBatches } from "tunebook";
 *
 * const examples = [
 *   { promptIds: [1, 2], responseIds: [3, 50256], instructionLength: 1 },
 *   { promptIds: [1, 2], responseIds: [4, 50256], instructionLength: 1 },
 * ];
 * const { tokensPadded, tokensComputed } = totalBatches(examples, [[0, 1]]);
 * assertEquals([tokensPadded, tokensComputed], [6, 4]); // the shared prompt is computed once
 * ```
 */
export function totalBatches(
  examples: readonly EncodedExample[],
  batches: readonly (readonly number[])[],
  options: CountOptions = {},
): BatchTotals {
  assertKnownOptions("add up batches", options, COUNT_OPTIONS);
  const totals = {
    batches: 0,
    tokensPadded: 0,
    tokensReal: 0,
    tokensComputed: 0,
    tokensCounted: 0,
  };
  for (const indices of batches) {
    const batch = indices.map((index) => examples[index]!);
    const padded = collate(batch, options);
    totals.batches++;
    totals.tokensPadded += padded.tokensPadded;
    totals.tokensReal += padded.tokensReal;
    totals.tokensCounted += padded.tokensCounted;
    if (padded.tokensCounted > 0) totals.tokensComputed += forest(batch, options).tokensComputed;
  }
  return totals;
}

/** Groups of two or more indices whose items have the same key. */
function groups<T>(items: readonly T[], key: (item: T) => string): number[][] {
  const byKey = Map.groupBy(items.keys(), (i) => key(items[i]!));
  return [...byKey.values()].filter((group) => group.length > 1);
}

function sharedPrefix(examples: readonly EncodedExample[]): number {
  const [first, ...others] = examples.map(({ promptIds }) => promptIds);
  let shared = 0;
  while (shared < first!.length && others.every((ids) => ids[shared] === first![shared])) shared++;
  return shared;
}

function commonOpenings(entries: readonly InstructionEntry[]): Exploration["openings"] {
  const counts = new Map<string, number>();
  for (const { instruction } of entries) {
    const words = instruction.trim().split(/\s+/).slice(0, 2).join(" ");
    counts.set(words, (counts.get(words) ?? 0) + 1);
  }
  return [...counts].map(([words, count]) => ({ words, count }))
    .sort((a, b) => b.count - a.count || (a.words < b.words ? -1 : 1));
}
