/**
 * Grading assignments with nbgrader's metadata: the course and its gradebook, the release, verdicts that are reached
 * outside of the student's process, the marking page, feedback, and similar submissions.
 *
 * @module
 */

export {
  type CellVerdict,
  type Graded,
  type GradeLimits,
  type GradeOptions,
  gradeSubmission,
} from "./autograde.ts";
export { cellChecksum } from "./checksum.ts";
export { type Feedback, renderFeedback } from "./feedback.ts";
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
export { type MarkingOptions, type MarkingServer, serveMarking } from "./serve/server.ts";
export type { MarkStore } from "./serve/store.ts";
export { findSimilar, type Similarities, type SimilarOptions } from "./similar.ts";
export { renderSimilarities } from "./similar/page.ts";
export { checkStructure, parseStructureRules, type StructureRules } from "./structure.ts";
export { type Stubs } from "./stubs.ts";
