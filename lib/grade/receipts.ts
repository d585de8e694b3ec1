/**
 * Receipts of a course: written for graded work, and checked by grading it again.
 *
 * @module
 */

import { join } from "@std/path/join";
import { makeFolder, writeFileBeside } from "../write_beside.ts";
import { type FolderOptions, gradeFolder, inputsOf } from "./batch/grade_folder.ts";
import { type GradingInputs, readResult } from "./batch/result.ts";
import { assignmentFolder, assignmentSettings, type Course } from "./course.ts";
import type { Gradebook } from "./gradebook.ts";
import { openGrader } from "./grader.ts";
import { type Receipt, signReceipt } from "./receipt.ts";
import { privateKey } from "./receipt_key.ts";
import { type AssignmentScore, assignmentScores, type QuestionScore, scoreOf } from "./scores.ts";
import { readSubmission } from "./submission.ts";

/** What {@linkcode writeReceipts} wrote. */
export interface WrittenReceipts {
  /** The files by student. */
  readonly files: ReadonlyMap<string, string>;
  /** Why a student who handed in gets none, by student. */
  readonly refused: ReadonlyMap<string, string>;
}

/**
 * Writes a receipt for each student who has handed in an assignment, as `feedback/STUDENT/ASSIGNMENT/receipt.json`.
 *
 * @param course The course.
 * @param book Its gradebook.
 * @param assignment The assignment's id.
 * @param student One student's id; by default, all students'.
 * @returns The files.
 * @throws {RangeError} If the gradebook has no such assignment or student.
 */
export async function writeReceipts(
  course: Course,
  book: Gradebook,
  assignment: string,
  student?: string,
): Promise<WrittenReceipts> {
  const key = await privateKey(course.root);
  const files = new Map<string, string>();
  const refused = new Map<string, string>();
  for (const score of scoresOf(course, book, assignment, student)) {
    const { student: { id }, submission } = score;
    if (submission === undefined) continue;
    const graded = await readResult(course, assignment, submission.student);
    const verdicts = graded && new Map(
      graded.result.notebooks.flatMap(({ notebook, verdicts }) =>
        verdicts.map((one) => [`${notebook}/${one.gradeId}`, one])
      ),
    );
    const agrees = verdicts !== undefined && score.questions.every(({ cell, verdict }) => {
      const found = verdicts.get(`${cell.notebook}/${cell.gradeId}`);
      return found?.points === verdict?.points && found?.status === verdict?.status;
    });
    if (!agrees) {
      refused.set(
        id,
        "its verdicts in the gradebook and in autograded differ: run autograde again",
      );
      continue;
    }
    const receipt = receiptOf(course, score, graded!.result.inputs);
    const folder = assignmentFolder(course, "feedback", assignment, id);
    await makeFolder(folder);
    const path = join(folder, "receipt.json");
    await writeFileBeside(path, await signReceipt(receipt, key));
    files.set(id, path);
  }
  return { files, refused };
}

function scoresOf(
  course: Course,
  book: Gradebook,
  assignment: string,
  student?: string,
): AssignmentScore[] {
  const kept = book.assignments().find(({ id }) => id === assignment);
  if (kept === undefined) {
    throw new RangeError(`The gradebook has no assignment "${assignment}"`);
  }
  const scores = assignmentScores(book, kept, assignmentSettings(course, assignment));
  const own = scores.filter((score) => student === undefined || score.student.id === student);
  if (own.length === 0) throw new RangeError(`The gradebook has no student "${student}"`);
  return own;
}

function receiptOf(course: Course, score: AssignmentScore, inputs: GradingInputs): Receipt {
  const { assignment, student, submission, due, raw, latePenalty, total, max, waiting } = score;
  return {
    kind: "tunebook grade receipt",
    version: 1,
    course: course.settings.name,
    assignment,
    student: student.id,
    submittedBy: submission!.student,
    ...submission!.submitted !== undefined && { submitted: submission!.submitted.toISOString() },
    ...due !== undefined && { due: due.toISOString() },
    inputs: {
      submission: inputs.submission,
      release: inputs.release,
      runtime: inputs.runtime,
      limits: inputs.limits,
      sandbox: inputs.sandbox,
    },
    questions: score.questions.map(questionOf),
    score: { raw, latePenalty, total, max, waiting },
    issued: new Date().toISOString(),
  };
}

function questionOf({ cell, verdict, mark }: QuestionScore): Receipt["questions"][number] {
  const { notebook, gradeId, maxPoints } = cell;
  return {
    notebook,
    gradeId,
    maxPoints,
    ...verdict !== undefined && {
      verdict: {
        points: verdict.points,
        status: verdict.status,
        ...verdict.shared !== undefined && { shared: verdict.shared },
      },
    },
    ...mark !== undefined && { mark: { points: mark.points, version: mark.version } },
  };
}

