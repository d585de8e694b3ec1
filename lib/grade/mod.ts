/**
 * Grading assignments that are notebooks with nbgrader's metadata: a course folder, releases, what students hand in, verdicts
 * that are reached outside of the student's process, the gradebook, feedback. It can be used without the command.
 *
 * @module
 */

export {
  autograde,
  type AutogradeEvent,
  type AutogradeOptions,
  type AutogradeSummary,
} from "./batch/autograde.ts";
export type { GradingInputs, GradingResult, NotebookResult } from "./batch/result.ts";
export { gradeSubmission } from "./autograde.ts";
export {
  type Collected,
  type CollectedAttempt,
  type CollectOptions,
  collectSubmissions,
} from "./collect.ts";
export type { LayoutName } from "./collect/layouts.ts";
export type { CollectLimits } from "./collect/limits.ts";
export type { CollectFinding } from "./collect/sort_files.ts";
export {
  type AssignmentSettings,
  type Course,
  type CourseSettings,
  initCourse,
  type LatePolicy,
  openCourse,
} from "./course.ts";
export {
  type FeedbackPages,
  type FeedbackPagesOptions,
  writeFeedbackPages,
} from "./feedback_pages.ts";
export {
  type AnswerKey,
  type Gradebook,
  type GradebookAssignment,
  type GradebookCell,
  type GradebookSubmission,
  type GradebookVerdict,
  openGradebook,
  type Student,
} from "./gradebook.ts";
export {
  checkMetadata,
  describeFinding,
  type Finding,
  type GradedCell,
  gradedCells,
  type GradeMetadata,
  type GradeRole,
} from "./metadata.ts";
export { type ProofOptions, proveRelease } from "./prove_release.ts";
export { checkRelease, type Release, releaseNotebook } from "./release.ts";
export { releaseAssignment, type Released, type ReleaseOptions } from "./release_assignment.ts";
export {
  type AssignmentScore,
  assignmentScores,
  type QuestionScore,
  type Score,
  type ScoredQuestion,
  type ScoreRules,
} from "./scores.ts";
export type { Appended, Mark, NewMark, ReusableComment } from "./serve/store.ts";
export {
  type ComparedSubmission,
  findSimilar,
  type SharedPart,
  type SharedRange,
  type Similarities,
  type SimilarOptions,
  type SimilarPair,
} from "./similar.ts";
export type { ValueCodec } from "./standins/codec.ts";
export type { StructureRow } from "./structure.ts";
export type { Stubs } from "./stubs.ts";
export type { Variant } from "./variants.ts";
export { validateNotebook, type ValidateOptions } from "./validate.ts";
export type { ValidatedCell, Validation, ValidationResult } from "./validate/result.ts";
export type { CellVerdict, Graded, GradeLimits, GradeOptions } from "./verdict.ts";
