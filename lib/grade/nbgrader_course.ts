/**
 * What nbgrader already knows of a course in its folder, so that the course need not be typed again: students, due
 * dates and extensions in its `gradebook.db`, `nbgrader_config.py` or a `students.csv`, assignments and students by their
 * folders.
 *
 * Source: nbgrader 0.9, `api.py`, and its older `CourseDirectory.db_students` and `db_assignments`.
 *
 * @module
 */

import { join } from "@std/path/join";
import { parse } from "@std/csv/parse";
import { DatabaseSync } from "node:sqlite";
import type { Student } from "./gradebook.ts";
import { NBGRADER_CONFIG, readNbgraderConfig } from "./nbgrader_config.ts";
import { FOLDER_NAME } from "./roster.ts";
import { parseTimestamp } from "./timestamp.ts";

/** An assignment that nbgrader knows. */
export interface NbgraderAssignment {
  readonly id: string;
  /** When it is due; undefined if never. */
  readonly due?: Date;
  /** Later due dates by student. */
  readonly extensions: ReadonlyMap<string, Date>;
}

/** A course as nbgrader knows it. */
export interface NbgraderCourseFacts {
  readonly name?: string;
  /** In the order of their ids. */
  readonly students: readonly Student[];
  /** In the order of their ids. */
  readonly assignments: readonly NbgraderAssignment[];
}

/**
 * Reads what nbgrader knows of a course.
 *
 * @param folder The course folder.
 * @returns The course; of a folder that nbgrader has not used, an empty one.
 * @throws {Error} If there is a `gradebook.db` that is not nbgrader's.
 */
export async function readNbgraderCourse(folder: string): Promise<NbgraderCourseFacts> {
  const config = readNbgraderConfig(await textOf(join(folder, NBGRADER_CONFIG)) ?? "");
  const students = new Map<string, Student>();
  const assignments = new Map<string, NbgraderAssignment>();
  const put = (student: Student) => {
    if (FOLDER_NAME.test(student.id)) students.set(student.id, student);
  };
  // From the least telling source to the most telling one.
  for (const id of await foldersIn(join(folder, "source"))) {
    assignments.set(id, { id, extensions: new Map() });
  }
  for (const id of await foldersIn(join(folder, "submitted"))) put({ id });
  for (const student of studentsOf(await textOf(join(folder, "students.csv")) ?? "")) put(student);
  for (const row of config.students) if (typeof row.id === "string") put(studentOf(row));
  for (const { name, duedate } of config.assignments) {
    if (typeof name !== "string" || !FOLDER_NAME.test(name)) continue;
    const due = typeof duedate === "string" ? { due: parseTimestamp(duedate) } : {};
    assignments.set(name, { id: name, ...due, extensions: new Map() });
  }
  const database = join(folder, "gradebook.db");
  if (await isFile(database)) {
    const kept = readGradebook(database);
    for (const student of kept.students) put(student);
    for (const assignment of kept.assignments) {
      if (FOLDER_NAME.test(assignment.id)) assignments.set(assignment.id, assignment);
    }
  }
  const byId = (a: { id: string }, b: { id: string }) => a.id < b.id ? -1 : 1;
  return {
    ...config.courseId !== undefined && { name: config.courseId },
    students: [...students.values()].sort(byId),
    assignments: [...assignments.values()].sort(byId),
  };
}

type Row = Record<string, unknown>;

/** Reads nbgrader's gradebook. */
function readGradebook(path: string): Pick<NbgraderCourseFacts, "students" | "assignments"> {
  try {
    using db = new DatabaseSync(path, { readOnly: true });
    const all = (sql: string) => db.prepare(sql).all() as Row[];
    const extensions = all(
      `SELECT a.name, s.student_id, s.extension FROM submitted_assignment s
      JOIN assignment a ON a.id = s.assignment_id WHERE s.extension IS NOT NULL`,
    );
    return {
      students: all("SELECT * FROM student").map(studentOf),
      assignments: all("SELECT name, duedate FROM assignment").map(({ name, duedate }) => {
        if (typeof duedate !== "string") return { id: String(name), extensions: new Map() };
        const due = parseTimestamp(duedate);
        // An extension is kept as a time after 1970 began.
        const later = extensions.filter((one) => one.name === name).map((one) =>
          [
            String(one.student_id),
            new Date(due.getTime() + parseTimestamp(String(one.extension)).getTime()),
          ] as const
        );
        return { id: String(name), due, extensions: new Map(later) };
      }),
    };
  } catch (error) {
    throw new Error(
      `Cannot read nbgrader's gradebook "${path}": ${
        (error as Error).message
      }; move it elsewhere to continue without it`,
      { cause: error },
    );
  }
}

/** The students of a file that `nbgrader db student import` reads. */
function studentsOf(csv: string): Student[] {
  if (csv.trim() === "") return [];
  const rows = parse(csv.replace(/^\uFEFF/, ""), { skipFirstRow: true }) as Row[];
  return rows.filter(({ id }) => typeof id === "string").map(studentOf);
}

function studentOf(row: Row): Student {
  const text = (key: string) => {
    const value = row[key];
    return value === null || value === undefined || value === "" ? undefined : String(value);
  };
  const [firstName, lastName, email, lmsUserId] = [
    "first_name",
    "last_name",
    "email",
    "lms_user_id",
  ]
    .map(text);
  return {
    id: String(row.id),
    ...firstName !== undefined && { firstName },
    ...lastName !== undefined && { lastName },
    ...email !== undefined && { email },
    ...lmsUserId !== undefined && { lmsUserId },
  };
}

async function foldersIn(folder: string): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      if (isDirectory && FOLDER_NAME.test(name)) names.push(name);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return names;
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