/** What {@linkcode checkReceipt} found. */
export interface ReceiptCheck {
  /** Whether the same work, by the same tests, gets the same grade. */
  readonly same: boolean;
  /** What differs in the work, its tests, its verdicts, marks or score, each as a sentence. */
  readonly differences: readonly string[];
  /** What has changed of what should not matter: versions, limits, the sandbox. */
  readonly changes: readonly string[];
}

/**
 * Grades the work of a receipt again, and compares.
 *
 * @param course The course.
 * @param book Its gradebook, which has the marks.
 * @param receipt The receipt, whose signature was checked.
 * @param options Codecs, sandbox, signal.
 * @returns What differs. Nothing of the course is changed.
 * @throws {RangeError} If the gradebook no longer has the assignment or the student.
 * @throws {Deno.errors.NotFound} If the work is no longer there.
 */
export async function checkReceipt(
  course: Course,
  book: Gradebook,
  receipt: Receipt,
  options: FolderOptions,
): Promise<ReceiptCheck> {
  const { assignment, student, submittedBy, inputs } = receipt;
  const [now] = scoresOf(course, book, assignment, student);
  const grader = await openGrader(course, assignment);
  const submission = await readSubmission(course, assignment, submittedBy);
  const current = inputsOf(grader, submission, options);
  const differences: string[] = [];
  const changes: string[] = [];
  if (current.submission !== inputs.submission) {
    differences.push(
      `What "${submittedBy}" handed in is not what was graded: it was changed, or another attempt counts now`,
    );
  }
  if (current.release !== inputs.release) {
    differences.push("The assignment or its tests have changed");
  }
  for (const [name, then, at] of changesBetween(inputs, current)) {
    changes.push(`${name}: ${then} then, ${at} now`);
  }
  const { result, timedOut } = await gradeFolder(
    course,
    grader,
    submittedBy,
    options,
    { keepTimeouts: true, write: false },
  );
  if (timedOut) changes.push("This time, a limit of time was met");
  const verdicts = new Map(
    result.notebooks.flatMap(({ notebook, verdicts }) =>
      verdicts.map((one) => [`${notebook}/${one.gradeId}`, one])
    ),
  );
  const marks = new Map(
    now!.questions.map(({ cell, mark }) => [`${cell.notebook}/${cell.gradeId}`, mark]),
  );
  const asked = new Set<string>();
  for (const then of receipt.questions) {
    const name = `${then.notebook}/${then.gradeId}`;
    asked.add(name);
    const [before, after] = [describe(then.verdict), describe(verdicts.get(name))];
    if (before !== after) differences.push(`${name}: ${before} then, ${after} now`);
    const mark = marks.get(name);
    if (describeMark(then.mark) !== describeMark(mark)) {
      differences.push(`${name}: ${describeMark(then.mark)} then, ${describeMark(mark)} now`);
    }
  }
  for (const name of verdicts.keys()) {
    if (!asked.has(name)) differences.push(`${name}: was not a question then`);
  }
  differences.push(...scoreDifferences(receipt, now!));
  return { same: differences.length === 0, differences, changes };
}

function describe(verdict: { points: number; status: string } | undefined): string {
  return verdict === undefined ? "no verdict" : `${verdict.status} with ${verdict.points} points`;
}

function describeMark(mark: { points: number | null; version: number } | undefined): string {
  if (mark === undefined) return "not marked";
  return `marked ${mark.points ?? "without"} points (version ${mark.version})`;
}

/** The receipt must add up, and the gradebook must say the same. */
function scoreDifferences({ questions, score }: Receipt, now: AssignmentScore): string[] {
  const sum = scoreOf(
    questions.map(({ maxPoints, verdict, mark }) => ({
      maxPoints,
      verdict: verdict as QuestionScore["verdict"],
      mark,
    })),
    score.latePenalty,
  );
  return (["raw", "latePenalty", "total", "max", "waiting"] as const).flatMap((name) => {
    if (score[name] !== sum[name]) {
      return [`Score, ${name}: ${score[name]}, but it adds up to ${sum[name]}`];
    }
    return score[name] === now[name]
      ? []
      : [`Score, ${name}: ${score[name]} then, ${now[name]} in the gradebook now`];
  });
}

function* changesBetween(
  then: Receipt["inputs"],
  now: GradingInputs,
): Generator<[name: string, then: unknown, now: unknown]> {
  if (then.runtime !== now.runtime) yield ["Runtime", then.runtime, now.runtime];
  if (then.sandbox !== now.sandbox) {
    const words = (sandbox: boolean) => sandbox ? "in a sandbox" : "without one";
    yield ["Sandbox", words(then.sandbox), words(now.sandbox)];
  }
  for (const name of Object.keys(then.limits) as (keyof Receipt["inputs"]["limits"])[]) {
    if (then.limits[name] !== now.limits[name]) {
      yield [`Limit ${name}`, then.limits[name], now.limits[name]];
    }
  }
}
