/**
 * Text that people chose, such as names of files and models, within Markdown.
 *
 * @module
 */

/**
 * Writes a text as code, in which nothing is markup: not backticks, tags or links, and no pipe ends a cell of a table.
 *
 * @param text The text; line breaks and other control characters become spaces.
 * @returns A code span, on one line.
 */
export function code(text: string): string {
  const line = text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ").replaceAll("|", "\\|");
  if (line.trim() === "") return "(empty)";
  const longest = Math.max(0, ...line.match(/`+/g)?.map(({ length }) => length) ?? []);
  const fence = "`".repeat(longest + 1);
  const space = /^[` ]|[` ]$/.test(line) ? " " : "";
  return fence + space + line + space + fence;
}

/**
 * Writes a table with a header.
 *
 * @param header The columns' names.
 * @param rows Cells, which are Markdown on one line.
 * @returns Its lines; none where there are no rows.
 */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 0) return [];
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(header), line(header.map(() => "---")), ...rows.map(line), ""];
}
