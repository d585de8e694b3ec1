/**
 * Moodle's offline grading worksheet, which says who is behind the numbers in its zip, and when each handed in.
 *
 * @module
 */

import { csvRows } from "../csv_rows.ts";
import type { Student } from "../gradebook.ts";
import { parseTimestamp } from "../timestamp.ts";
import { nameKey } from "./names.ts";

/** What a worksheet says of one of Moodle's numbers. */
export interface WorksheetRow {
  /** The student's id on the roster; undefined if the row's e-mail address and ID number are not on it. */
  readonly id?: string;
  /** When the submission was last changed; undefined if there is none, or the time is in a form that is not known. */
  readonly submitted?: Date;
}

const MONTHS = [
  ...["january", "february", "march", "april", "may", "june", "july", "august", "september"],
  ...["october", "november", "december"],
];

/**
 * Reads a worksheet.
 *
 * @param text The CSV that Moodle exported, with English headings.
 * @param roster The students, who are known by e-mail address or ID number.
 * @param timeZone The time zone of its times.
 * @returns The rows by Moodle's numbers.
 * @throws {SyntaxError} If it is not such a worksheet.
 */
export function parseWorksheet(
  text: string,
  roster: readonly Student[],
  timeZone: string,
): Map<string, WorksheetRow> {
  const refuse = (why: string, cause?: unknown) =>
    new SyntaxError(`Cannot read the worksheet: ${why}`, { cause });
  const { header, lines } = csvRows(text, refuse);
  const column = (name: string) => header.indexOf(name);
  const [identifier, email, idNumber] = ["Identifier", "Email address", "ID number"].map(column);
  const time = header.findIndex((name) => name.startsWith("Last modified (submission)"));
  if (identifier === -1) throw refuse('the column "Identifier" is missing');
  const byEmail = new Map(roster.map((student) => [nameKey(student.email ?? ""), student]));
  byEmail.delete("");
  const byId = new Map(roster.map((student) => [nameKey(student.id), student]));
  const found = new Map<string, WorksheetRow>();
  for (const line of lines) {
    const number = /(\d+)$/.exec(line[identifier!] ?? "")?.[1];
    if (number === undefined) continue;
    const student = byEmail.get(nameKey(line[email!] ?? "")) ??
      byId.get(nameKey(line[idNumber!] ?? ""));
    const submitted = timeOf(line[time] ?? "", timeZone);
    found.set(number, {
      ...student !== undefined && { id: student.id },
      ...submitted !== undefined && { submitted },
    });
  }
  return found;
}

/** A time as Moodle writes it in English: `Monday, 21 September 2026, 10:55 PM`. */
function timeOf(text: string, timeZone: string): Date | undefined {
  const found = /(\d{1,2}) ([A-Za-z]+) (\d{4}), (\d{1,2}):(\d\d)(?:\s?([AP])M)?$/i.exec(
    text.trim(),
  );
  if (found === null) return undefined;
  const [, day, name, year, hour, minute, half] = found;
  const month = MONTHS.indexOf(name!.toLowerCase()) + 1;
  const hours = half === undefined
    ? Number(hour)
    : Number(hour) % 12 + (half.toUpperCase() === "P" ? 12 : 0);
  const two = (number: number | string) => String(number).padStart(2, "0");
  try {
    return parseTimestamp(
      `${year}-${two(month)}-${two(day!)} ${two(hours)}:${minute}:00 ${timeZone}`,
    );
  } catch {
    return undefined;
  }
}
