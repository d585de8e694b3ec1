/** Entries with nearly the same text, which should not be on both sides of a split. */
import { assertArray } from "../kind_of.ts";
import { assertKnownOptions, type OptionNames } from "../options.ts";
import type { DatasetEntry } from "./chat_entry.ts";
import { type SimilarPair, similarPairs, type SimilarPairsOptions } from "./minhash.ts";
import type { Split } from "./split.ts";
import { bagsOf, jaccard, textOf } from "./word_bags.ts";

/** Two similar entries. */
export interface NearDuplicate {
  /** Index of the earlier entry. */
  first: number;
  /** Index of the later entry. */
  second: number;
  /** Their similarity, from 0 to 1. */
  similarity: number;
}

/** Options of {@linkcode findNearDuplicates} and {@linkcode findLeaks}. */
export interface NearDuplicateOptions {
  /**
   * The least similarity, above 0 and at most 1; see {@linkcode wordSimilarity}.
   *
   * @default {0.7}
   */
  readonly threshold?: number;
  /**
   * How pairs are found. `minhash` compares only entries that MinHash takes for similar, in a time that grows with
   * their number; it misses at most one in a thousand of the pairs at the threshold, and fewer of more similar ones. `exact`
   * compares all pairs that share a word, in a time that grows with the square.
   *
   * @default {"minhash"}
   */
  readonly method?: "minhash" | "exact";
}

/** The names of {@linkcode NearDuplicateOptions}. */
export const NEAR_DUPLICATE_OPTIONS: OptionNames<NearDuplicateOptions> = {
  threshold: true,
  method: true,
};

/**
 * Jaccard similarity of the words of two texts: words in both divided by words in either, ignoring
 * case, punctuation and order (Jaccard, "Étude comparative de la distribution florale", 1901).
 *
 * @param a A text.
 * @param b Another text.
 * @returns From 0, no common words, to 1, the same words; 1 for two texts without words.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { wordSimilarity } from "tunebook/data";
 *
 * assertEquals(wordSimilarity("The plural of fox", "the plural of ox"), 0.6);
 * ```
 */
export function wordSimilarity(a: string, b: string): number {
  const [left, right] = bagsOf([a, b]) as [Int32Array, Int32Array];
  return jaccard(left, right);
}

/**
 * Finds pairs of entries with nearly the same words, such as rewordings.
 *
 * @param entries The entries; instruction, input and output count as one text, and so do the messages of a conversation.
 * An entry without words is similar to none.
 * @param options The least similarity, and how pairs are found.
 * @returns The pairs, the most similar first.
 * @throws {TypeError} If there is an unknown option.
 * @throws {RangeError} If the threshold is not above 0 and at most 1, or there is no such method.
 *
 * @example
 * ```ts
 * import { findNearDuplicates } from "tunebook";
 * import { assertEquals } from "@std/assert";
 *
 * const pairs = findNearDuplicates([
 *   { instruction: "What is the plural of fox?", input: "", output: "Foxes." },
 *   { instruction: "Name a fruit.", input: "", output: "An apple." },
 *   { instruction: "What is the plural of “Fox”?", input: "", output: "foxes" },
 * ]);
 * assertEquals(pairs, [{ first: 0, second: 2, similarity: 1 }]);
 * ```
 */
export function findNearDuplicates(
  entries: readonly DatasetEntry[],
  options: NearDuplicateOptions = {},
): NearDuplicate[] {
  assertNearDuplicateOptions("find near duplicates", options);
  assertArray("find near duplicates of", entries, "entries");
  return findPairs(entries, options)
    .sort((a, b) => b.similarity - a.similarity || a.first - b.first || a.second - b.second);
}

/** An entry of one part of a split. */
export interface PartEntry {
  /** The part. */
  part: keyof Split<unknown>;
  /** The entry's index in the part. */
  index: number;
}

/** Two similar entries in different parts of a split. */
export interface Leak {
  /** The entry of the part that the model learns more from: of train before validation before test. */
  from: PartEntry;
  /** The entry of the other part, whose score is too good because of it. */
  to: PartEntry;
  /** Their similarity, from 0 to 1. */
  similarity: number;
}

