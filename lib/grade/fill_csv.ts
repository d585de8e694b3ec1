/**
 * Fills scores into a CSV file that Canvas, Moodle or another course system exported. Only the fields of the scores
 * change: all else stays as it is, byte for byte.
 *
 * @module
 */

import type { Student } from "./gradebook.ts";

/** A student's score. */
export interface FilledScore {
  readonly student: Student;
  readonly score: number;
}

/** Which columns to use; those that are not named are found. */
export interface FillColumns {
  /** The column that names the student, such as "SIS User ID"; by default, the one that knows most of them. */
  readonly student?: string;
  /** The column to fill, such as "week1 (1234)"; by default, the one that is called like the assignment. */
  readonly score?: string;
}

/** What {@linkcode fillScores} gives. */
export interface Filled {
  /** The file's text. */
  readonly text: string;
  /** The names of the columns that were used. */
  readonly columns: Required<FillColumns>;
  /** How many scores were filled in. */
  readonly count: number;
  /** The ids of students with a score who are not in the file. */
  readonly missing: readonly string[];
  /** The most points, if the file says them. */
  readonly maxPoints?: number;
}

/** A field, and where it stands in the text. */
interface Field {
  readonly value: string;
  readonly start: number;
  readonly end: number;
}

/** What Moodle calls the column of an assignment's own file. */
const GRADE_COLUMN = "Grade";
/** How Canvas and Moodle give the most points: in a row, and in a column. */
const [POINTS_ROW, POINTS_COLUMN] = ["Points Possible", "Maximum Grade"];

/**
 * Fills scores in.
 *
 * @param text The exported file's text, a byte order mark included.
 * @param assignment The assignment's id, by which its column is found.
 * @param scores The scores. Students are known by id, number in the course system, or e-mail address.
 * @param columns The columns to use.
 * @returns The filled file. Fields of students without a score keep their values.
 * @throws {SyntaxError} If the file is not CSV, a column is missing or not found, or a student occurs twice.
 */
export function fillScores(
  text: string,
  assignment: string,
  scores: readonly FilledScore[],
  columns: FillColumns = {},
): Filled {
  const [header = [], ...rows] = readFields(text, separatorOf(text));
  const names = header.map(({ value }) => value);
  const known = new Map<string, FilledScore | undefined>();
  for (const score of scores) {
    const { id, lmsUserId, email } = score.student;
    for (const key of new Set([id, lmsUserId, email].flatMap((key) => keyOf(key) ?? []))) {
      // What names two students names neither.
      known.set(key, known.has(key) ? undefined : score);
    }
  }
  const find = (row: readonly Field[], column: number) =>
    known.get(keyOf(row[column]?.value) ?? "");
  const student = columns.student === undefined
    ? studentColumn(names, rows, (row, column) => find(row, column) !== undefined)
    : namedColumn(names, columns.student);
  const score = columns.score === undefined
    ? scoreColumn(names, assignment)
    : namedColumn(names, columns.score);
  if (student === score) throw refuse("scores cannot replace the students' names");
  const filled = new Map<FilledScore, Field>();
  for (const row of rows) {
    const found = find(row, student);
    if (found === undefined) continue;
    const field = row[score];
    if (field === undefined) {
      throw refuse(
        `the row of "${found.student.id}" has ${row.length} fields: expected ${names.length}`,
      );
    }
    if (filled.has(found)) throw refuse(`"${found.student.id}" occurs twice`);
    filled.set(found, field);
  }
  let [result, at] = ["", 0];
  for (const [{ score }, { start, end }] of [...filled].sort(([, a], [, b]) => a.start - b.start)) {
    result += text.slice(at, start) + String(Math.round(score * 1e4) / 1e4);
    at = end;
  }
  const maxPoints = maxPointsIn(names, rows, score);
  return {
    text: result + text.slice(at),
    columns: { student: names[student]!, score: names[score]! },
    count: filled.size,
    missing: scores.filter((one) => !filled.has(one)).map(({ student: { id } }) => id),
    ...maxPoints !== undefined && { maxPoints },
  };
}

function refuse(why: string): SyntaxError {
  return new SyntaxError(`Cannot fill scores in: ${why}`);
}

