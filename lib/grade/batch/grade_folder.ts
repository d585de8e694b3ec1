/**
 * Grades what one student has handed in, and writes the result into `autograded`, whole or not at all.
 *
 * @module
 */

import { join } from "@std/path/join";
import { VERSION } from "../../runtime/library.ts";
import { formatNotebook, type Notebook } from "../../runtime/notebook.ts";
import { writeFileBeside } from "../../write_beside.ts";
import { type CellVerdict, type GradeOptions, gradeSubmission } from "../autograde.ts";
import { assignmentFolder, type Course } from "../course.ts";
import { type Finding, gradedCells } from "../metadata.ts";
import type { Release } from "../release.ts";
import { replaceFolder } from "../replace_folder.ts";
import { readSubmission, type Submission } from "../submission.ts";
import { formatTimestamp } from "../timestamp.ts";
import { openWorkplace } from "../workplace.ts";
import { codecsFor, type Grader, releasesFor } from "../grader.ts";
import { checkWrittenAnswers, readWrittenWork } from "./written_work.ts";
import {
  type GradingInputs,
  type GradingResult,
  type NotebookResult,
  readResult,
  writeResult,
} from "./result.ts";

/** How submissions of a course are graded. */
export type FolderOptions = Pick<GradeOptions, "codecs" | "sandbox" | "signal">;

/** A test of an assignment. */
export interface Question {
  /** The notebook that it stands in. */
  readonly notebook: string;
  readonly gradeId: string;
}

/** What came of grading a student's folder. */
export interface FolderResult {
  readonly result: GradingResult;
  /** Whether a limit of time was met, by which other work on the machine may be at fault. */
  readonly timedOut: boolean;
}

/**
 * What decides the result of grading a submission.
 *
 * @param grader The assignment.
 * @param submission The submission.
 * @param options Whether there is a sandbox.
 * @returns Hashes, versions and limits.
 */
export function inputsOf(
  grader: Grader,
  submission: Submission,
  { sandbox = true }: FolderOptions,
): GradingInputs {
  const variant = grader.seedOf?.(submission.student);
  return {
    submission: submission.hash,
    release: grader.hash,
    ...variant !== undefined && { variant },
    runtime: `tunebook ${VERSION}, deno ${Deno.version.deno}, ${Deno.build.target}`,
    limits: grader.assignment.settings.limits,
    sandbox,
  };
}

/** What to do with what was graded before, and with limits that are met. */
export interface FolderRules {
  /** Whether a time-out stands; without it, a result with one is not written. */
  readonly keepTimeouts: boolean;
  /** Whether to write the result. Default: true. */
  readonly write?: boolean;
  /** The only test that has changed; verdicts that it does not touch are kept. */
  readonly question?: Question;
}

/**
 * Grades a student's folder.
 *
 * @param course The course.
 * @param grader The assignment.
 * @param student The student's id.
 * @param options Codecs, sandbox, signal.
 * @param rules Whether a time-out stands, and whether one test alone has changed.
 * @returns The result.
 * @throws {Error} If the submission cannot be read, no sandbox can be built, or the signal stopped the grading.
 */
