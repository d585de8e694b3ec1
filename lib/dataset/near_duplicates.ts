/** Entries with nearly the same text, which should not be on both sides of a split. */
import type { InstructionEntry } from "./entry.ts";
import { assertKnownOptions } from "../options.ts";

/** Two similar entries. */
export interface NearDuplicate {
  /** Index of the earlier entry. */
  first: number;
  /** Index of the later entry. */
  second: number;
  /** Their similarity, from 0 to 1. */
  similarity: number;
}

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
  return jaccard(wordsOf(a), wordsOf(b));
}

/**
 * Finds pairs of entries with nearly the same words, such as rewordings.
 *
 * @param entries The entries; instruction, input and output count as one text.
 * @param options `threshold`, the least similarity, 0.7 by default.
 * @returns All such pairs, the most similar first.
 * @throws {RangeError} If the threshold is not above 0 and at most 1.
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
  entries: readonly InstructionEntry[],
  options: { threshold?: number } = {},
): NearDuplicate[] {
  assertKnownOptions("find near duplicates", options, { threshold: true });
  const { threshold = 0.7 } = options;
  if (!(threshold > 0 && threshold <= 1)) {
    throw new RangeError(
      `Cannot look for entries that are ${threshold} alike: expected more than 0 and at most 1`,
    );
  }
  const bags = entries.map(({ instruction, input, output }) =>
    wordsOf(`${instruction} ${input} ${output}`)
  );
  // Pairs without a common word are never compared.
  const holders = new Map<string, number[]>();
  const found: NearDuplicate[] = [];
  bags.forEach((bag, second) => {
    const shared = new Map<number, number>();
    for (const word of bag) {
      const earlier = holders.get(word) ?? [];
      for (const first of earlier) shared.set(first, (shared.get(first) ?? 0) + 1);
      earlier.push(second);
      holders.set(word, earlier);
    }
    for (const [first, common] of shared) {
      const similarity = common / (bags[first].size + bag.size - common);
      if (similarity >= threshold) found.push({ first, second, similarity });
    }
  });
  return found.sort((a, b) =>
    b.similarity - a.similarity || a.first - b.first || a.second - b.second
  );
}

function wordsOf(text: string): Set<string> {
  return new Set(text.toLowerCase().match(/[\p{L}\p{N}]+/gu));
}

function jaccard(a: Set<string>, b: Set<string>): number {
  if (a.size === 0 && b.size === 0) return 1;
  const common = a.intersection(b).size;
  return common / (a.size + b.size - common);
}
