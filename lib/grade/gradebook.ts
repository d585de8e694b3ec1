/**
 * The gradebook: one SQLite file that keeps assignments, students, submissions, verdicts and marks. Every write is a
 * transaction that has reached the disk when it returns; marks are only ever added.
 *
 * @module
 */

import { join } from "@std/path/join";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import type { CellVerdict } from "./autograde.ts";
import {
  type Appended,
  judgeMark,
  type Mark,
  type NewMark,
  type ReusableComment,
} from "./serve/store.ts";

/** A student of the course. */
export interface Student {
  /** The name of the student's folders. */
  readonly id: string;
  /** The given name. */
  readonly firstName?: string;
  /** The family name. */
  readonly lastName?: string;
  /** The e-mail address. */
  readonly email?: string;
  /** The number by which the course system knows the student, such as Canvas's. */
  readonly lmsUserId?: string;
  /** The group that the student hands in with. */
  readonly group?: string;
}

/** A graded cell of an assignment. */
export interface GradebookCell {
  /** The notebook that it stands in. */
  readonly notebook: string;
  /** Its `grade_id`. */
  readonly gradeId: string;
  /** What it can score. */
  readonly maxPoints: number;
  /** Whether a person marks it. */
  readonly manual: boolean;
}

/** An assignment as the gradebook keeps it. */
export interface GradebookAssignment {
  /** The name of its folders. */
  readonly id: string;
  /** When it is due; undefined if never. */
  readonly due?: Date;
  /** Its graded cells, in their order. */
  readonly cells: readonly GradebookCell[];
}

/** One attempt of a student at an assignment. */
export interface GradebookSubmission {
  /** The student's id. */
  readonly student: string;
  /** The assignment's id. */
  readonly assignment: string;
  /** From 1. */
  readonly attempt: number;
  /** When it was handed in; undefined if unknown. */
  readonly submitted?: Date;
  /** A hash of everything that was handed in. */
  readonly hash: string;
}

/** A cell's verdict and the notebook it belongs to. */
export interface GradebookVerdict extends CellVerdict {
  /** The notebook's name, without `.ipynb`. */
  readonly notebook: string;
}

/** Which answer a mark is for. */
export interface AnswerKey {
  /** The assignment's id. */
  readonly assignment: string;
  /** The notebook's name, without `.ipynb`. */
  readonly notebook: string;
  /** The cell's `grade_id`. */
  readonly gradeId: string;
  /** The student's id. */
  readonly student: string;
}

const APPLICATION_ID = 0x54424742; // "TBGB"
const VERSION = 1;

const SCHEMA = `
CREATE TABLE assignments (id TEXT PRIMARY KEY, due TEXT) STRICT;
CREATE TABLE cells (
  assignment TEXT NOT NULL REFERENCES assignments, notebook TEXT NOT NULL, grade_id TEXT NOT NULL,
  position INTEGER NOT NULL, max_points REAL NOT NULL, manual INTEGER NOT NULL, current INTEGER NOT NULL,
  PRIMARY KEY (assignment, notebook, grade_id)) STRICT;
CREATE TABLE students (
  id TEXT PRIMARY KEY, first_name TEXT, last_name TEXT, email TEXT, group_name TEXT) STRICT;
CREATE TABLE submissions (
  id INTEGER PRIMARY KEY, student TEXT NOT NULL REFERENCES students,
  assignment TEXT NOT NULL REFERENCES assignments, attempt INTEGER NOT NULL CHECK (attempt > 0),
  submitted TEXT, hash TEXT NOT NULL, UNIQUE (assignment, student, attempt)) STRICT;
CREATE TABLE verdicts (
  submission INTEGER NOT NULL REFERENCES submissions, notebook TEXT NOT NULL, grade_id TEXT NOT NULL,
  points REAL NOT NULL, verdict TEXT NOT NULL, PRIMARY KEY (submission, notebook, grade_id)) STRICT;
CREATE TABLE marks (
  answer TEXT NOT NULL, version INTEGER NOT NULL, marker TEXT NOT NULL, session TEXT NOT NULL,
  edit INTEGER NOT NULL, points REAL, rubric TEXT NOT NULL, comment TEXT NOT NULL, at TEXT NOT NULL,
  attempt INTEGER NOT NULL, PRIMARY KEY (answer, version)) STRICT;
CREATE TABLE marks_aside (
  id INTEGER PRIMARY KEY, answer TEXT NOT NULL, base INTEGER NOT NULL, marker TEXT NOT NULL,
  session TEXT NOT NULL, edit INTEGER NOT NULL, points REAL, rubric TEXT NOT NULL, comment TEXT NOT NULL, at TEXT NOT NULL) STRICT;
CREATE TABLE course (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE comments (
  id INTEGER PRIMARY KEY, question TEXT NOT NULL, text TEXT NOT NULL, UNIQUE (question, text)) STRICT;
CREATE TRIGGER marks_stay BEFORE DELETE ON marks BEGIN SELECT RAISE(ABORT, 'marks are only added'); END;
CREATE TRIGGER marks_hold BEFORE UPDATE ON marks BEGIN SELECT RAISE(ABORT, 'marks are only added'); END;
PRAGMA application_id = ${APPLICATION_ID};
PRAGMA user_version = ${VERSION};
`;

