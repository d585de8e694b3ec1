/**
 * What a student's work is worth: verdicts, marks by people, lateness and groups become one score per assignment. All
 * that shows a score asks here.
 *
 * @module
 */

import type { AssignmentSettings, LatePolicy } from "./course.ts";
import {
  answerId,
  type Gradebook,
  type GradebookAssignment,
  type GradebookCell,
  type GradebookSubmission,
  type GradebookVerdict,
  type Student,
} from "./gradebook.ts";
import { clampPenalty, secondsLate } from "./late.ts";
import type { Mark } from "./serve/store.ts";

/** What decides the points of one question. */
export interface ScoredQuestion {
  /** The most that it can give. */
  readonly maxPoints: number;
  /** What grading found; undefined if it has no verdict. */
  readonly verdict?: Pick<GradebookVerdict, "points" | "status">;
  /** What a person decided; it stands in place of the verdict. */
  readonly mark?: {
    readonly points: number | null;
    /** Whether the student has handed in again since: it counts, and waits to be confirmed. */
    readonly outdated?: boolean;
  };
}

/** A score. */
export interface Score {
  /** The sum of the questions' points. */
  readonly raw: number;
  /** What lateness takes off. */
  readonly latePenalty: number;
  /** What counts: `raw` without the penalty. */
  readonly total: number;
  /** The most points. */
  readonly max: number;
  /** How many answers wait for a person; as long as there are some, the score is not final. */
  readonly waiting: number;
}

/** One question of a student's work. */
export interface QuestionScore extends ScoredQuestion {
  /** The graded cell. */
  readonly cell: GradebookCell;
  /** What grading found; undefined if it has no verdict. */
  readonly verdict?: GradebookVerdict;
  /** The newest mark by a person; undefined if there is none. */
  readonly mark?: Mark;
  /** What it counts; 0 as long as nobody has marked it. */
  readonly points: number;
  /** Whether a person has yet to mark it. */
  readonly waiting: boolean;
}

/** A student's score at an assignment. */
export interface AssignmentScore extends Score {
  /** The student. */
  readonly student: Student;
  /** The assignment's id. */
  readonly assignment: string;
  /** The attempt that counts; another member's where a group hands in. Undefined if there is none. */
  readonly submission?: GradebookSubmission;
  /** When it was due for this student, extension included. */
  readonly due?: Date;
  /** Days begun after that; 0 if it came in time. */
  readonly lateDays: number;
  /** The questions, in their order. */
  readonly questions: readonly QuestionScore[];
}

/** The rules of an assignment that its scores depend on. */
export type ScoreRules = Pick<AssignmentSettings, "due" | "late" | "groups" | "extensions">;

const SECONDS_PER_DAY = 86_400;

/**
 * Whether a person has yet to mark a question.
 *
 * @param question The question.
 * @returns True if its verdict is that a person marks it, and nobody has since it was handed in.
 */
export function isWaiting({ verdict, mark }: ScoredQuestion): boolean {
  const isMarked = (mark?.points ?? null) !== null && mark?.outdated !== true;
  return verdict?.status === "manual" && !isMarked;
}

/**
 * The points of a question, as in nbgrader: those of a person, otherwise those of the verdict, otherwise 0.
 *
 * @param question The question.
 * @returns From 0 to its maximum: points given when it could give more do not exceed it now.
 */
export function pointsOf({ maxPoints, verdict, mark }: ScoredQuestion): number {
  return Math.min(maxPoints, Math.max(0, mark?.points ?? verdict?.points ?? 0));
}

/**
 * What a policy takes off a score.
 *
 * @param seconds How late the work is.
 * @param raw The score.
 * @param policy The share of the score that each day begun costs, and when nothing is accepted any more.
 * @returns From 0 to the score.
 */
export function latePenalty(seconds: number, raw: number, policy: LatePolicy): number {
  const { penaltyPerDay, maxDays = Infinity } = policy;
  if (seconds > maxDays * SECONDS_PER_DAY) return clampPenalty(raw, raw);
  return clampPenalty(lateDays(seconds) * penaltyPerDay * raw, raw);
}

/**
 * Days late.
 *
 * @param seconds How late the work is.
 * @returns The days begun.
 */
export function lateDays(seconds: number): number {
  return Math.ceil(seconds / SECONDS_PER_DAY);
}

/**
 * Adds up questions.
 *
 * @param questions The questions.
 * @param penalty What lateness takes off, or how to compute it from the sum of points.
 * @returns The score, without the noise that sums of binary fractions have.
 */
export function scoreOf(
  questions: readonly ScoredQuestion[],
  penalty: number | ((raw: number) => number) = 0,
): Score {
  const raw = exact(sum(questions.map(pointsOf)));
  const late = exact(clampPenalty(typeof penalty === "number" ? penalty : penalty(raw), raw));
  return {
    raw,
    latePenalty: late,
    total: exact(raw - late),
    max: exact(sum(questions.map(({ maxPoints }) => maxPoints))),
    waiting: questions.filter(isWaiting).length,
  };
}

