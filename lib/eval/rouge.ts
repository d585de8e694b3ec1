/**
 * ROUGE-L (Lin, 2004): the length of the longest sequence of words, in order, that an answer and
 * its reference share. Equal to the PyPI package rouge_score's `RougeScorer(["rougeL"],
 * use_stemmer=True)`.
 */
import { kindOf } from "../kind_of.ts";
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

/**
 * ROUGE-L of a response, over stemmed words.
 *
 * @param reference The correct text.
 * @param response The text to score.
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
export function rougeL(reference: string, response: string): RougeScore {
  for (const text of [reference, response]) {
    if (typeof text === "string") continue;
    throw new TypeError(`Cannot compare ${kindOf(text)}: expected a text`);
  }
  const expected = rougeWords(reference);
  const got = rougeWords(response);
  const common = commonSubsequence(expected, got);
  if (common === 0) return { precision: 0, recall: 0, fmeasure: 0 };
  const precision = common / got.length;
  const recall = common / expected.length;
  return { precision, recall, fmeasure: (2 * precision * recall) / (precision + recall) };
}

/**
 * The words that ROUGE compares: runs of ASCII letters and digits in lower case, stemmed if they
 * have more than three characters.
 *
 * @param text Any text.
 * @returns Its words.
 */
export function rougeWords(text: string): string[] {
  return (text.toLowerCase().match(/[a-z0-9]+/g) ?? [])
    .map((word) => word.length > 3 ? stem(word) : word);
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
