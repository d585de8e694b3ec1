/**
 * Grades a submission: the student's notebook runs in a sandbox, and its tests run outside, against
 * stand-ins that call into the sandbox. Nothing that the student's process sends becomes a score.
 *
 * @module
 */

import type { Notebook } from "../runtime/notebook.ts";
import { gradeNotebook } from "./autograde/grading.ts";
import type { Release } from "./release.ts";
import { restoreSubmission } from "./restore.ts";
import type { Graded, GradeOptions } from "./verdict.ts";

export {
  AFTER_HIDDEN,
  type CellVerdict,
  GRADE_LIMITS,
  type Graded,
  type GradeLimits,
  type GradeOptions,
} from "./verdict.ts";

/**
 * Grades a submission.
 *
 * @param release The release, with the hidden tests.
 * @param submission What the student handed in.
 * @param options Limits, codecs, where to run.
 * @returns Verdicts, the executed notebook, findings; a bad submission does not throw.
 * @throws {Error} If no sandbox can be built, or the signal stopped the grading.
 */
export async function gradeSubmission(
  release: Release,
  submission: Notebook,
  options: GradeOptions = {},
): Promise<Graded> {
  const { notebook, findings, missing } = restoreSubmission(release, submission);
  return await gradeNotebook(release, notebook, { ...options, strict: false, missing, findings });
}
