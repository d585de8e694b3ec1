/**
 * Scores as CSV with nbgrader's columns.
 *
 * @module
 */

import { stringify } from "@std/csv/stringify";
import type { AssignmentScore } from "./scores.ts";

/** A row of nbgrader's export. */
export interface ScoreRow {
  readonly assignment: string;
  readonly due?: Date;
  readonly submitted?: Date;
  readonly student: string;
  readonly lastName?: string;
  readonly firstName?: string;
  readonly email?: string;
  readonly rawScore: number;
  readonly latePenalty: number;
  readonly score: number;
  readonly maxScore: number;
}

const COLUMNS = [
  ...["assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email"],
  ...["raw_score", "late_submission_penalty", "score", "max_score"],
];

/**
 * Writes scores with nbgrader's columns.
 *
 * @param rows The scores.
 * @returns CSV; text that spreadsheets would compute begins with an apostrophe.
 */
export function scoresToCsv(rows: readonly ScoreRow[]): string {
  const lines = rows.map((row) => [
    ...[row.assignment, nbgraderTime(row.due), nbgraderTime(row.submitted), row.student].map(
      defuse,
    ),
    ...[row.lastName ?? "", row.firstName ?? "", row.email ?? ""].map(defuse),
    ...[row.rawScore, row.latePenalty, row.score, row.maxScore].map(String),
  ]);
  return stringify([COLUMNS, ...lines], { headers: false });
}

/**
 * The rows of a gradebook: one per student and assignment, also where nothing was handed in, as in nbgrader.
 *
 * @param scores The scores.
 * @returns The rows.
 */
export function scoreRows(scores: readonly AssignmentScore[]): ScoreRow[] {
  return scores.map(({ assignment, student, submission, due, raw, latePenalty, total, max }) => ({
    assignment,
    ...due !== undefined && { due },
    ...submission?.submitted !== undefined && { submitted: submission.submitted },
    student: student.id,
    ...student.lastName !== undefined && { lastName: student.lastName },
    ...student.firstName !== undefined && { firstName: student.firstName },
    ...student.email !== undefined && { email: student.email },
    rawScore: raw,
    latePenalty,
    score: total,
    maxScore: max,
  }));
}

/** A time as nbgrader writes it: UTC, without a zone, with microseconds unless they are 0. */
function nbgraderTime(time: Date | undefined): string {
  return time?.toISOString().replace("T", " ").replace("Z", "000").replace(/\.0+$/, "") ?? "";
}

/** Keeps spreadsheets from computing what a student typed. */
function defuse(text: string): string {
  return /^[\s']*[=+@\-\t\r]/.test(text) ? `'${text}` : text;
}
