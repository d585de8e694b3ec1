/**
 * ROUGE-1, ROUGE-2, ROUGE-L and ROUGE-Lsum: the mean F-measures over examples, from 0 to 1. Equal to rouge_score 0.1.2, with
 * its stemming (`use_stemmer=True`) or, with the variant `unstemmed`, without.
 *
 * @module
 */
import { rougeL, rougeLsum, rougeN, type RougeOptions, type RougeScore } from "../rouge.ts";
import { meanOf, type Metric } from "./metric.ts";

function row(
  name: string,
  label: string,
  summary: string,
  score: (reference: string, response: string, options: RougeOptions) => RougeScore,
): Metric {
  return {
    name,
    label,
    summary: `${summary}, from 0 to 1 (rouge_score)`,
    top: 1,
    variants: ["stemmed", "unstemmed"],
    prepare(variant) {
      const stemmed = variant === "stemmed";
      return meanOf(
        `metric:${name}|nrefs:1|stem:${
          stemmed ? "porter" : "no"
        }|of:fmeasure|version:rouge_score-0.1.2`,
        (reference, response) => score(reference, response, { stemmed }).fmeasure,
      );
    },
  };
}

/** The row of ROUGE-1. */
export const rouge1Metric: Metric = row(
  "rouge1",
  "ROUGE-1",
  "shared words",
  (reference, response, options) => rougeN(1, reference, response, options),
);

/** The row of ROUGE-2. */
export const rouge2Metric: Metric = row(
  "rouge2",
  "ROUGE-2",
  "shared pairs of words",
  (reference, response, options) => rougeN(2, reference, response, options),
);

/** The row of ROUGE-L. */
export const rougeLMetric: Metric = row(
  "rougeL",
  "ROUGE-L",
  "the longest sequence of shared words",
  rougeL,
);

/** The row of ROUGE-Lsum. */
export const rougeLsumMetric: Metric = row(
  "rougeLsum",
  "ROUGE-Lsum",
  "the longest sequences of shared words, line by line",
  rougeLsum,
);