export async function gradeFolder(
  course: Course,
  grader: Grader,
  student: string,
  options: FolderOptions,
  { keepTimeouts, write = true, question }: FolderRules,
): Promise<FolderResult> {
  const { assignment, tests, untested } = grader;
  const releases = releasesFor(grader, student);
  const submission = await readSubmission(course, assignment.id, student);
  const released = assignment.files.map((path) => ({ path, from: join(assignment.folder, path) }));
  const work = { assignment: assignment.id, student };
  await using place = await openWorkplace(course, work, released, submission.files);
  const before = question && await readResult(course, assignment.id, student);
  const notebooks: NotebookResult[] = [];
  const times: Record<string, Record<string, number>> = {};
  const graded = new Map<string, Notebook>();
  let timedOut = false;
  for (const [name, release] of releases) {
    const { notebook: given, findings: found } = notebookOf(submission, name, releases.size === 1);
    if (given instanceof Error) {
      const verdicts = withoutNotebook(release, submission, given);
      const written = await readWrittenWork(assignment, release.notebook, submission);
      if (written.notebook !== undefined) graded.set(name, written.notebook);
      notebooks.push(timeless(name, verdicts, [...found, ...written.findings]));
      continue;
    }
    const { verdicts, notebook, findings, late = false } = await gradeSubmission(release, given, {
      ...options,
      codecs: codecsFor(release, options.codecs),
      limits: assignment.settings.limits,
      cwd: place.cwd,
      testsCwd: place.testsCwd,
      read: [place.cwd],
      repeat: false,
      // In other notebooks no test runs.
      ...question && { only: question.notebook === name ? question.gradeId : "" },
    });
    timedOut ||= late;
    graded.set(name, notebook);
    const structure = await checkWrittenAnswers(assignment, notebook);
    const now = timeless(name, verdicts, [...found, ...findings, ...structure]);
    const earlier = before?.result.notebooks.find(({ notebook }) => notebook === name);
    notebooks.push(earlier === undefined ? now : replaceVerdicts(earlier, now));
    times[name] = {
      ...before?.times[name],
      ...Object.fromEntries(verdicts.map(({ gradeId, seconds }) => [gradeId, seconds])),
    };
  }
  const result: GradingResult = {
    inputs: inputsOf(grader, submission, options),
    ...submission.submitted && { submitted: submission.submitted.toISOString() },
    tests,
    untested,
    notebooks,
    notes: [
      ...submission.notes,
      ...place.leftOut.map((path) => `"${path}" is left out: the release has it in another form`),
    ],
  };
  if (!write || timedOut && !keepTimeouts) return { result, timedOut };
  const folder = assignmentFolder(course, "autograded", assignment.id, student);
  await replaceFolder(folder, async (unfinished) => {
    for (const [name, notebook] of graded) {
      await writeFileBeside(join(unfinished, `${name}.ipynb`), formatNotebook(notebook));
    }
    if (submission.submitted !== undefined) {
      const text = `${formatTimestamp(submission.submitted)}\n`;
      await writeFileBeside(join(unfinished, "timestamp.txt"), text);
    }
    await writeResult(unfinished, result, times);
  });
  return { result, timedOut };
}

/** Verdicts without what differs from one grading to the next. */
function timeless(
  notebook: string,
  verdicts: readonly CellVerdict[],
  findings: readonly Finding[],
): NotebookResult {
  return {
    notebook,
    verdicts: verdicts.map(({ seconds: _, ...verdict }) => verdict),
    findings,
  };
}

/** An earlier result, with the verdicts and findings of those tests that were run again. */
function replaceVerdicts(earlier: NotebookResult, now: NotebookResult): NotebookResult {
  const fresh = new Map(now.verdicts.map((verdict) => [verdict.gradeId, verdict]));
  const known = new Set(now.findings.map((finding) => JSON.stringify(finding)));
  const kept = earlier.findings.filter((finding) =>
    !fresh.has(finding.gradeId ?? "") && !known.has(JSON.stringify(finding))
  );
  return {
    notebook: now.notebook,
    verdicts: earlier.verdicts.map((verdict) => fresh.get(verdict.gradeId) ?? verdict),
    findings: [...now.findings, ...kept],
  };
}

/** The submission's notebook of a name; of one notebook with another name, that is the one. */
function notebookOf(
  { notebooks }: Submission,
  name: string,
  isOnly: boolean,
): { notebook: Notebook | Error; findings: Finding[] } {
  let notebook = notebooks.get(name);
  const findings: Finding[] = [];
  const [[other, only] = []] = notebooks;
  if (notebook === undefined && isOnly && notebooks.size === 1) {
    notebook = only!;
    findings.push({ message: `The notebook is called "${other}.ipynb", not "${name}.ipynb"` });
  }
  if (notebook instanceof Error) {
    return {
      notebook: new Error(`The notebook cannot be read: ${notebook.message}`, { cause: notebook }),
      findings: [...findings, { message: `The notebook cannot be read: ${notebook.message}` }],
    };
  }
  return { notebook: notebook ?? new Error(`"${name}.ipynb" was not handed in`), findings };
}

/** Verdicts where there is no notebook: what was handed in as another file waits for a person, its tests too. */
function withoutNotebook(
  { notebook }: Release,
  { files }: Submission,
  { message }: Error,
): CellVerdict[] {
  const hasText = files.some(({ path }) => /\.(md|pdf)$/i.test(path));
  return gradedCells(notebook).filter(({ metadata }) => metadata.grade || metadata.task)
    .map(({ metadata }) => {
      const { grade_id: gradeId, points: maxPoints = 0 } = metadata;
      const base = { gradeId, points: 0, maxPoints, seconds: 0 };
      return hasText ? { ...base, status: "manual" } : { ...base, status: "missing", message };
    });
}
