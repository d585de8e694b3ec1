/**
 * Entries as sets of words, by which they are compared.
 *
 * @module
 */

import { type DatasetEntry, isChatEntry, isTextEntry } from "./chat_entry.ts";

/**
 * The text of an entry: all of its fields, or of its messages, that a model reads or learns.
 *
 * @param entry The entry.
 * @returns Its texts, with a line break between two.
 */
export function textOf(entry: DatasetEntry): string {
  if (isChatEntry(entry)) return entry.messages.map(({ content }) => content).join("\n");
  if (isTextEntry(entry)) return entry.text;
  return [entry.instruction, entry.input, entry.output].filter((text) => text !== "").join("\n");
}

/**
 * Splits a text into words: runs of letters and digits of any script.
 *
 * @param text The text.
 * @returns Its words in lower case, in their order.
 */
export function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{M}\p{N}]+/gu) ?? [];
}

/**
 * The set of words of each text, as numbers: equal words have equal numbers.
 *
 * @param texts The texts.
 * @returns Ascending numbers of words, one array per text.
 */
export function bagsOf(texts: Iterable<string>): Int32Array[] {
  const numbers = new Map<string, number>();
  return Array.from(texts, (text) => {
    const words = wordsOf(text);
    const bag = new Int32Array(words.length);
    for (let i = 0; i < words.length; i++) {
      const number = numbers.get(words[i]!);
      if (number === undefined) numbers.set(words[i]!, bag[i] = numbers.size);
      else bag[i] = number;
    }
    bag.sort();
    let size = 0;
    for (let i = 0; i < bag.length; i++) {
      if (i === 0 || bag[i] !== bag[i - 1]) bag[size++] = bag[i]!;
    }
    return bag.slice(0, size);
  });
}

/**
 * Jaccard similarity of two sets: members of both divided by members of either.
 *
 * @param a Ascending numbers.
 * @param b Ascending numbers.
 * @returns From 0 to 1; 1 for two empty sets.
 */
export function jaccard(a: Int32Array, b: Int32Array): number {
  if (a.length === 0 && b.length === 0) return 1;
  let common = 0;
  for (let i = 0, j = 0; i < a.length && j < b.length;) {
    const left = a[i]!, right = b[j]!;
    if (left === right) common++;
    if (left <= right) i++;
    if (right <= left) j++;
  }
  return common / (a.length + b.length - common);
}
