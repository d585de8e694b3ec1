/**
 * Scores as CSV: nbgrader's columns, and filled into the file that a course system exported.
 *
 * @module
 */

import { parse, stringify } from "@std/csv";

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

/** Which columns of a course system's file to use. */
export interface FillColumns {
  /** The column that names the student, such as "SIS User ID". */
  readonly student: string;
  /** The column to fill, such as "Week 1 (1234)". */
  readonly score: string;
}

/** What {@linkcode fillScores} gives. */
export interface Filled {
  readonly csv: string;
  /** Students with a score who are not in the file. */
  readonly missing: readonly string[];
}

/**
 * Fills scores into a CSV file that Canvas or Moodle exported. Other columns, and rows of students without a score, keep
 * their values.
 *
 * @param text The exported file.
 * @param columns Its columns to use.
 * @param scores The scores, by student.
 * @returns The filled file, and who is not in it.
 * @throws {SyntaxError} If the file is not CSV, lacks a column, or names a student twice.
 */
export function fillScores(
  text: string,
  columns: FillColumns,
  scores: ReadonlyMap<string, number>,
): Filled {
  const refuse = (why: string) => new SyntaxError(`Cannot fill scores in: ${why}`);
  const mark = text.startsWith("\uFEFF") ? "\uFEFF" : "";
  let rows: string[][];
  try {
    rows = parse(text.slice(mark.length));
  } catch (error) {
    throw refuse(error instanceof Error ? error.message : String(error));
  }
  const [header = [], ...lines] = rows;
  const at = (name: string): number => {
    const index = header.indexOf(name);
    if (index < 0) throw refuse(`there is no column "${name}"`);
    if (header.lastIndexOf(name) !== index) throw refuse(`the column "${name}" occurs twice`);
    return index;
  };
  const [student, score] = [at(columns.student), at(columns.score)];
  if (student === score) throw refuse("scores cannot replace the students' names");
  const filled = new Set<string>();
  for (const line of lines) {
    const value = scores.get(line[student]);
    if (value === undefined) continue;
    if (filled.has(line[student])) throw refuse(`"${line[student]}" occurs twice`);
    filled.add(line[student]);
    line[score] = String(value);
  }
  const missing = [...scores.keys()].filter((id) => !filled.has(id));
  return { csv: mark + stringify(rows, { headers: false }), missing };
}

/** A time as nbgrader writes it: UTC, without a zone, with microseconds unless they are 0. */
function nbgraderTime(time: Date | undefined): string {
  return time?.toISOString().replace("T", " ").replace("Z", "000").replace(/\.0+$/, "") ?? "";
}

/** Keeps spreadsheets from computing what a student typed. */
function defuse(text: string): string {
  return /^[\s']*[=+@\-\t\r]/.test(text) ? `'${text}` : text;
}
