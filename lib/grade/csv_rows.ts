/**
 * The rows of a CSV file of a course.
 *
 * @module
 */

import { parse } from "@std/csv/parse";

/**
 * Reads the rows, with or without a byte order mark.
 *
 * @param text The file.
 * @param refuse Makes the error of why it cannot be read.
 * @returns The first row, which has the columns' names, and the others.
 */
export function csvRows(
  text: string,
  refuse: (why: string, cause: unknown) => Error,
): { header: string[]; lines: string[][] } {
  try {
    const [header = [], ...lines] = parse(text.replace(/^\uFEFF/, ""));
    return { header, lines };
  } catch (error) {
    throw refuse(error instanceof Error ? error.message : String(error), error);
  }
}
