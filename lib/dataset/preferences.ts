/**
 * Preferences: two answers to one prompt, of which one is better; and batches of such pairs, in which both answers share
 * the rows of their prompt.
 *
 * @module
 */

import { assertArray, kindOf } from "../kind_of.ts";
import type { ForestBatch } from "../forest.ts";
import { assertKnownOptions, type OptionNames } from "../options.ts";
import { alpaca } from "../text/alpaca.ts";
import type { ChatMessage, ChatTool } from "../text/chat_template.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import type { DatasetEntry } from "./chat_entry.ts";
import { type EncodedExample, encodeExample, type EntryFormat } from "./encode.ts";
import { passOrigin } from "./origin.ts";
import type { CarriedFields } from "./entry.ts";
import { type BatchLayout, layOutPaths, LAYOUTS } from "./forest.ts";
import { type BatchSizes, type Sequence, tokensCounted, toSequences } from "./sequences.ts";

/** A prompt with a better and a worse answer: all three are texts, or all are messages. */
export interface PreferenceEntry extends CarriedFields {
  /** The instruction, or the conversation so far. */
  prompt: string | ChatMessage[];
  /** The better answer; of messages, the messages that continue the conversation. */
  chosen: string | ChatMessage[];
  /** The worse answer. */
  rejected: string | ChatMessage[];
  /** The tools that the template writes; only with messages. */
  tools?: ChatTool[];
}

/** A pair of answers as tokens. Only the answers count, never the prompt. */
export interface EncodedPair {
  /** The prompt with the better answer. */
  chosen: EncodedExample;
  /** The prompt with the worse answer. */
  rejected: EncodedExample;
}

/**
 * Encodes preferences as the pairs that `dpo()` learns from. Each answer is encoded as `encodeExample()` does for an entry
 * of the prompt and this answer.
 *
 * @param entries The preferences.
 * @param tokenizer The model's tokenizer.
 * @param format How they are written; Alpaca unless given.
 * @returns One pair per entry.
 * @throws {TypeError} If an entry is not a preference or cannot be encoded; the message names it.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { gpt2Tokenizer } from "tunebook";
 * import { encodePreferences } from "tunebook/data";
 *
 * const tokenizer = gpt2Tokenizer();
 * const entry = { prompt: "Name a colour.", chosen: "Blue.", rejected: "A colour is blue." };
 * const [{ chosen, rejected }] = encodePreferences([entry], tokenizer);
 * assertEquals(chosen.promptIds, rejected.promptIds);
 * assertEquals(tokenizer.decode(chosen.responseIds), "Blue.<|endoftext|>");
 * ```
 */
export function encodePreferences(
  entries: readonly PreferenceEntry[],
  tokenizer: Tokenizer,
  format: EntryFormat = alpaca,
): EncodedPair[] {
  assertArray("encode", entries, "preferences");
  return entries.map((entry, i) => {
    try {
      const pair = {
        chosen: encodeExample(withAnswer(entry, "chosen"), tokenizer, format),
        rejected: encodeExample(withAnswer(entry, "rejected"), tokenizer, format),
      };
      passOrigin(entry, pair);
      return pair;
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      throw new TypeError(
        `Cannot encode preference ${i + 1} of ${entries.length}: ${error.message}`,
        { cause: error },
      );
    }
  });
}

/**
 * The entry of a prompt and one of its answers, which is what it is in supervised fine-tuning.
 *
 * @param entry The preference.
 * @param which Which answer.
 * @returns An instruction, or a conversation of which only the answer counts.
 * @throws {TypeError} If texts and messages are mixed, or something is missing.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { withAnswer } from "tunebook/data";
 *
 * const entry = { prompt: "Name a colour.", chosen: "Blue.", rejected: "A colour is blue." };
 * assertEquals(withAnswer(entry, "chosen"), {
 *   instruction: "Name a colour.",
 *   input: "",
 *   output: "Blue.",
 * });
 * ```
 */
export function withAnswer(entry: PreferenceEntry, which: "chosen" | "rejected"): DatasetEntry {
  const { prompt, [which]: answer, tools, chosen: _c, rejected: _r, ...carried } = entry;
  if (typeof prompt === "string" && typeof answer === "string") {
    return { instruction: prompt, input: "", output: answer, ...carried };
  }
  if (!Array.isArray(prompt) || !Array.isArray(answer)) {
    throw new TypeError(
      `Cannot join a "prompt" that is ${kindOf(prompt)} and "${which}" that is ${
        kindOf(answer)
      }: ` +
        "expected two texts, or two arrays of messages",
    );
  }
  const asked = prompt.map((message) =>
    message.role === "assistant" ? { ...message, weight: 0 } : message
  );
  return { messages: [...asked, ...answer], ...(tools && { tools }), ...carried };
}

