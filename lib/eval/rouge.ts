/**
 * ROUGE (Lin, 2004): words, pairs of words, or sequences of words that an answer and its reference share. Equal to the PyPI
 * package rouge_score.
 */
import { kindOf } from "../kind_of.ts";
import { assertKnownOptions, type OptionNames } from "../options.ts";
import { countNgrams, fMeasure, sharedCount } from "./metrics/words.ts";
import { stem } from "./porter_stemmer.ts";

/** The three numbers of a ROUGE score, each from 0 to 1. */
export interface RougeScore {
  /** Precision: the shared words' fraction of the response. */
  precision: number;
  /** Recall: the shared words' fraction of the reference answer. */
  recall: number;
  /** The harmonic mean of both: "ROUGE-L" as one number. */
  fmeasure: number;
}

/** How ROUGE compares words. */
export interface RougeOptions {
  /** Whether by their stems, as `use_stemmer=True`; true by default. */
  readonly stemmed?: boolean;
}

const ROUGE_OPTIONS: OptionNames<RougeOptions> = { stemmed: true };

/**
 * ROUGE-L of a response, over stemmed words.
 *
 * @param reference The correct text.
 * @param response The text to score.
 * @param options Whether words are stemmed.
 * @returns Precision, recall and F-measure; zeros if either text has no words.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { rougeL } from "tunebook";
 *
 * assertEquals(rougeL("The cat sat.", "the cats sat down").fmeasure, 6 / 7);
 * ```
 */
export function rougeL(
  reference: string,
  response: string,
  options: RougeOptions = {},
): RougeScore {
  assertKnownOptions("compare by ROUGE", options, ROUGE_OPTIONS);
  assertTexts(reference, response);
  const expected = rougeWords(reference, options);
  const got = rougeWords(response, options);
  return scoreOf(commonSubsequence(expected, got), expected.length, got.length);
}

/**
 * ROUGE-N of a response: the n-grams of words that it shares with the reference.
 *
 * @param n Words per n-gram.
 * @param reference The correct text.
 * @param response The text to score.
 * @param options Whether words are stemmed.
 * @returns Precision, recall and F-measure.
 */
export function rougeN(
  n: number,
  reference: string,
  response: string,
  options: RougeOptions = {},
): RougeScore {
  assertTexts(reference, response);
  const expected = rougeWords(reference, options);
  const got = rougeWords(response, options);
  const shared = sharedCount(countNgrams(expected, n), countNgrams(got, n));
  return scoreOf(shared, expected.length - n + 1, got.length - n + 1);
}

/**
 * ROUGE-Lsum of a response: for each line of the reference answer, the words of the longest sequences that it shares with any line
 * of the response; no word counts more often than either text has it.
 *
 * @param reference The correct text.
 * @param response The text to score.
 * @param options Whether words are stemmed.
 * @returns Precision, recall and F-measure.
 */
export function rougeLsum(
  reference: string,
  response: string,
  options: RougeOptions = {},
): RougeScore {
  assertTexts(reference, response);
  const lines = (text: string) => text.split("\n").map((line) => rougeWords(line, options));
  const [expected, got] = [lines(reference), lines(response)];
  const left = [expected, got].map((texts) => countNgrams(texts.flat(), 1));
  let shared = 0;
  for (const line of expected) {
    const inUnion = new Set(got.flatMap((other) => sequencePlaces(line, other)));
    for (const [place, word] of line.entries()) {
      if (!inUnion.has(place) || left.some((counts) => !counts.get(word))) continue;
      shared++;
      for (const counts of left) counts.set(word, counts.get(word)! - 1);
    }
  }
  return scoreOf(shared, expected.flat().length, got.flat().length);
}

/**
 * The words that ROUGE compares: runs of ASCII letters and digits in lower case, stemmed if they
 * have more than three characters.
 *
 * @param text Any text.
 * @param options Whether they are stemmed.
 * @returns Its words.
 */
export function rougeWords(text: string, { stemmed = true }: RougeOptions = {}): string[] {
  const words: string[] = text.toLowerCase().match(/[a-z0-9]+/g) ?? [];
  return stemmed ? words.map((word) => word.length > 3 ? stem(word) : word) : words;
}

function assertTexts(...texts: readonly string[]): void {
  for (const text of texts) {
    if (typeof text === "string") continue;
    throw new TypeError(`Cannot compare ${kindOf(text)}: expected a text`);
  }
}

function scoreOf(shared: number, expected: number, got: number): RougeScore {
  if (shared === 0) return { precision: 0, recall: 0, fmeasure: 0 };
  const precision = shared / got;
  const recall = shared / expected;
  return { precision, recall, fmeasure: fMeasure(precision, recall) };
}

/** The length of the longest common subsequence, by dynamic programming over two rows. */
function commonSubsequence(a: readonly string[], b: readonly string[]): number {
  let above = new Uint32Array(b.length + 1);
  let row = new Uint32Array(b.length + 1);
  for (const word of a) {
    for (let j = 0; j < b.length; j++) {
      row[j + 1] = word === b[j] ? above[j]! + 1 : Math.max(above[j + 1]!, row[j]!);
    }
    [above, row] = [row, above];
  }
  return above[b.length]!;
}

/**
 * The places in `a` of one longest common subsequence with `b`. Where there are several, the one that rouge_score finds,
 * since the union over lines depends on it.
 */
function sequencePlaces(a: readonly string[], b: readonly string[]): number[] {
  const width = b.length + 1;
  const lengths = new Uint32Array((a.length + 1) * width);
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const at = i * width + j;
      lengths[at] = a[i - 1] === b[j - 1]
        ? lengths[at - width - 1] + 1
        : Math.max(lengths[at - width], lengths[at - 1]);
    }
  }
  const places: number[] = [];
  for (let i = a.length, j = b.length; i > 0 && j > 0;) {
    const at = i * width + j;
    if (a[i - 1] === b[j - 1]) {
      places.push(i - 1);
      i--;
      j--;
    } else if (lengths[at - 1] > lengths[at - width]) j--;
    else i--;
  }
  return places;
}
