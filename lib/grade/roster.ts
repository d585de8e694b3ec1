/**
 * The roster: the course's students in a CSV file, with nbgrader's columns.
 *
 * @module
 */

import { stringify } from "@std/csv/stringify";
import { csvRows } from "./csv_rows.ts";
import type { Student } from "./gradebook.ts";

const COLUMNS = ["id", "first_name", "last_name", "email", "lms_user_id", "group"];

/** A name that is safe as a folder on Linux, macOS and Windows. */
export const FOLDER_NAME = /^(?![. ])(?!.*[. ]$)[\p{L}\p{M}\p{N} _.()@-]{1,100}$/u;

/**
 * Reads a roster.
 *
 * @param text CSV with the columns `id`, `first_name`, `last_name`, `email`, `lms_user_id`, `group`, all but `id` optional.
 * @returns The students, in the file's order.
 * @throws {SyntaxError} If a column is unknown or missing, an id occurs twice or cannot name a folder, or a value holds a
 *   line break or reads as a formula in spreadsheets.
 */
export function parseRoster(text: string): Student[] {
  const refuse = (why: string, cause?: unknown) =>
    new SyntaxError(`Cannot read the roster: ${why}`, { cause });
  const { header, lines } = csvRows(text, refuse);
  for (const [i, name] of header.entries()) {
    if (!COLUMNS.includes(name)) {
      throw refuse(`the column "${name}" is unknown, expected ${COLUMNS.join(", ")}`);
    }
    if (header.indexOf(name) !== i) throw refuse(`the column "${name}" occurs twice`);
  }
  if (!header.includes("id")) throw refuse('the column "id" is missing');
  const seen = new Map<string, string>();
  return lines.map((line, i) => {
    const row = `row ${i + 2}`;
    if (line.length !== header.length) {
      throw refuse(`${row} has ${line.length} values, expected ${header.length}`);
    }
    const values: Record<string, string | undefined> = {};
    for (const [column, value] of line.entries()) {
      const where = `${row}, column "${header[column]}"`;
      // deno-lint-ignore no-control-regex
      if (/[\x00-\x1f\x7f]/.test(value)) {
        throw refuse(`${where} holds a line break or control character`);
      }
      if (/^\s*[=+@-]/.test(value)) {
        throw refuse(`${where} reads as a formula in spreadsheets: ${JSON.stringify(value)}`);
      }
      if (value !== "") values[header[column]] = value;
    }
    const id = values.id ?? "";
    if (!FOLDER_NAME.test(id)) {
      throw refuse(`${row} has the id ${JSON.stringify(id)}, which cannot name a folder`);
    }
    // Ids that differ in case only are one folder on macOS and Windows.
    const before = seen.get(id.toLowerCase());
    if (before !== undefined) throw refuse(`${row} has the id "${id}" again (${before})`);
    seen.set(id.toLowerCase(), row);
    const { first_name: firstName, last_name: lastName, email, lms_user_id, group } = values;
    return {
      id,
      ...firstName !== undefined && { firstName },
      ...lastName !== undefined && { lastName },
      ...email !== undefined && { email },
      ...lms_user_id !== undefined && { lmsUserId: lms_user_id },
      ...group !== undefined && { group },
    };
  });
}

/**
 * Writes a roster.
 *
 * @param students The students.
 * @returns CSV that {@linkcode parseRoster} reads; a value that it would refuse, such as a formula, is left out.
 */
export function formatRoster(students: readonly Student[]): string {
  const safe = (value = "") =>
    // deno-lint-ignore no-control-regex
    /^\s*[=+@-]|[\x00-\x1f\x7f]/.test(value) ? "" : value;
  const rows = students.map(({ id, firstName, lastName, email, lmsUserId, group }) => [
    id,
    ...[firstName, lastName, email, lmsUserId, group].map(safe),
  ]);
  return stringify([COLUMNS, ...rows]).replaceAll("\r\n", "\n");
}
