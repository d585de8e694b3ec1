/**
 * Reads the word lists, which are written as plain text to stay readable.
 *
 * @module
 */

/** Words separated by white space. */
export function list(text: string): string[] {
  return text.trim().split(/\s+/);
}

/** Lines of cells separated by commas; every line must have `columns` cells. */
export function table(columns: number, text: string): string[][] {
  return text.trim().split("\n").map((line) => {
    const cells = line.split(",").map((cell) => cell.trim());
    if (cells.length !== columns || cells.includes("")) {
      throw new SyntaxError(`Cannot read the line "${line.trim()}": expected ${columns} cells`);
    }
    return cells;
  });
}

/** The text with its first letter in upper case. */
export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** "a, b and c". */
export function enumerate(items: readonly string[]): string {
  if (items.length < 2) return items.join("");
  return `${items.slice(0, -1).join(", ")} and ${items[items.length - 1]}`;
}
