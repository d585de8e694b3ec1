/** Statistics of a data set, to be inspected before training. */
import { stringifyJson } from "../json_source.ts";
import { alpaca } from "../text/alpaca.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { type DatasetEntry, isChatEntry, isTextEntry } from "./chat_entry.ts";
import { collate } from "./collate.ts";
import { type EncodedExample, encodeExamples, type EntryFormat } from "./encode.ts";
import { topicOf } from "./entry.ts";
import { type EntryTexts, textsOf } from "./entry_texts.ts";
import { forest } from "./forest.ts";
import { hasNothingToLearn } from "./forms/mod.ts";
import { findNearDuplicates, type NearDuplicate } from "./near_duplicates.ts";
import { findOutliers, type Outlier } from "./outliers.ts";
import { assertKnownOptions, type OptionNames } from "../options.ts";
import { COUNT_OPTIONS, type CountOptions } from "./sequences.ts";
import { countNGrams, countVocabulary, type NGram, type Vocabulary } from "./vocabulary.ts";

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

/** Options of {@linkcode exploreEntries}. */
export interface ExploreOptions {
  /** How entries are written; Alpaca's format by default. */
  readonly format?: EntryFormat;
  /**
   * How many openings and n-grams of each length are listed.
   *
   * @default {10}
   */
  readonly openings?: number;
  /**
   * The least similarity of near duplicates, above 0 and at most 1.
   *
   * @default {0.7}
   */
  readonly threshold?: number;
}

const NAMES: OptionNames<ExploreOptions> = { format: true, openings: true, threshold: true };

/** The result of {@linkcode exploreEntries}. */
export interface Exploration {
  /** How many entries there are. */
  entries: number;
  /** How many have an input. */
  withInput: number;
  /** The indices of entries whose output is empty or white space. */
  emptyOutputs: number[];
  /** Groups of indices of entries equal in all of their texts. */
  duplicates: number[][];
  /** Pairs of entries with nearly the same words, as MinHash finds them, the most similar first. */
  nearDuplicates: NearDuplicate[];
  /** Groups of indices of entries that ask the same, with different outputs. */
  conflicts: number[][];
  /**
   * Lengths in characters (UTF-16 code units). Of a conversation the instruction is what users say, the input what the system
   * and tools say, and the output what the assistant says; of a text there is only output.
   */
  characters: Record<"instruction" | "input" | "output", Summary>;
  /**
   * Lengths in tokens: the prompt with its marker, the response without the end token, and both.
   */
  tokens: Record<"prompt" | "response" | "total", Summary>;
  /** The length of the common prefix of all prompts, in tokens. */
  sharedPrefixTokens: number;
  /** The first two words of instructions, most common first. */
  openings: { words: string; count: number }[];
  /** How many entries each topic has, most first; entries without one have `null`. Empty if none has a topic. */
  topics: { topic: string | null; count: number }[];
  /** The most common sequences of one, two and three words, in prompts and in responses. */
  ngrams: Record<"prompt" | "response", [NGram[], NGram[], NGram[]]>;
  /** The words of prompts and of responses. */
  vocabulary: Record<"prompt" | "response", Vocabulary>;
  /** Entries that are unlike the others: very long or short, or of characters that take many tokens. */
  outliers: Outlier[];
}

