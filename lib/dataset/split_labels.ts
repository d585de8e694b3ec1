/**
 * Labels of entries by which a split is balanced, or kept free of leaks.
 *
 * @module
 */

import { assertArray } from "../kind_of.ts";
import { assertKnownOptions, type OptionNames } from "../options.ts";
import { type DatasetEntry, isChatEntry, isTextEntry } from "./chat_entry.ts";
import { topicOf } from "./entry.ts";
import { findPairs } from "./near_duplicates.ts";
import { textOf } from "./word_bags.ts";

/** What strata are made of: the entry's topic, or the quarter of all entries that its length falls into. */
export type Stratum = "topic" | "length";

/** The values of {@linkcode Stratum}. */
export const STRATA: readonly Stratum[] = ["topic", "length"];

/** How many classes of length there are. */
const LENGTHS = 4;

/**
 * Labels entries for a stratified split.
 *
 * @param entries The entries.
 * @param by What a label is made of: the entry's topic, the quarter that its length in characters falls into, or both.
 * @returns One label per entry, for `stratify` of `splitEntries()`.
 * @throws {RangeError} If topics are asked for and no entry has one, or there is no such kind of stratum.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { strataOf } from "tunebook/data";
 *
 * const entries = ["a", "bb", "ccc", "dddd"].map((output) => ({
 *   instruction: "Repeat.", input: "", output, topic: output > "b" ? "late" : "early",
 * }));
 * assertEquals(strataOf(entries, ["topic", "length"]), [
 *   "early, length 1 of 4", "late, length 2 of 4", "late, length 3 of 4", "late, length 4 of 4",
 * ]);
 * ```
 */
export function strataOf(entries: readonly DatasetEntry[], by: readonly Stratum[]): string[] {
  assertArray("label", entries, "entries");
  const labels = by.map((stratum) => {
    if (stratum === "topic") return topicsOf(entries);
    if (stratum === "length") return lengthsOf(entries);
    throw new RangeError(
      `Cannot label entries by "${stratum}": expected "${STRATA.join('" or "')}"`,
    );
  });
  return entries.map((_, index) => labels.map((of) => of[index]).join(", "));
}

function topicsOf(entries: readonly DatasetEntry[]): string[] {
  if (entries.length > 0 && entries.every((entry) => topicOf(entry) === undefined)) {
    throw new RangeError('Cannot label entries by "topic": none of them has a topic');
  }
  return entries.map((entry) => topicOf(entry) ?? "without topic");
}

function lengthsOf(entries: readonly DatasetEntry[]): string[] {
  const lengths = entries.map((entry) => textOf(entry).length);
  const sorted = lengths.toSorted((a, b) => a - b);
  // The least length of the second, third and fourth quarter; equal lengths share a class.
  const bounds = Array.from(
    { length: LENGTHS - 1 },
    (_, i) => sorted[Math.floor((i + 1) * sorted.length / LENGTHS)]!,
  );
  return lengths.map((length) => {
    const quarter = 1 + bounds.filter((bound) => length >= bound).length;
    return `length ${quarter} of ${LENGTHS}`;
  });
}

/** What puts two entries into one group: the same completion, or nearly the same words. */
export type Grouping = "completion" | "near";

/** The values of {@linkcode Grouping}. */
export const GROUPINGS: readonly Grouping[] = ["completion", "near"];

/** Options of {@linkcode groupsOf}. */
export interface GroupsOptions {
  /**
   * The least similarity of near duplicates, above 0 and at most 1.
   *
   * @default {0.7}
   */
  readonly threshold?: number;
}

const GROUPS_NAMES: OptionNames<GroupsOptions> = { threshold: true };

/**
 * Labels entries so that those which would leak between the parts of a split share a label. Entries are in one group if they
 * have the same completion (in several prompts that ask for the same answer), if they are near duplicates, or if other
 * entries connect them.
 *
 * @param entries The entries.
 * @param by What connects two entries.
 * @param options The least similarity of near duplicates.
 * @returns One label per entry, for `groups` of `splitEntries()`.
 * @throws {TypeError} If there is an unknown option.
 * @throws {RangeError} If there is no such grouping.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { groupsOf } from "tunebook/data";
 *
 * const entries = [
 *   { instruction: "How do I return a parcel?", input: "", output: "Print the label." },
 *   { instruction: "When are you open?", input: "", output: "From nine to five." },
 *   { instruction: "My shoes do not fit.", input: "", output: "Print the label." },
 * ];
 * assertEquals(groupsOf(entries, ["completion"]), ["0", "1", "0"]);
 * ```
 */
export function groupsOf(
  entries: readonly DatasetEntry[],
  by: readonly Grouping[],
  options: GroupsOptions = {},
): string[] {
  assertKnownOptions("group entries", options, GROUPS_NAMES);
  assertArray("group", entries, "entries");
  const root = Int32Array.from(entries.keys());
  const find = (index: number): number => {
    while (root[index] !== index) index = root[index] = root[root[index]!]!;
    return index;
  };
  const join = (a: number, b: number) => {
    const [first, second] = [find(a), find(b)];
    root[Math.max(first, second)] = Math.min(first, second);
  };
  for (const grouping of by) {
    if (grouping === "completion") joinEqual(entries.map(completionOf), join);
    else if (grouping === "near") {
      for (const { first, second } of findPairs(entries, options)) join(first, second);
    } else {
      throw new RangeError(
        `Cannot group entries by "${grouping}": expected "${GROUPINGS.join('" or "')}"`,
      );
    }
  }
  return Array.from(root, (_, index) => String(find(index)));
}

function joinEqual(texts: readonly string[], join: (a: number, b: number) => void): void {
  const firsts = new Map<string, number>();
  for (const [index, text] of texts.entries()) {
    const first = firsts.get(text);
    if (first === undefined) firsts.set(text, index);
    else join(first, index);
  }
}

/** What a model learns to say: the output, or the assistant's messages. */
function completionOf(entry: DatasetEntry): string {
  if (isTextEntry(entry)) return entry.text.trim();
  if (!isChatEntry(entry)) return entry.output.trim();
  const said = entry.messages.filter(({ role }) => role === "assistant");
  return JSON.stringify(said.map(({ content }) => content.trim()));
}
