/**
 * Texts that a spreadsheet shows and gives back unchanged.
 *
 * @module
 */

import { parse } from "@std/csv/parse";

/**
 * Puts an apostrophe before a text that a spreadsheet would take for a formula.
 *
 * @param text The text.
 * @returns The text of the cell.
 */
export function toCell(text: string): string {
  return /^'*[=+\-@\t\r]/.test(text) ? `'${text}` : text;
}

/**
 * Takes the apostrophe away that {@linkcode toCell} put there.
 *
 * @param cell The text of the cell.
 * @returns The text.
 */
export function fromCell(cell: string): string {
  return cell.replace(/^'(?='*[=+\-@\t\r])/, "");
}

/** What separates columns, by language and program. */
const SEPARATORS = [",", ";", "\t"] as const;

/**
 * Reads the rows of a table with names of columns in its first row, as a spreadsheet saved it: with a byte order mark, and with
 * semicolons where the comma is the decimal sign.
 *
 * @param csv The table.
 * @returns The rows.
 * @throws {SyntaxError} If it is not CSV.
 */
export function parseRows(csv: string): Record<string, string | undefined>[] {
  const text = csv.replace(/^\uFEFF/, "");
  const header = /^[^\r\n]*/.exec(text)![0];
  const separator = SEPARATORS.find((one) => header.includes(one)) ?? ",";
  return parse(text, { skipFirstRow: true, separator });
}

/**
 * Reads a table with names of columns in its first row, as a spreadsheet saved it.
 *
 * @param csv The table.
 * @param name Its name in errors.
 * @param columns The columns that it must have.
 * @returns The rows, with all columns.
 * @throws {SyntaxError} If it is not CSV, or a column is missing.
 */
export function parseTable<Column extends string>(
  csv: string,
  name: string,
  columns: readonly Column[],
): Record<Column, string>[] {
  let rows: Record<string, string | undefined>[];
  try {
    rows = parseRows(csv);
  } catch (error) {
    throw new SyntaxError(`Cannot read "${name}" as CSV: ${(error as Error).message}`, {
      cause: error,
    });
  }
  for (const row of rows) {
    const missing = columns.find((column) => row[column] === undefined);
    if (missing === undefined) continue;
    throw new SyntaxError(`Cannot read "${name}": it has no column "${missing}"`);
  }
  return rows as Record<Column, string>[];
}

/**
 * Reads a person's decision.
 *
 * @param rows The rows of the table.
 * @param index The row.
 * @param column The column of the decision.
 * @param name The table's name in errors.
 * @returns Whether it is yes.
 * @throws {RangeError} If it is neither yes nor no.
 */
export function readDecision<Column extends string>(
  rows: readonly Record<Column, string>[],
  index: number,
  column: Column,
  name: string,
): boolean {
  const said = rows[index][column].trim().toLowerCase();
  if (said === "yes" || said === "no") return said === "yes";
  throw new RangeError(
    `Cannot use the review "${name}": row ${index + 1} of ${rows.length} has ${
      JSON.stringify(rows[index][column])
    } in the column "${column}", expected "yes" or "no"`,
  );
}