/**
 * Computes the statistics of a data set: its size, lengths, topics, words, duplicates and outliers. `explorationView()` of
 * `tunebook/show` has a table and a chart of each.
 *
 * @param entries The entries.
 * @param tokenizer The model's tokenizer.
 * @param options How entries are written, how much is listed, and what a near duplicate is.
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
  entries: readonly DatasetEntry[],
  tokenizer: Tokenizer,
  options: ExploreOptions = {},
): Exploration {
  assertKnownOptions("explore entries", options, NAMES);
  const { format = alpaca, openings = 10, threshold = 0.7 } = options;
  const examples = encodeExamples(entries, tokenizer, format);
  const texts = entries.map(textsOf);
  const prompts = examples.map(({ promptIds }) => promptIds.length);
  const responses = examples.map(({ responseIds }) => responseIds.length - 1);
  const totals = prompts.map((length, i) => length + responses[i]!);
  const asked = groups([...entries.keys()].filter((i) => !isTextEntry(entries[i]!)), (i) => (
    askedBy(entries[i]!)
  ));
  const characters = (part: keyof EntryTexts) => summarize(texts.map((all) => all[part].length));
  const words = {
    prompt: texts.map(({ instruction, input }) => `${instruction}\n${input}`),
    response: texts.map(({ output }) => output),
  };
  const ngrams = (of: readonly string[]): [NGram[], NGram[], NGram[]] => [
    countNGrams(of, 1, openings),
    countNGrams(of, 2, openings),
    countNGrams(of, 3, openings),
  ];
  return {
    entries: entries.length,
    withInput: texts.filter(({ input }) => input !== "").length,
    emptyOutputs: [...entries.keys()].filter((i) => hasNothingToLearn(entries[i]!)),
    duplicates: groups([...entries.keys()], (i) => allOf(entries[i]!)),
    nearDuplicates: findNearDuplicates(entries, { threshold }),
    conflicts: asked.filter((group) => new Set(group.map((i) => allOf(entries[i]!))).size > 1),
    characters: {
      instruction: characters("instruction"),
      input: characters("input"),
      output: characters("output"),
    },
    tokens: {
      prompt: summarize(prompts),
      response: summarize(responses),
      total: summarize(totals),
    },
    sharedPrefixTokens: sharedPrefix(examples),
    openings: commonOpenings(texts).slice(0, openings),
    topics: countTopics(entries),
    ngrams: { prompt: ngrams(words.prompt), response: ngrams(words.response) },
    vocabulary: {
      prompt: countVocabulary(words.prompt),
      response: countVocabulary(words.response),
    },
    outliers: [
      ...findOutliers(prompts, "prompt tokens"),
      ...findOutliers(responses, "response tokens"),
      ...findOutliers(charactersPerToken(texts, tokenizer), "characters per token"),
    ],
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

/** What an entry asks: all but its last answer. */
function askedBy(entry: DatasetEntry): string {
  if (isTextEntry(entry)) return "";
  if (!isChatEntry(entry)) return stringifyJson([entry.instruction, entry.input]);
  const last = entry.messages.findLastIndex(({ role }) => role === "assistant");
  return stringifyJson([entry.messages.slice(0, last < 0 ? undefined : last), entry.tools]);
}

/** All texts of an entry. */
function allOf(entry: DatasetEntry): string {
  if (isChatEntry(entry)) return stringifyJson([entry.messages, entry.tools]);
  return JSON.stringify(textsOf(entry));
}

/** Groups of two or more indices of entries with the same key. */
function groups(indices: readonly number[], key: (index: number) => string): number[][] {
  return [...Map.groupBy(indices, key).values()].filter((group) => group.length > 1);
}

/** How many characters of an entry's texts a token has, without those of the format. */
function charactersPerToken(texts: readonly EntryTexts[], tokenizer: Tokenizer): number[] {
  return texts.map(({ instruction, input, output }) => {
    const text = `${instruction} ${input} ${output}`;
    return text.length / Math.max(1, tokenizer.encode(text).length);
  });
}

function countTopics(entries: readonly DatasetEntry[]): Exploration["topics"] {
  const counts = Map.groupBy(entries, (entry) => topicOf(entry) ?? null);
  if (counts.size === 1 && counts.has(null)) return [];
  return [...counts].map(([topic, same]) => ({ topic, count: same.length }))
    .sort((a, b) => b.count - a.count);
}

function sharedPrefix(examples: readonly EncodedExample[]): number {
  const [first, ...others] = examples.map(({ promptIds }) => promptIds);
  let shared = 0;
  while (shared < first!.length && others.every((ids) => ids[shared] === first![shared])) shared++;
  return shared;
}

function commonOpenings(texts: readonly EntryTexts[]): Exploration["openings"] {
  const counts = new Map<string, number>();
  for (const { instruction } of texts) {
    const words = instruction.trim().split(/\s+/).slice(0, 2).join(" ");
    if (words !== "") counts.set(words, (counts.get(words) ?? 0) + 1);
  }
  return [...counts].map(([words, count]) => ({ words, count }))
    .sort((a, b) => b.count - a.count || (a.words < b.words ? -1 : 1));
}
