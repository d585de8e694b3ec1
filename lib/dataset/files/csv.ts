/**
 * Rows of CSV, the first line of which names the fields.
 *
 * @module
 */

import { CsvParseStream } from "@std/csv/parse-stream";

/** What separates columns. */
const SEPARATORS = [",", "\t", ";"] as const;

/** Stands for a carriage return in a quoted field, which the parser would drop before a line feed. */
const RETURN = "\uFDD0";
/** Stands for a quote in a field that does not begin with one, which the parser refuses. */
const QUOTE = "\uFDD1";
const SHIELDS = [RETURN, QUOTE];

/**
 * Reads rows from a stream of text. Columns are separated by commas, or by tabs or semicolons where the first line has no
 * comma; in a file that is named so by tabs.
 *
 * @param text The text.
 * @param name Its name in errors.
 * @param isTsv Whether its name ends with ".tsv".
 * @returns Objects with a string for each column.
 * @throws {SyntaxError} If it is not CSV, or a row has another number of columns than the first line.
 */
export async function* csvRows(
  text: ReadableStream<string>,
  name: string,
  isTsv = false,
): AsyncGenerator<Record<string, string>> {
  const [start, whole] = await peekLine(text);
  const separator = isTsv ? "\t" : SEPARATORS.find((one) => start.includes(one)) ?? ",";
  const lines: AsyncIterable<readonly string[]> = whole
    .pipeThrough(shield(name, separator))
    .pipeThrough(new CsvParseStream({ separator }));
  let header: readonly string[] | undefined;
  let row = 1;
  try {
    for await (const values of lines) {
      row++;
      if (header === undefined) {
        header = readHeader(values, name);
        continue;
      }
      if (values.length !== header.length) {
        throw new SyntaxError(
          `row ${row - 1} has ${values.length} columns and the first line ${header.length}`,
        );
      }
      yield Object.fromEntries(
        header.map((field, i) => [field, unshield(values[i]!)]),
      );
    }
  } catch (error) {
    if (!(error instanceof SyntaxError) || error.message.startsWith("Cannot")) throw error;
    throw new SyntaxError(`Cannot read "${name}" as CSV: ${error.message}`, { cause: error });
  }
}

/**
 * Replaces what the parser would not keep as pandas does: carriage returns in quoted fields, and quotes in fields that do not
 * begin with one. All other returns end lines, as older spreadsheets write them; blank lines are skipped.
 */
function shield(name: string, separator: string): TransformStream<string, string> {
  const pattern = new RegExp(`["\\r\\n${separator}]|[^"\\r\\n${separator}]+`, "g");
  let at: "start" | "plain" | "quoted" | "closed" = "start";
  const shieldPart = (part: string): string => {
    if (at === "quoted") {
      if (part === '"') at = "closed";
      return part === "\r" ? RETURN : part;
    }
    if (part === '"') {
      if (at === "plain") return QUOTE;
      at = "quoted"; // also after a quote in a quoted field, which is written twice
      return part;
    }
    at = part === separator || part === "\r" || part === "\n" ? "start" : "plain";
    return part === "\r" ? "\n" : part;
  };
  return new TransformStream({
    transform(text, controller) {
      const shielded = SHIELDS.find((one) => text.includes(one));
      if (shielded !== undefined) {
        const code = shielded.charCodeAt(0).toString(16).toUpperCase();
        throw new SyntaxError(`Cannot read "${name}" as CSV: it holds the noncharacter U+${code}`);
      }
      controller.enqueue(text.replace(pattern, shieldPart));
    },
  });
}

function unshield(field: string): string {
  return field.replaceAll(RETURN, "\r").replaceAll(QUOTE, '"');
}

/** The names of the columns; those that have none are called as pandas calls them, which writes row numbers without one. */
function readHeader(values: readonly string[], name: string): readonly string[] {
  const header = values.map((field, i) => unshield(field).trim() || `Unnamed: ${i}`);
  const twice = header.find((field, i) => header.indexOf(field) < i);
  if (twice !== undefined) {
    throw new SyntaxError(`Cannot read "${name}" as CSV: it has two columns "${twice}"`);
  }
  return header;
}

/** The text's first line, and the whole text again. */
async function peekLine(
  text: ReadableStream<string>,
): Promise<[line: string, whole: ReadableStream<string>]> {
  const rest = text[Symbol.asyncIterator]();
  let start = "";
  for (let next = await rest.next(); !next.done; next = await rest.next()) {
    start += next.value;
    if (/[^\r\n][\r\n]/.test(start)) break;
  }
  async function* joined() {
    yield start;
    for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
  }
  return [/[^\r\n]*/.exec(start.replace(/^[\r\n]+/, ""))![0], ReadableStream.from(joined())];
}
