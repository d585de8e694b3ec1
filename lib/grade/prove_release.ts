/**
 * Proves an assignment before it is released: graded as submissions are, the instructor's solution must
 * get full marks and the stub none.
 *
 * @module
 */

import { assertKnownOptions } from "../options.ts";
import type { Notebook } from "../runtime/notebook.ts";
import { gradeSubmission } from "./autograde.ts";
import { gradeNotebook } from "./autograde/grading.ts";
import { type Finding, gradedCells } from "./metadata.ts";
import { withoutMarkers } from "./regions.ts";
import { checkRelease, releaseNotebook } from "./release.ts";
import { type Stubs, stubsFor } from "./stubs.ts";
import { GRADE_OPTIONS, type Graded, type GradeOptions } from "./verdict.ts";

/**
 * Proves an assignment: through the stand-ins, the instructor's solution gets full marks and the stub
 * none, and all that tests pass to the student's code, or get from it, can cross.
 *
 * @param source The instructor's notebook.
 * @param options As for {@linkcode gradeSubmission}.
 * @param stubs What replaces answers, as for {@linkcode releaseNotebook}.
 * @returns What keeps the assignment from being released, each named with its cell; what
 *   {@linkcode checkRelease} finds, if it finds something. Nothing if all is well.
 * @throws {Error} If no sandbox can be built, or the signal stopped the proof.
 *
 * @example
 * ```ts
 * import { proveRelease } from "tunebook/grade";
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
 * // The instructor's own notebook: it may run without a sandbox.
 * assertEquals(await proveRelease(source, { sandbox: false }), []);
 * ```
 */
export async function proveRelease(
  source: Notebook,
  options: GradeOptions = {},
  stubs: Stubs = stubsFor(source),
): Promise<Finding[]> {
  assertKnownOptions("prove a release", options, GRADE_OPTIONS);
  const faults = checkRelease(source);
  if (faults.length > 0) return faults;
  const release = releaseNotebook(source, stubs);
  const tests = gradedCells(release.notebook).filter(({ role }) => role === "test");
  if (tests.length === 0) return [];
  const solution = structuredClone(source);
  for (const cell of solution.cells) cell.source = withoutMarkers(cell.source);
  const how = { ...options, strict: true, missing: new Set<string>(), findings: [] };
  const solved = await gradeNotebook(release, solution, how);
  const stub = await gradeSubmission(release, release.notebook, options);
  const findings = [...solved.findings];
  for (const { index, metadata: { grade_id: gradeId } } of tests) {
    const find = ({ verdicts }: Graded) => verdicts.find((one) => one.gradeId === gradeId)!;
    const [full, none] = [find(solved), find(stub)];
    const add = (message: string) => findings.push({ index, gradeId, message });
    if (full.points !== full.maxPoints) {
      const why = full.message === undefined ? "" : `: ${full.message}`;
      add(`The solution scores ${full.points} of ${full.maxPoints} points${why}`);
    }
    if (none.points > 0) {
      add(`The stub scores ${none.points} of ${none.maxPoints} points: expected none`);
    }
  }
  return findings.sort((a, b) => (a.index ?? -1) - (b.index ?? -1));
}
