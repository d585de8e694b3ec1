/**
 * Criteria that a judge scores one by one.
 *
 * @module
 */
import type { JudgeQuestion } from "./question.ts";
import { questionText, scoreForm } from "./question.ts";
import { PERCENT_SCALE } from "./read_reply.ts";

/** A criterion's name. */
export type Criterion =
  | "correctness"
  | "format"
  | "clarity"
  | "robustness"
  | "completeness"
  | "fluency"
  | "relevance";

/** What each criterion asks. */
const CRITERIA: Readonly<Record<Criterion, string>> = {
  correctness: "whether what it says is true, and does what was asked, as the correct output does",
  format:
    "whether it has the form that was asked for and that the correct output has, such as numbered steps with one " +
    "action each",
  clarity: "whether it is clear and concise: easy to follow, without anything that is not needed",
  robustness:
    "whether it deals sensibly with a question that is vague, misspelt or out of its field, without inventing facts",
  completeness:
    "whether nothing that is needed is missing: coherent and logically sound steps in a possible order; their " +
    "number alone says nothing",
  fluency: "whether its language is natural and without mistakes",
  relevance: "whether it keeps to the question and to the task",
};

/** The names of all criteria. */
export const CRITERION_NAMES: readonly Criterion[] = Object.keys(CRITERIA) as Criterion[];

/**
 * The question about one criterion, for {@linkcode judgeResponses}.
 *
 * @param criterion The criterion.
 * @returns The question; its scores are from 0 to 100.
 * @throws {RangeError} If there is no such criterion.
 *
 * @example
 * ```ts
 * import { assertStringIncludes } from "@std/assert";
 * import { criterionQuestion } from "tunebook/eval";
 *
 * const entry = { instruction: "Name a colour.", input: "", output: "Blue.", model_response: "Red." };
 * assertStringIncludes(criterionQuestion("clarity").prompt(entry), "only for its clarity");
 * ```
 */
export function criterionQuestion(criterion: Criterion): JudgeQuestion {
  if (!Object.hasOwn(CRITERIA, criterion)) {
    throw new RangeError(
      `Cannot judge by the criterion "${criterion}": expected one of ${CRITERION_NAMES.join(", ")}`,
    );
  }
  return {
    name: criterion,
    scale: PERCENT_SCALE,
    form: scoreForm(PERCENT_SCALE),
    prompt: (entry) =>
      `Given the input \`${
        questionText(entry)
      }\` and correct output \`${entry.output}\`, score the model response ` +
      `\`${entry.model_response}\` only for its ${criterion}: ${
        CRITERIA[criterion]
      }. Use a scale from 0 to 100, where ` +
      "100 is the best score. Respond with the integer number only.",
  };
}