/** Options of {@linkcode preferenceForest}. */
export interface PreferenceForestOptions {
  /** The most input tokens of a sequence; the rest is cut off. Unbounded by default. */
  readonly maxLength?: number;
  /**
   * How the sequences are laid out.
   *
   * @default {"forest"}
   */
  readonly layout?: BatchLayout;
}

const NAMES: OptionNames<PreferenceForestOptions> = { maxLength: true, layout: true };

/** A batch of B pairs: 2 B sequences, those of a pair one after the other, the chosen one first. */
export interface PreferenceBatch extends ForestBatch, BatchSizes {
  /** How many pairs it has, B. */
  readonly pairs: number;
  /**
   * How much each edge counts in each answer, (2 B, E): times the edges' log-probabilities this gives the answers'. An edge
   * that both answers of a pair share counts in both.
   */
  readonly answers: Float32Array<ArrayBuffer>;
  /** The number of tokens that count in each answer, (2 B). */
  readonly lengths: Float32Array<ArrayBuffer>;
}

/**
 * Makes a batch of pairs. As a forest, a pair is one tree: the prompt, and a branch for each answer.
 *
 * @param pairs The pairs.
 * @param options The layout and the allowed length.
 * @returns The batch.
 * @throws {RangeError} If there are no pairs, or no token of an answer is left.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { preferenceForest } from "tunebook/data";
 *
 * const prompt = { promptIds: [1, 2], instructionLength: 1 };
 * const { tokens, edges, answers } = preferenceForest([{
 *   chosen: { ...prompt, responseIds: [3, 9] },
 *   rejected: { ...prompt, responseIds: [4, 9] },
 * }]);
 * assertEquals([...tokens], [1, 2, 3, 4]);
 * assertEquals([...edges.targets], [3, 4, 9, 9]);
 * assertEquals([...answers], [1, 0, 1, 0, 0, 1, 0, 1]);
 * ```
 */
export function preferenceForest(
  pairs: readonly EncodedPair[],
  options: PreferenceForestOptions = {},
): PreferenceBatch {
  assertKnownOptions("make a batch of preferences", options, NAMES);
  assertPairs("make a batch of", pairs);
  const { layout = "forest", maxLength } = options;
  if (!LAYOUTS.includes(layout)) {
    throw new RangeError(
      `Cannot lay out a batch as "${layout}": expected one of "${LAYOUTS.join('", "')}"`,
    );
  }
  const examples = pairs.flatMap(({ chosen, rejected }) => [chosen, rejected]);
  const batch = toSequences(examples, { mask: "prompt", ...(maxLength && { maxLength }) });
  const { sequences } = batch;
  const empty = sequences.findIndex(({ counted }) => counted.length === 0);
  if (empty >= 0) {
    throw new RangeError(
      `Cannot compare the answers of pair ${
        Math.floor(empty / 2) + 1
      } of ${pairs.length}: with at most ` +
        `${maxLength ?? "any number of"} tokens per sequence, no token of the ` +
        `${empty % 2 === 0 ? "chosen" : "rejected"} one is left`,
    );
  }
  const { batch: laidOut, paths } = layOutPaths(batch, layout);
  return {
    ...laidOut,
    pairs: pairs.length,
    answers: weighEdges(sequences, paths, laidOut),
    lengths: Float32Array.from(sequences, tokensCounted),
  };
}

/** How much each edge counts in each sequence, (sequences, E). */
function weighEdges(
  sequences: readonly Sequence[],
  paths: readonly Int32Array[],
  { edges: { rows, targets } }: ForestBatch,
): Float32Array<ArrayBuffer> {
  const key = (row: number, target: number) => `${row} ${target}`;
  const edgeOf = new Map(Array.from(rows, (row, edge) => [key(row, targets[edge]!), edge]));
  const weights = new Float32Array(sequences.length * rows.length);
  for (const [k, { targets, counted }] of sequences.entries()) {
    for (const [start, end, weight] of counted) {
      for (let i = start; i < end; i++) {
        const edge = edgeOf.get(key(paths[k]![i]!, targets[i]!))!;
        weights[k * rows.length + edge]! += weight;
      }
    }
  }
  return weights;
}

/**
 * Refuses what is not an array of encoded pairs.
 *
 * @param action What is being done, such as `"train on"`.
 * @param pairs What was given.
 * @throws {TypeError} If it is not an array of pairs, as `encodePreferences()` makes them.
 */
export function assertPairs(action: string, pairs: readonly EncodedPair[]): void {
  assertArray(action, pairs, "pairs, as encodePreferences() makes them");
  const isExample = (example: EncodedExample | undefined) =>
    Array.isArray(example?.promptIds) && Array.isArray(example?.responseIds);
  const wrong = pairs.findIndex((pair) => !isExample(pair?.chosen) || !isExample(pair?.rejected));
  if (wrong < 0) return;
  throw new TypeError(
    `Cannot ${action} pair ${wrong + 1} of ${pairs.length}: expected "chosen" and "rejected", as ` +
      "encodePreferences() makes them",
  );
}
