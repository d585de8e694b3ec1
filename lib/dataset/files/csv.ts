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

/** pandas' name for the column of row numbers that it writes without one. */
const UNNAMED = "Unnamed: 0";

/**
 * Reads rows from a stream of text. Columns are separated by commas, or by tabs or semicolons where the first line has no
 * comma.
 *
 * @param text The text.
 * @param name Its name in errors.
 * @returns Objects with a string for each column.
 * @throws {SyntaxError} If it is not CSV, or a row has another number of columns than the first line.
 */
export async function* csvRows(
  text: ReadableStream<string>,
  name: string,
): AsyncGenerator<Record<string, string>> {
  const [start, whole] = await peekLine(text);
  const separator = SEPARATORS.find((one) => start.includes(one)) ?? ",";
  const lines: AsyncIterable<readonly string[]> = whole
    .pipeThrough(keepReturns(name))
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
        header.map((field, i) => [field, values[i]!.replaceAll(RETURN, "\r")]),
      );
    }
  } catch (error) {
    if (!(error instanceof SyntaxError) || error.message.startsWith("Cannot")) throw error;
    throw new SyntaxError(`Cannot read "${name}" as CSV: ${error.message}`, { cause: error });
  }
}

/** Replaces carriage returns in quoted fields, those between an odd number of quotes and the next. */
function keepReturns(name: string): TransformStream<string, string> {
  let quoted = false;
  return new TransformStream({
    transform(text, controller) {
      if (text.includes(RETURN)) {
        throw new SyntaxError(`Cannot read "${name}" as CSV: it holds the noncharacter U+FDD0`);
      }
      const parts = text.split('"').map((part, i) => {
        if (i > 0) quoted = !quoted;
        return quoted ? part.replaceAll("\r", RETURN) : part;
      });
      controller.enqueue(parts.join('"'));
    },
  });
}

function readHeader(values: readonly string[], name: string): readonly string[] {
  const header = values.map((field, i) => field === "" && i === 0 ? UNNAMED : field.trim());
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
    if (next.value.includes("\n")) break;
  }
  async function* joined() {
    yield start;
    for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
  }
  return [start.split("\n", 1)[0]!, ReadableStream.from(joined())];
}
