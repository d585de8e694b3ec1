/**
 * Step-level accuracy of instructions: which of the reference answer's steps the response has. Steps are aligned one to one; see
 * `steps.ts` for what a step is and from which likeness on two are the same. The score is the F-measure of precision (the
 * response's steps that are right) and recall (the reference's steps that are there), which the variants give alone.
 *
 * @module
 */
import { meanOf, type Metric } from "./metric.ts";
import { alignSteps, STEP_THRESHOLD } from "./steps.ts";
import { fMeasure } from "./words.ts";

/** The row in the table of metrics. */
export const stepAccuracy: Metric = {
  name: "stepAccuracy",
  label: "step accuracy",
  summary: "the reference's steps that the answer has; :precision and :recall give these alone",
  top: 1,
  variants: ["f", "precision", "recall"],
  prepare: (variant) =>
    meanOf(
      `metric:stepAccuracy|nrefs:1|of:${variant}|likeness:stems-f|threshold:${STEP_THRESHOLD}|version:1`,
      (reference, response) => {
        const { expected, got, pairs } = alignSteps(reference, response);
        if (expected.length === 0 || got.length === 0) {
          return Number(expected.length === got.length);
        }
        const precision = pairs.length / got.length;
        const recall = pairs.length / expected.length;
        if (variant === "precision") return precision;
        return variant === "recall" ? recall : fMeasure(precision, recall);
      },
    ),
};