function keyOf(name: string | undefined): string | undefined {
  const key = name?.trim().toLowerCase();
  return key === "" ? undefined : key;
}

function namedColumn(names: readonly string[], name: string): number {
  const index = names.indexOf(name);
  if (index < 0) throw refuse(`there is no column "${name}", only ${listOf(names)}`);
  if (names.lastIndexOf(name) !== index) throw refuse(`the column "${name}" occurs twice`);
  return index;
}

function studentColumn(
  names: readonly string[],
  rows: readonly Field[][],
  isKnown: (row: readonly Field[], column: number) => boolean,
): number {
  const counts = names.map((_, column) => rows.filter((row) => isKnown(row, column)).length);
  const most = Math.max(0, ...counts);
  if (most === 0) throw refuse("no column has the id, number or e-mail address of a student");
  return counts.indexOf(most);
}

/** Canvas calls the column "week1 (1234)"; Moodle's file is about one assignment. */
function scoreColumn(names: readonly string[], assignment: string): number {
  const fits = names.flatMap((name, i) =>
    name === assignment || name.startsWith(`${assignment} (`) ? [i] : []
  );
  const found = fits.length > 0
    ? fits
    : names.flatMap((name, i) => name === GRADE_COLUMN ? [i] : []);
  if (found.length !== 1) {
    throw refuse(
      `${
        found.length === 0 ? "no column is" : "several columns are"
      } called "${assignment}": name one of ${listOf(names)}`,
    );
  }
  return found[0]!;
}

function listOf(names: readonly string[]): string {
  return names.map((name) => JSON.stringify(name)).join(", ");
}

function maxPointsIn(
  names: readonly string[],
  rows: readonly Field[][],
  score: number,
): number | undefined {
  const inRow = rows.find((row) => row[0]?.value.trim() === POINTS_ROW)?.[score]?.value;
  const column = names.indexOf(POINTS_COLUMN);
  const text = inRow ?? (column < 0 ? undefined : rows[0]?.[column]?.value);
  return text === undefined || text.trim() === "" || !Number.isFinite(Number(text))
    ? undefined
    : Number(text);
}

/** A comma, or what spreadsheets of other languages write. */
function separatorOf(text: string): string {
  const head = text.slice(0, text.search(/[\r\n]|$/));
  const count = (separator: string) => head.split(separator).length;
  return [";", "\t"].reduce((best, one) => count(one) > count(best) ? one : best, ",");
}

/**
 * Reads CSV as RFC 4180 has it, with each field's place in the text, which the standard library's reader does not tell.
 *
 * @param text The text.
 * @param separator What stands between fields.
 * @returns The rows; empty lines are left out.
 * @throws {SyntaxError} If a quote is not closed, or stands within a field.
 */
export function readFields(text: string, separator = ","): Field[][] {
  const rows: Field[][] = [];
  let row: Field[] = [];
  let at = text.startsWith("\uFEFF") ? 1 : 0;
  const lineEnd = () => text.startsWith("\r\n", at) ? 2 : text[at] === "\n" ? 1 : 0;
  while (at < text.length) {
    if (row.length === 0 && lineEnd() > 0) {
      at += lineEnd();
      continue;
    }
    const start = at;
    const field = row.length + 1;
    const where = () => `row ${rows.length + 1}, field ${field}`;
    let value = "";
    if (text[at] === '"') {
      for (at++;; at++) {
        if (at >= text.length) throw refuse(`a quote is not closed in ${where()}`);
        if (text[at] !== '"') value += text[at];
        else if (text[at + 1] === '"') value += text[++at];
        else break;
      }
      at++;
    } else {
      while (at < text.length && text[at] !== separator && lineEnd() === 0) {
        if (text[at] === '"') throw refuse(`a quote stands within ${where()}`);
        value += text[at++];
      }
    }
    row.push({ value, start, end: at });
    if (at < text.length && text[at] !== separator && lineEnd() === 0) {
      throw refuse(`text follows a quote in ${where()}`);
    }
    if (text[at] === separator) {
      at++;
      // A separator at the end of a line, or of the text, is followed by an empty field.
      if (at < text.length && lineEnd() === 0) continue;
      row.push({ value: "", start: at, end: at });
    }
    at += lineEnd();
    rows.push(row);
    row = [];
  }
  return rows;
}
