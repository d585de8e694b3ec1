/**
 * F1 of words, as SQuAD's evaluation: the harmonic mean of precision and recall of the words that response and reference
 * share, without case, punctuation and articles.
 *
 * @module
 */
import { squadText } from "./exact_match.ts";
import { meanOf, type Metric } from "./metric.ts";
import { countNgrams, fMeasure, sharedCount, splitWords } from "./words.ts";

/** The row in the table of metrics. */
export const f1: Metric = {
  name: "f1",
  label: "F1",
  summary: "shared words without case, punctuation and articles, from 0 to 1 (SQuAD)",
  top: 1,
  variants: ["squad"],
  prepare: () =>
    meanOf("metric:f1|nrefs:1|normalized:squad", (reference, response) => {
      const [expected, got] = [reference, response].map((text) => splitWords(squadText(text)));
      if (expected.length === 0 || got.length === 0) {
        return Number(expected.length === got.length);
      }
      const shared = sharedCount(countNgrams(got, 1), countNgrams(expected, 1));
      return fMeasure(shared / got.length, shared / expected.length);
    }),
};