/**
 * The scores of all students at an assignment.
 *
 * @param book The gradebook.
 * @param assignment The assignment, as the gradebook keeps it.
 * @param rules The course's rules; without them, the assignment's due date holds and lateness costs nothing.
 * @param students The students, such as the roster's; by default, those of the gradebook.
 * @returns A score for each student, in their order.
 *
 * @example
 * ```ts
 * import { assignmentScores, initCourse, openGradebook } from "tunebook/grade";
 * import { assertEquals } from "@std/assert";
 *
 * const course = await initCourse(await Deno.makeTempDir());
 * using book = openGradebook(course);
 * const cell = { notebook: "main", gradeId: "why", maxPoints: 2, manual: true };
 * book.putAssignment({ id: "week1", cells: [cell] });
 * book.putStudents([{ id: "ada" }]);
 * const [week1] = book.assignments();
 * const [{ total, max }] = assignmentScores(book, week1, course.settings.assignments.get("week1"));
 * assertEquals([total, max], [0, 2]);
 * ```
 */
export function assignmentScores(
  book: Gradebook,
  assignment: GradebookAssignment,
  rules: Partial<ScoreRules> = {},
  students: readonly Student[] = book.students(),
): AssignmentScore[] {
  const { due = assignment.due, late = { penaltyPerDay: 0 }, extensions = new Map() } = rules;
  const counted = countedSubmissions(book, assignment.id, rules.groups ?? false, students);
  const verdicts = book.newestVerdicts(assignment.id);
  const marks = book.newestMarks({ assignment: assignment.id });
  return students.map((student): AssignmentScore => {
    const submission = counted.get(student.id);
    const byCell = new Map(
      (submission === undefined ? [] : verdicts.get(submission.student) ?? [])
        .map((verdict) => [`${verdict.notebook}/${verdict.gradeId}`, verdict]),
    );
    const questions = assignment.cells.map((cell): QuestionScore => {
      const { notebook, gradeId, maxPoints } = cell;
      const newest = submission && marks.get(
        answerId({ assignment: assignment.id, notebook, gradeId, student: submission.student }),
      );
      const mark = newest && withAge(newest, submission);
      const found = byCell.get(`${notebook}/${gradeId}`);
      // What was handed in as a file alone has no cell that could be graded.
      const toMark = submission !== undefined && found === undefined && cell.manual;
      const verdict = toMark
        ? { notebook, gradeId, points: 0, maxPoints, status: "manual" as const, seconds: 0 }
        : found;
      const question = { cell, maxPoints, verdict, mark };
      return { ...question, points: pointsOf(question), waiting: isWaiting(question) };
    });
    const own = dueFor(student, due, extensions);
    const seconds = secondsLate(submission?.submitted, own);
    return {
      student,
      assignment: assignment.id,
      ...submission !== undefined && { submission },
      ...own !== undefined && { due: own },
      lateDays: lateDays(seconds),
      questions,
      ...scoreOf(questions, (raw) => latePenalty(seconds, raw, late)),
    };
  });
}

/**
 * Says of a mark whether the student has handed in again since.
 *
 * @param mark The mark.
 * @param submission The attempt that counts.
 * @returns The mark, with {@linkcode Mark.outdated}.
 */
export function withAge(mark: Mark, submission: Pick<GradebookSubmission, "attempt">): Mark {
  return (mark.attempt ?? 0) < submission.attempt ? { ...mark, outdated: true } : mark;
}

/**
 * The attempt of each student that counts: the newest one, or where a group hands in the newest one of its members.
 *
 * @param book The gradebook.
 * @param assignment The assignment's id.
 * @param groups Whether groups hand in.
 * @param students The students.
 * @returns The attempts by student; who has none is absent.
 */
export function countedSubmissions(
  book: Gradebook,
  assignment: string,
  groups: boolean,
  students: readonly Student[],
): Map<string, GradebookSubmission> {
  const own = new Map<string, GradebookSubmission>();
  for (const submission of book.submissions(assignment)) own.set(submission.student, submission);
  if (!groups) return own;
  const ofGroup = new Map<string, GradebookSubmission>();
  for (const { id, group } of students) {
    const submission = own.get(id);
    if (group === undefined || submission === undefined) continue;
    const other = ofGroup.get(group);
    if (other === undefined || isNewer(submission, other)) ofGroup.set(group, submission);
  }
  return new Map(students.flatMap(({ id, group }) => {
    const submission = group === undefined ? own.get(id) : ofGroup.get(group);
    return submission === undefined ? [] : [[id, submission]];
  }));
}

function isNewer(a: GradebookSubmission, b: GradebookSubmission): boolean {
  const [first, second] = [a.submitted?.getTime() ?? 0, b.submitted?.getTime() ?? 0];
  return first !== second ? first > second : a.attempt > b.attempt;
}

/**
 * When work is due for a student: the latest of the due date and the extensions of the student and the group.
 *
 * @param student The student.
 * @param due When it is due for all; undefined if never.
 * @param extensions Later dates, by student or group.
 */
export function dueFor(
  { id, group }: Student,
  due: Date | undefined,
  extensions: ReadonlyMap<string, Date>,
): Date | undefined {
  if (due === undefined) return undefined;
  const times = [due, extensions.get(id), group && extensions.get(group)]
    .filter((time) => time instanceof Date);
  return new Date(Math.max(...times.map((time) => time.getTime())));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function exact(value: number): number {
  return Math.round(value * 1e9) / 1e9;
}
