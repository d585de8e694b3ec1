/**
 * Grades a submission: the student's notebook runs in a sandbox, and its tests run outside, against
 * stand-ins that call into the sandbox. Nothing that the student's process sends becomes a score.
 *
 * @module
 */

import { assertKnownOptions } from "../options.ts";
import type { Notebook } from "../runtime/notebook.ts";
import { gradeNotebook } from "./autograde/grading.ts";
import { gradedCells } from "./metadata.ts";
import type { Release } from "./release.ts";
import { restoreSubmission } from "./restore.ts";
import { findSuspicious } from "./suspicious.ts";
import { GRADE_OPTIONS, type Graded, type GradeOptions } from "./verdict.ts";

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
 *
 * @example
 * ```ts
 * import { gradeSubmission, releaseNotebook } from "tunebook/grade";
 * import { parseNotebook } from "tunebook/runtime";
 * import { assertEquals } from "@std/assert";
 *
 * const source = parseNotebook(JSON.stringify({
 *   nbformat: 4,
 *   nbformat_minor: 5,
 *   metadata: {},
 *   cells: [
 *     { cell_type: "code", id: "a", source: "const x = 1;", nbgrader: { solution: true, grade_id: "x" } },
 *     {
 *       cell_type: "code",
 *       id: "b",
 *       source: "if (x !== 1) throw new Error();",
 *       nbgrader: { grade: true, locked: true, grade_id: "test_x", points: 1 },
 *     },
 *   ].map(({ nbgrader, ...cell }) => {
 *     const flags = { schema_version: 3, grade: false, solution: false, locked: false };
 *     const metadata = { nbgrader: { ...flags, ...nbgrader } };
 *     return { ...cell, metadata, outputs: [], execution_count: null };
 *   }),
 * }));
 * const release = releaseNotebook(source);
 * const submission = structuredClone(release.notebook);
 * submission.cells[0].source = "const x = 1;";
 * // Without a sandbox only where nobody else wrote what runs.
 * const { verdicts } = await gradeSubmission(release, submission, { sandbox: false });
 * assertEquals(verdicts.map(({ gradeId, points }) => [gradeId, points]), [["test_x", 1]]);
 * ```
 */
export async function gradeSubmission(
  release: Release,
  submission: Notebook,
  options: GradeOptions = {},
): Promise<Graded> {
  assertKnownOptions("grade", options, GRADE_OPTIONS);
  const graded = await gradeOnce(release, submission, options);
  const unsaid = graded.verdicts.filter(({ status, hidden }) => status === "failed" && hidden);
  if (unsaid.length === 0) return graded;
  // What students may read of their failures is found where nothing hidden has ever been.
  const last = unsaid.at(-1)!.gradeId;
  const { verdicts: said } = await gradeOnce(withoutHidden(release), submission, options, last);
  const verdicts = graded.verdicts.map((verdict) => {
    const shown = said.find(({ gradeId }) => gradeId === verdict.gradeId);
    if (!unsaid.includes(verdict) || shown?.status !== "failed") return verdict;
    const { hidden: _, ...rest } = verdict;
    return { ...rest, message: shown.message };
  });
  return { ...graded, verdicts };
}

async function gradeOnce(
  release: Release,
  submission: Notebook,
  options: GradeOptions,
  last?: string,
): Promise<Graded> {
  const { notebook, findings, missing } = restoreSubmission(release, submission);
  const seen = [...findings, ...findSuspicious(notebook)];
  const how = { ...options, strict: false, missing, findings: seen, last };
  return await gradeNotebook(release, notebook, how);
}

/** A release whose hidden tests are gone. */
function withoutHidden(release: Release): Release {
  const { notebook, withHidden } = release;
  const shown = new Map(withHidden);
  for (const { cell, metadata } of gradedCells(notebook)) {
    const known = withHidden.get(metadata.grade_id);
    if (known) shown.set(metadata.grade_id, { ...known, source: cell.source });
  }
  return { ...release, withHidden: shown };
}