/** The parts in the order in which a model meets them. */
const PARTS: readonly (keyof Split<unknown>)[] = ["train", "validation", "test"];

/**
 * Finds entries of one part of a split that are nearly the same as an entry of another part. Scores on such entries
 * measure memory.
 *
 * @param split The parts.
 * @param options The least similarity, and how pairs are found.
 * @returns The pairs, the most similar first.
 * @throws {TypeError} If there is an unknown option.
 * @throws {RangeError} If the threshold is not above 0 and at most 1, or there is no such method.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { findLeaks } from "tunebook/data";
 *
 * const fox = { instruction: "What is the plural of fox?", input: "", output: "Foxes." };
 * const fruit = { instruction: "Name a fruit.", input: "", output: "An apple." };
 * const again = { ...fox, output: "foxes" };
 * assertEquals(findLeaks({ train: [fruit, fox], test: [again], validation: [] }), [
 *   { from: { part: "train", index: 1 }, to: { part: "test", index: 0 }, similarity: 1 },
 * ]);
 * ```
 */
export function findLeaks(
  split: Split<DatasetEntry>,
  options: NearDuplicateOptions = {},
): Leak[] {
  assertNearDuplicateOptions("find leaks", options);
  const places = PARTS.flatMap((part) => split[part].map((_, index) => ({ part, index })));
  const entries = PARTS.flatMap((part) => split[part]);
  const compares = (a: number, b: number) => places[a]!.part !== places[b]!.part;
  return findPairs(entries, options, compares)
    .sort((a, b) => b.similarity - a.similarity || a.first - b.first || a.second - b.second)
    .map(({ first, second, similarity }) => ({
      ...{ from: places[first]!, to: places[second]!, similarity },
    }));
}

/**
 * Refuses unknown options and values.
 *
 * @param action What is done, after "Cannot".
 * @param options The options.
 * @throws {TypeError} If there is an unknown option.
 * @throws {RangeError} If the threshold is not above 0 and at most 1, or there is no such method.
 */
export function assertNearDuplicateOptions(action: string, options: NearDuplicateOptions): void {
  assertKnownOptions(action, options, NEAR_DUPLICATE_OPTIONS);
  const { threshold = 0.7, method = "minhash" } = options;
  if (!(threshold > 0 && threshold <= 1)) {
    throw new RangeError(
      `Cannot look for entries that are ${threshold} alike: expected more than 0 and at most 1`,
    );
  }
  if (method !== "minhash" && method !== "exact") {
    throw new RangeError(`Cannot ${action} by "${method}": expected "minhash" or "exact"`);
  }
}

/**
 * Finds pairs of similar entries, in no particular order.
 *
 * @param entries The entries.
 * @param options The threshold and the method.
 * @param compares Which pairs are compared; all by default.
 * @returns The pairs.
 */
export function findPairs(
  entries: readonly DatasetEntry[],
  { threshold = 0.7, method = "minhash" }: NearDuplicateOptions,
  compares?: SimilarPairsOptions["compares"],
): SimilarPair[] {
  const bags = bagsOf(entries.map(textOf));
  const pairs = method === "exact" ? comparePairs : similarPairs;
  return pairs(bags, { threshold, compares });
}

/** Compares all pairs of sets with a common member. */
function comparePairs(
  bags: readonly Int32Array[],
  { threshold, compares }: SimilarPairsOptions,
): SimilarPair[] {
  const holders = new Map<number, number[]>();
  const found: SimilarPair[] = [];
  bags.forEach((bag, second) => {
    const shared = new Map<number, number>();
    for (const word of bag) {
      const earlier = holders.get(word) ?? [];
      for (const first of earlier) shared.set(first, (shared.get(first) ?? 0) + 1);
      earlier.push(second);
      holders.set(word, earlier);
    }
    for (const [first, common] of shared) {
      const similarity = common / (bags[first]!.length + bag.length - common);
      if (similarity < threshold || (compares && !compares(first, second))) continue;
      found.push({ first, second, similarity });
    }
  });
  return found;
}
