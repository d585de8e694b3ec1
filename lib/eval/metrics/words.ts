/**
 * Words and n-grams as Python's programs count them.
 *
 * @module
 */

/** What `str.split()` and `\s` take for white space in Python: JavaScript's, with five controls more and one mark less. */
export const PYTHON_SPACE = String.raw`(?:[^\S\ufeff]|[\x1c-\x1f\x85])`;

const SPACES = new RegExp(`${PYTHON_SPACE}+`, "g");
const SPACE = new RegExp(PYTHON_SPACE);

/**
 * Splits a text as Python's `str.split()`.
 *
 * @param text Any text.
 * @returns The words between white space, none empty.
 */
export function splitWords(text: string): string[] {
  return text.split(SPACES).filter((word) => word !== "");
}

/**
 * Leaves out white space at the end, as Python's `str.rstrip()`.
 *
 * @param text Any text.
 * @returns What is before it.
 */
export function trimEnd(text: string): string {
  let end = text.length;
  while (end > 0 && SPACE.test(text[end - 1])) end--;
  return text.slice(0, end);
}

/**
 * Counts the n-grams of a sequence.
 *
 * @param tokens The sequence.
 * @param n Tokens per n-gram.
 * @param separator What stands between tokens in an n-gram's name; no token may hold it.
 * @returns How often each occurs.
 */
export function countNgrams(
  tokens: readonly string[],
  n: number,
  separator = "\n",
): Map<string, number> {
  const counts = new Map<string, number>();
  for (let i = 0; i + n <= tokens.length; i++) {
    const ngram = n === 1 ? tokens[i] : tokens.slice(i, i + n).join(separator);
    counts.set(ngram, (counts.get(ngram) ?? 0) + 1);
  }
  return counts;
}

/**
 * How many n-grams two counts share: each as often as in the count that has fewer.
 *
 * @param a One count.
 * @param b The other.
 * @returns The size of the intersection.
 */
export function sharedCount(
  a: ReadonlyMap<string, number>,
  b: ReadonlyMap<string, number>,
): number {
  let shared = 0;
  for (const [ngram, count] of a) shared += Math.min(count, b.get(ngram) ?? 0);
  return shared;
}

/**
 * The harmonic mean of precision and recall.
 *
 * @param precision The fraction of what was given that is right.
 * @param recall The fraction of what is right that was given.
 * @returns 0 where both are.
 */
export function fMeasure(precision: number, recall: number): number {
  return precision + recall > 0 ? (2 * precision * recall) / (precision + recall) : 0;
}