type Row = Record<string, unknown>;

/** The gradebook of a course; close it, or declare it with `using`. */
export class Gradebook implements Disposable {
  readonly #db: DatabaseSync;

  private constructor(db: DatabaseSync) {
    this.#db = db;
  }

  /**
   * Opens a gradebook, and makes it where there is none.
   *
   * @param path The file.
   * @returns The gradebook.
   * @throws {Error} If the file is damaged, is not a gradebook, or was written by a newer version.
   */
  static open(path: string): Gradebook {
    let db: DatabaseSync | undefined;
    try {
      db = new DatabaseSync(path);
      db.exec("PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON");
      db.exec("PRAGMA synchronous = FULL");
      const book = new Gradebook(db);
      book.#transaction(() => book.#prepare(path));
      return book;
    } catch (error) {
      db?.close();
      if (error instanceof GradebookError) throw error;
      const why = error instanceof Error ? error.message : String(error);
      throw new GradebookError(
        `Cannot open the gradebook "${path}": ${why}; if it is damaged, restore a backup`,
        { cause: error },
      );
    }
  }

  #prepare(path: string): void {
    const tables = this.#get("SELECT count(*) AS n FROM sqlite_schema")!.n as number;
    const application = this.#get("PRAGMA application_id")!.application_id as number;
    if (tables === 0 && application === 0) return this.#db.exec(SCHEMA);
    if (application !== APPLICATION_ID) {
      throw new GradebookError(`Cannot open "${path}": it is a database, but not a gradebook`);
    }
    const version = this.#get("PRAGMA user_version")!.user_version as number;
    if (version !== VERSION) {
      throw new GradebookError(
        `Cannot open the gradebook "${path}": it has version ${version}, expected ${VERSION}; a newer Tunebook wrote it`,
      );
    }
    const check = this.#get("PRAGMA quick_check(1)")!.quick_check;
    if (check !== "ok") {
      throw new GradebookError(
        `Cannot open the gradebook "${path}": it is damaged (${check}); restore a backup`,
      );
    }
  }

  /** Closes the file. */
  close(): void {
    this.#db.close();
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.close();
  }

  /**
   * Writes a copy of everything to a new file.
   *
   * @param path The copy, which must not be there yet.
   * @throws {Error} If there is a file already, or it cannot be written.
   */
  backup(path: string): void {
    this.#run("VACUUM INTO ?", path);
  }

  /** Keeps an assignment; cells that it has no longer keep their verdicts and marks, but do not count. */
  putAssignment({ id, due, cells }: GradebookAssignment): void {
    checkId("assignment", id);
    for (const { notebook, gradeId } of cells) {
      checkId("notebook", notebook);
      checkId("cell", gradeId);
    }
    this.#transaction(() => {
      this.#run(
        "INSERT INTO assignments VALUES (?, ?) ON CONFLICT DO UPDATE SET due = excluded.due",
        id,
        due?.toISOString() ?? null,
      );
      this.#run("UPDATE cells SET current = 0 WHERE assignment = ?", id);
      for (const [position, cell] of cells.entries()) {
        this.#run(
          `INSERT INTO cells VALUES (?, ?, ?, ?, ?, ?, 1) ON CONFLICT DO UPDATE SET position = excluded.position,
          max_points = excluded.max_points, manual = excluded.manual, current = 1`,
          ...[id, cell.notebook, cell.gradeId, position, cell.maxPoints, Number(cell.manual)],
        );
      }
    });
  }

  /** The assignments, by id. */
  assignments(): GradebookAssignment[] {
    return this.#all("SELECT * FROM assignments ORDER BY id").map(({ id, due }) => ({
      id: id as string,
      ...due !== null && { due: new Date(due as string) },
      cells: this.#all(
        "SELECT * FROM cells WHERE assignment = ? AND current ORDER BY position",
        id as string,
      ).map((row) => ({
        notebook: row.notebook as string,
        gradeId: row.grade_id as string,
        maxPoints: row.max_points as number,
        manual: row.manual === 1,
      })),
    }));
  }

  /** Keeps students; those who are there already are brought up to date. */
  putStudents(students: readonly Student[]): void {
    for (const { id } of students) checkId("student", id);
    this.#transaction(() => {
      for (const { id, firstName, lastName, email, group } of students) {
        this.#run(
          `INSERT INTO students VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET first_name = excluded.first_name,
          last_name = excluded.last_name, email = excluded.email, group_name = excluded.group_name`,
          ...[id, firstName ?? null, lastName ?? null, email ?? null, group ?? null],
        );
      }
    });
  }

  /** The students, by id. */
  students(): Student[] {
    return this.#all("SELECT * FROM students ORDER BY id").map((row) => ({
      id: row.id as string,
      ...row.first_name !== null && { firstName: row.first_name as string },
      ...row.last_name !== null && { lastName: row.last_name as string },
      ...row.email !== null && { email: row.email as string },
      ...row.group_name !== null && { group: row.group_name as string },
    }));
  }

  /**
   * Keeps an attempt with its verdicts, in one transaction. The same attempt graded again replaces its verdicts and
   * leaves marks alone.
   *
   * @throws {Error} If the student or the assignment is unknown, or the attempt was kept with another hash.
   */
  putSubmission(submission: GradebookSubmission, verdicts: readonly GradebookVerdict[]): void {
    const { student, assignment, attempt, submitted, hash } = submission;
    this.#transaction(() => {
      const kept = this.#submission(submission);
      if (kept !== undefined && kept.hash !== hash) {
        throw new GradebookError(
          `Cannot keep attempt ${attempt} of "${student}" at "${assignment}": another one has this number`,
        );
      }
      for (
        const [what, table, id] of [["student", "students", student], [
          "assignment",
          "assignments",
          assignment,
        ]]
      ) {
        if (this.#get(`SELECT 1 AS found FROM ${table} WHERE id = ?`, id) === undefined) {
          throw new GradebookError(`Cannot keep a submission: the ${what} "${id}" is unknown`);
        }
      }
      if (kept === undefined) {
        this.#run(
          "INSERT INTO submissions (student, assignment, attempt, submitted, hash) VALUES (?, ?, ?, ?, ?)",
          ...[student, assignment, attempt, submitted?.toISOString() ?? null, hash],
        );
      }
      const { id } = this.#submission(submission)!;
      this.#run("DELETE FROM verdicts WHERE submission = ?", id as number);
      for (const verdict of verdicts) {
        const { notebook, gradeId, points } = verdict;
        this.#run(
          "INSERT INTO verdicts VALUES (?, ?, ?, ?, ?)",
          ...[id as number, notebook, gradeId, points, JSON.stringify(verdict)],
        );
      }
    });
  }

  /** The attempts at an assignment, by student and attempt. */
  submissions(assignment: string): GradebookSubmission[] {
    return this.#all(
      "SELECT * FROM submissions WHERE assignment = ? ORDER BY student, attempt",
      assignment,
    ).map((row) => ({
      student: row.student as string,
      assignment,
      attempt: row.attempt as number,
      ...row.submitted !== null && { submitted: new Date(row.submitted as string) },
      hash: row.hash as string,
    }));
  }

  /**
   * The verdicts on each student's newest attempt, by student, in one query.
   *
   * @param assignment The assignment's id.
   * @returns The verdicts; a student without an attempt is absent.
   */
  newestVerdicts(assignment: string): Map<string, GradebookVerdict[]> {
    const found = new Map<string, GradebookVerdict[]>();
    for (
      const { student, verdict } of this.#all(
        `SELECT s.student, v.verdict FROM submissions s LEFT JOIN verdicts v ON v.submission = s.id
        WHERE s.assignment = ? AND s.attempt =
          (SELECT max(attempt) FROM submissions WHERE assignment = s.assignment AND student = s.student)
        ORDER BY s.student, v.rowid`,
        assignment,
      )
    ) {
      const list = found.getOrInsertComputed(student as string, () => []);
      if (verdict !== null) list.push(JSON.parse(verdict as string));
    }
    return found;
  }

  /**
   * How each student's newest attempt fared at one cell, in one query.
   *
   * @param place The cell.
   * @returns The verdicts' states by student; a student without a verdict is absent.
   */
  statuses(
    { assignment, notebook, gradeId }: Omit<AnswerKey, "student">,
  ): Map<string, CellVerdict["status"]> {
    const rows = this.#all(
      `SELECT s.student, json_extract(v.verdict, '$.status') AS status
      FROM submissions s JOIN verdicts v ON v.submission = s.id
      WHERE s.assignment = ? AND v.notebook = ? AND v.grade_id = ? AND s.attempt =
        (SELECT max(attempt) FROM submissions WHERE assignment = s.assignment AND student = s.student)`,
      ...[assignment, notebook, gradeId],
    );
    return new Map(
      rows.map(({ student, status }) => [student as string, status as CellVerdict["status"]]),
    );
  }

  /** The verdicts on an attempt. */
  verdicts(
    submission: Pick<GradebookSubmission, "student" | "assignment" | "attempt">,
  ): GradebookVerdict[] {
    const kept = this.#submission(submission);
    if (kept === undefined) return [];
    return this.#all(
      "SELECT verdict FROM verdicts WHERE submission = ? ORDER BY rowid",
      kept.id as number,
    ).map(({ verdict }) => JSON.parse(verdict as string));
  }

  /**
   * Adds a mark if {@linkcode judgeMark} calls it new; one in conflict is set aside and never counts.
   *
   * @param mark The mark, its `answer` made by {@linkcode answerId}.
   * @param base The version that the marker saw; 0 if there was none.
   * @returns The saved mark, or the other one.
   */
  appendMark(mark: NewMark, base: number): Appended {
    const at = new Date().toISOString();
    const { answer, marker, session, edit, points, comment } = mark;
    const rubric = JSON.stringify(mark.rubric);
    return this.#transaction(() => {
      const current = this.mark(answer);
      const judgement = judgeMark(current, mark, base);
      if (judgement === "known") return { saved: true, mark: current! };
      if (judgement === "conflict") {
        this.#run(
          `INSERT INTO marks_aside (answer, base, marker, session, edit, points, rubric, comment, at)
          VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
          ...[answer, base, marker, session, edit, points, rubric, comment, at],
        );
        return { saved: false, current: current! };
      }
      const version = (current?.version ?? 0) + 1;
      const attempt = this.#newestAttempt(answer);
      this.#run(
        "INSERT INTO marks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        ...[answer, version, marker, session, edit, points, rubric, comment, at, attempt],
      );
      return { saved: true, mark: { ...mark, version, at, attempt } };
    });
  }

  #newestAttempt(answer: string): number {
    const [assignment, , , student] = answer.split("/");
    const { newest } = this.#get(
      "SELECT coalesce(max(attempt), 0) AS newest FROM submissions WHERE assignment = ? AND student = ?",
      ...[assignment ?? "", student ?? ""],
    )!;
    return newest as number;
  }

  /** The newest mark of an answer. */
  mark(answer: string): Mark | undefined {
    const row = this.#get(
      "SELECT * FROM marks WHERE answer = ? ORDER BY version DESC LIMIT 1",
      answer,
    );
    return row && readMark(row);
  }

  /**
   * The newest mark of every answer whose id begins so, in one query.
   *
   * @param key The assignment, and further parts of an {@linkcode AnswerKey} in their order.
   * @returns The marks by answer.
   */
  newestMarks(
    { assignment, notebook, gradeId }:
      & Pick<AnswerKey, "assignment">
      & Partial<Omit<AnswerKey, "assignment">>,
  ): Map<string, Mark> {
    const parts = [assignment, notebook, gradeId];
    const end = parts.indexOf(undefined);
    const prefix = parts.slice(0, end < 0 ? parts.length : end).join("/");
    // "0" is what follows "/": the range holds the ids that begin with the prefix and a "/".
    const rows = this.#all(
      "SELECT * FROM marks WHERE answer > ? AND answer < ? ORDER BY answer, version",
      ...[`${prefix}/`, `${prefix}0`],
    );
    // Of the rows of one answer, the last one stays.
    const newest = new Map(rows.map((row) => [row.answer as string, row]));
    return new Map([...newest].map(([answer, row]) => [answer, readMark(row)]));
  }

  /** All marks of an answer, oldest first. */
  history(answer: string): Mark[] {
    return this.#all("SELECT * FROM marks WHERE answer = ? ORDER BY version", answer).map(readMark);
  }

  /** Marks that were refused because of a newer one, oldest first. */
  setAside(answer: string): NewMark[] {
    return this.#all(
      "SELECT answer, marker, session, edit, points, rubric, comment FROM marks_aside WHERE answer = ? ORDER BY id",
      answer,
    ).map((row) => ({ ...row as unknown as NewMark, rubric: JSON.parse(row.rubric as string) }));
  }

  /** Keeps a comment for reuse; one with the same text is not kept twice. */
  addComment(question: string, text: string): ReusableComment {
    return this.#transaction(() => {
      this.#run(
        "INSERT INTO comments (question, text) VALUES (?, ?) ON CONFLICT DO NOTHING",
        ...[question, text],
      );
      return this.comments(question).find((comment) => comment.text === text)!;
    });
  }

  /** The comments that are used again for a question, oldest first. */
  comments(question: string): ReusableComment[] {
    return this.#all("SELECT id, text FROM comments WHERE question = ? ORDER BY id", question)
      .map(({ id, text }) => ({ id: String(id), text: text as string }));
  }

  /** A secret of this course that is made once and never changes: pseudonyms come from it. */
  get secret(): string {
    return this.#transaction(() => {
      const made = crypto.getRandomValues(new Uint8Array(32)).toBase64();
      this.#run("INSERT INTO course VALUES ('secret', ?) ON CONFLICT DO NOTHING", made);
      return this.#get("SELECT value FROM course WHERE name = 'secret'")!.value as string;
    });
  }

  #submission(
    { student, assignment, attempt }: Pick<
      GradebookSubmission,
      "student" | "assignment" | "attempt"
    >,
  ): Row | undefined {
    return this.#get(
      "SELECT * FROM submissions WHERE student = ? AND assignment = ? AND attempt = ?",
      ...[student, assignment, attempt],
    );
  }

  #transaction<T>(work: () => T): T {
    this.#db.exec("BEGIN IMMEDIATE");
    try {
      const result = work();
      this.#db.exec("COMMIT");
      return result;
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
      throw error;
    }
  }

  #run(sql: string, ...values: SQLInputValue[]): void {
    this.#db.prepare(sql).run(...values);
  }

  #get(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#db.prepare(sql).get(...values) as Row | undefined;
  }

  /** Rows, which have no prototype: callers make the usual objects of them. */
  #all(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#db.prepare(sql).all(...values) as Row[];
  }
}

/** What is wrong with a gradebook, or with what should go into it. */
class GradebookError extends Error {
  override readonly name = "GradebookError";
}

function readMark(row: Row): Mark {
  return { ...row as unknown as Mark, rubric: JSON.parse(row.rubric as string) };
}

/**
 * The file of a course's gradebook. Its name is not that of nbgrader's, which may be in the same folder.
 *
 * @param course The course.
 * @returns The path.
 */
export function gradebookFile({ root }: { readonly root: string }): string {
  return join(root, "tunebook.db");
}

/**
 * Opens the gradebook of a course, and makes it where there is none.
 *
 * @param course The course.
 * @returns The gradebook, with the roster's students in it.
 * @throws {Error} As {@linkcode Gradebook.open} does.
 *
 * @example
 * ```ts
 * import { initCourse, openGradebook } from "tunebook/grade";
 * import { assertEquals } from "@std/assert";
 *
 * using book = openGradebook(await initCourse(await Deno.makeTempDir()));
 * assertEquals(book.assignments(), []);
 * ```
 */
export function openGradebook(
  course: { readonly root: string; readonly roster: readonly Student[] },
): Gradebook {
  const book = Gradebook.open(gradebookFile(course));
  book.putStudents(course.roster);
  return book;
}

/** The name of an answer in marks. */
export function answerId({ assignment, notebook, gradeId, student }: AnswerKey): string {
  return [assignment, notebook, gradeId, student].join("/");
}

/** Refuses ids that are empty or hold what would make {@linkcode answerId} ambiguous. */
function checkId(what: string, id: string): void {
  // deno-lint-ignore no-control-regex
  if (id === "" || /[/\x00-\x1f\x7f]/.test(id)) {
    throw new GradebookError(
      `Cannot keep the ${what} ${
        JSON.stringify(id)
      }: expected a name without "/" and control characters`,
    );
  }
}
