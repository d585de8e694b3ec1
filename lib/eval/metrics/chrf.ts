/**
 * chrF (Popović, 2015): the F-measure of character n-grams, in which recall counts twice as much as precision. Equal to
 * sacrebleu 2.6.0: chrF2, and with the variant `words`, which adds words and pairs of words, chrF2++.
 *
 * @module
 */
import type { Metric } from "./metric.ts";
import { countNgrams, sharedCount, splitWords } from "./words.ts";

const CHARACTER_ORDER = 6;
const BETA = 2;

/** The row in the table of metrics. */
export const chrf: Metric = {
  name: "chrf",
  label: "chrF",
  summary: "shared character n-grams, from 0 to 100 (sacrebleu); chrf:words is chrF++",
  top: 100,
  variants: ["characters", "words"],
  prepare(variant) {
    const wordOrder = variant === "words" ? 2 : 0;
    return {
      signature: `nrefs:1|case:mixed|eff:yes|nc:${CHARACTER_ORDER}|nw:${wordOrder}` +
        "|space:no|version:2.6.0",
      measure({ output, model_response }) {
        const expected = allNgrams(output, wordOrder);
        return allNgrams(model_response, wordOrder).flatMap((got, order) => {
          const reference = expected[order];
          // An order of which the reference has none does not count.
          const given = reference.size > 0 ? sizeOf(got) : 0;
          return [given, sizeOf(reference), sharedCount(got, reference)];
        });
      },
      score: fScore,
    };
  },
};

function sizeOf(counts: ReadonlyMap<string, number>): number {
  return counts.values().reduce((sum, count) => sum + count, 0);
}

function allNgrams(text: string, wordOrder: number): Map<string, number>[] {
  const characters = [...splitWords(text).join("")];
  const words = wordOrder > 0 ? wordsAndPunctuation(text) : [];
  return [
    ...Array.from({ length: CHARACTER_ORDER }, (_, i) => countNgrams(characters, i + 1, "")),
    ...Array.from({ length: wordOrder }, (_, i) => countNgrams(words, i + 1)),
  ];
}

/** Words, with one mark of punctuation at the end or else at the beginning taken off. */
function wordsAndPunctuation(text: string): string[] {
  return splitWords(text).flatMap((word) => {
    const characters = [...word];
    if (characters.length === 1) return word;
    if (/[!-/:-@[-`{-~]$/.test(word)) return [word.slice(0, -1), word.slice(-1)];
    if (/^[!-/:-@[-`{-~]/.test(word)) return [word.slice(0, 1), word.slice(1)];
    return word;
  });
}

/** The F-measure of the orders' mean precision and recall; orders of which either text has none are left out. */
function fScore(sum: ArrayLike<number>): number {
  let [precision, recall, orders] = [0, 0, 0];
  for (let i = 0; i < sum.length; i += 3) {
    if (sum[i] === 0 || sum[i + 1] === 0) continue;
    precision += sum[i + 2] / sum[i];
    recall += sum[i + 2] / sum[i + 1];
    orders++;
  }
  if (precision + recall === 0) return 0;
  precision /= orders;
  recall /= orders;
  return 100 * (1 + BETA ** 2) * precision * recall / (BETA ** 2 * precision + recall);
}
