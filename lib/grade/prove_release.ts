/**
 * Proves an assignment before it is released: graded as submissions are, the instructor's solution must
 * get full marks and the stub none, in every student's variant.
 *
 * @module
 */

import { pooledMap } from "@std/async/pool";
import { assertKnownOptions, type OptionNames } from "../options.ts";
import type { Notebook } from "../runtime/notebook.ts";
import { hasTag } from "../runtime/parameters.ts";
import { gradeNotebook } from "./autograde/grading.ts";
import { type Finding, gradedCells } from "./metadata.ts";
import { withoutMarkers } from "./regions.ts";
import { checkRelease, type Release, releaseNotebook, variantOf } from "./release.ts";
import { restoreSubmission } from "./restore.ts";
import { type Stubs, stubsFor } from "./stubs.ts";
import { hasVariants, type Variant, VARIANTS_TAG, withSeed } from "./variants.ts";
import { GRADE_OPTIONS, type Graded, type GradeOptions } from "./verdict.ts";

/** How to prove a release. */
export interface ProofOptions extends GradeOptions {
  /** The students' variants, each of which is proved; of notebooks without variants, one proof holds for all. */
  variants?: readonly Variant[];
  /** How many variants are proved at a time; 1 by default. */
  jobs?: number;
  /** Told how many variants are proved, of how many. */
  onVariant?: (done: number, total: number) => void;
}

const PROOF_OPTIONS: OptionNames<ProofOptions> = {
  ...GRADE_OPTIONS,
  variants: true,
  jobs: true,
  onVariant: true,
};

/**
 * Proves an assignment: through the stand-ins, the instructor's solution gets full marks and the stub
 * none, and all that tests pass to the student's code, or get from it, can cross.
 *
 * @param source The instructor's notebook.
 * @param options As for `gradeSubmission`, and the students' variants.
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
  options: ProofOptions = {},
  stubs: Stubs = stubsFor(source),
): Promise<Finding[]> {
  assertKnownOptions("prove a release", options, PROOF_OPTIONS);
  const { variants = [], jobs = 1, onVariant, ...how } = options;
  const faults = checkRelease(source);
  if (faults.length > 0) return faults;
  const release = releaseNotebook(source, stubs);
  const solution = structuredClone(source);
  for (const cell of solution.cells) cell.source = withoutMarkers(cell.source);
  const findings = await proveOne(release, solution, how);
  // What is wrong with the example is wrong everywhere.
  if (findings.length > 0 || !hasVariants(source)) return findings;
  let done = 0;
  const prove = async ({ owner, seed }: Variant) => {
    const own = structuredClone(solution);
    for (const cell of own.cells) {
      if (hasTag(cell, VARIANTS_TAG)) cell.source = withSeed(cell.source, seed);
    }
    const found = await proveOne(variantOf(release, seed), own, how, true);
    onVariant?.(++done, variants.length);
    return { owner, found };
  };
  return together(await Array.fromAsync(pooledMap(jobs, variants, prove)), variants.length);
}

async function proveOne(
  release: Release,
  solution: Notebook,
  options: GradeOptions,
  isVariant = false,
): Promise<Finding[]> {
  const tests = gradedCells(release.notebook).filter(({ role }) => role === "test");
  if (tests.length === 0) return [];
  // A seed changes no type: those of the solution are right and those of the stub wrong, as in the example.
  const solved = await gradeNotebook(release, solution, {
    ...options,
    strict: true,
    missing: new Set(),
    findings: [],
    ...isVariant && { areTypesRight: true },
  });
  const { notebook, ...restored } = restoreSubmission(release, release.notebook);
  const stub = await gradeNotebook(release, notebook, {
    ...options,
    ...restored,
    strict: false,
    ...isVariant && { areTypesRight: false },
  });
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

/** The findings of all variants, those of the same kind as one. */
function together(
  proofs: readonly { readonly owner: string; readonly found: readonly Finding[] }[],
  total: number,
): Finding[] {
  const kinds = new Map<string, { readonly finding: Finding; readonly owners: string[] }>();
  for (const { owner, found } of proofs) {
    for (const finding of found) {
      // After the colon comes what differs: numbers of the variant.
      const kind = `${finding.gradeId}: ${finding.message.replace(/:[^]*/, "")}`;
      kinds.getOrInsert(kind, { finding, owners: [] }).owners.push(owner);
    }
  }
  return [...kinds.values()].map(({ finding, owners: [first, ...rest] }) => {
    const whose = rest.length === 0
      ? `In the variant of "${first}"`
      : `In ${rest.length + 1} of ${total} variants, first in that of "${first}"`;
    return { ...finding, message: `${whose}: ${finding.message}` };
  }).sort((a, b) => (a.index ?? -1) - (b.index ?? -1));
}
