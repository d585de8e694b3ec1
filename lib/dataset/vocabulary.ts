/**
 * The words of texts: how many different ones there are, how their number grows, and which sequences are common.
 *
 * @module
 */

import { wordsOf } from "./word_bags.ts";

/** A sequence of words, and how often it is there. */
export interface NGram {
  /** The words in lower case, with a space between two. */
  words: string;
  /** How often it occurs. */
  count: number;
  /** In how many texts it occurs. */
  texts: number;
}

/** The words of texts. */
export interface Vocabulary {
  /** How many words there are. */
  words: number;
  /** How many different words there are. */
  distinct: number;
  /** How many words occur only once. */
  once: number;
  /** How many different words there are among the first n words, at up to 50 values of n. */
  growth: { words: number; distinct: number }[];
}

/** The most points of {@linkcode Vocabulary.growth}. */
const GROWTH_POINTS = 50;

/**
 * Counts words: runs of letters and digits of any script, whatever their case.
 *
 * @param texts The texts.
 * @returns The counts.
 */
export function countVocabulary(texts: readonly string[]): Vocabulary {
  const counts = new Map<string, number>();
  const read: { words: number; distinct: number }[] = [];
  let words = 0;
  for (const text of texts) {
    for (const word of wordsOf(text)) {
      words++;
      counts.set(word, (counts.get(word) ?? 0) + 1);
    }
    read.push({ words, distinct: counts.size });
  }
  const step = Math.max(1, Math.ceil(read.length / GROWTH_POINTS));
  return {
    words,
    distinct: counts.size,
    once: [...counts.values()].filter((count) => count === 1).length,
    growth: read.filter((_, i) => (read.length - 1 - i) % step === 0),
  };
}

/**
 * Counts sequences of n words. None crosses from one text to the next.
 *
 * @param texts The texts.
 * @param n How many words.
 * @param most How many sequences are returned.
 * @returns The most common ones first; equally common ones in the order of code units.
 */
export function countNGrams(texts: readonly string[], n: number, most: number): NGram[] {
  const counts = new Map<string, { count: number; texts: number; last: number }>();
  for (const [index, text] of texts.entries()) {
    const words = wordsOf(text);
    for (let start = 0; start + n <= words.length; start++) {
      const key = words.slice(start, start + n).join(" ");
      const found = counts.get(key);
      if (found === undefined) counts.set(key, { count: 1, texts: 1, last: index });
      else {
        found.count++;
        if (found.last !== index) found.texts++;
        found.last = index;
      }
    }
  }
  return [...counts].map(([words, { count, texts }]) => ({ words, count, texts }))
    .sort((a, b) => b.count - a.count || (a.words < b.words ? -1 : 1)).slice(0, most);
}
