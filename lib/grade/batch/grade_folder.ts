/**
 * Grades what one student has handed in, and writes the result into `autograded`, whole or not at all.
 *
 * @module
 */

import { join } from "@std/path";
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
import { type Grader, releasesFor } from "../grader.ts";
import {
  type GradingInputs,
  type GradingResult,
  type NotebookResult,
  writeResult,
} from "./result.ts";

/** How submissions of a course are graded. */
export type FolderOptions = Pick<GradeOptions, "codecs" | "sandbox" | "signal">;

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

/**
 * Grades a student's folder.
 *
 * @param course The course.
 * @param grader The assignment.
 * @param student The student's id.
 * @param options Codecs, sandbox, signal.
 * @param keep Whether to write a result in which a time-out stands.
 * @returns The result.
 * @throws {Error} If the submission cannot be read, no sandbox can be built, or the signal stopped the grading.
 */
export async function gradeFolder(
  course: Course,
  grader: Grader,
  student: string,
  options: FolderOptions,
  keep: { timeouts: boolean },
): Promise<FolderResult> {
  const { assignment, tests, untested } = grader;
  const releases = releasesFor(grader, student);
  const submission = await readSubmission(course, assignment.id, student);
  const own = new Set(assignment.files);
  const released = assignment.files.map((path) => ({ path, from: join(assignment.folder, path) }));
  const handedIn = submission.files.filter(({ path }) => !own.has(path));
  const work = { assignment: assignment.id, student };
  await using place = await openWorkplace(course, work, [...handedIn, ...released]);
  const notebooks: NotebookResult[] = [];
  const times: Record<string, Record<string, number>> = {};
  const graded = new Map<string, Notebook>();
  let timedOut = false;
  for (const [name, release] of releases) {
    const { notebook: given, findings: found } = notebookOf(submission, name, releases.size === 1);
    const { verdicts, notebook, findings, late = false } = given instanceof Error
      ? { verdicts: withoutNotebook(release, submission, given), findings: [] }
      : await gradeSubmission(release, given, {
        ...options,
        limits: assignment.settings.limits,
        cwd: place.cwd,
        read: [place.cwd],
        repeat: false,
      });
    timedOut ||= late;
    if (notebook !== undefined) graded.set(name, notebook);
    notebooks.push({
      notebook: name,
      verdicts: verdicts.map(({ seconds: _, ...verdict }) => verdict),
      findings: [...found, ...findings],
    });
    times[name] = Object.fromEntries(verdicts.map(({ gradeId, seconds }) => [gradeId, seconds]));
  }
  const result: GradingResult = {
    inputs: inputsOf(grader, submission, options),
    ...submission.submitted && { submitted: submission.submitted.toISOString() },
    tests,
    untested,
    notebooks,
    notes: submission.notes,
  };
  if (timedOut && !keep.timeouts) return { result, timedOut };
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

/** Verdicts where there is no notebook: tests fail, and what was handed in as another file waits for a person. */
function withoutNotebook(
  { notebook }: Release,
  { files }: Submission,
  { message }: Error,
): CellVerdict[] {
  const hasText = files.some(({ path }) => /\.(md|pdf)$/i.test(path));
  return gradedCells(notebook).filter(({ metadata }) => metadata.grade || metadata.task)
    .map(({ metadata, role }) => {
      const { grade_id: gradeId, points: maxPoints = 0 } = metadata;
      const base = { gradeId, points: 0, maxPoints, seconds: 0 };
      return hasText && role !== "test"
        ? { ...base, status: "manual" }
        : { ...base, status: "missing", message };
    });
}
