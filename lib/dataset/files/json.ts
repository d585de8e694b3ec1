/**
 * Rows of JSON and JSON Lines.
 *
 * @module
 */

import { TextLineStream } from "@std/streams/text-line-stream";
import { parseJson } from "../../json_source.ts";
import { kindOf } from "../../kind_of.ts";
import { findRepeatedKey } from "../../weights/json.ts";

/**
 * Reads rows from text: a JSON array of them, one JSON value a line (JSON Lines), or a single object. Blank lines are
 * skipped.
 *
 * @param text The text.
 * @param name Its name in errors.
 * @returns The rows, none if the text is blank.
 * @throws {SyntaxError} If it is something else.
 * @throws {TypeError} If it holds something else.
 */
export function parseJsonRows(text: string, name: string): unknown[] {
  const [first] = firstLine(text);
  if (isObjectLine(first)) return text.split("\n").flatMap((line, i) => parseLine(line, i, name));
  return parseWhole(text, name);
}

/**
 * Reads rows from a stream of text, those of JSON Lines as they arrive.
 *
 * @param text The text.
 * @param name Its name in errors.
 * @returns The rows.
 * @throws As {@linkcode parseJsonRows}.
 */
export async function* jsonRows(
  text: ReadableStream<string>,
  name: string,
): AsyncGenerator<unknown> {
  // Until the first line that is not blank has ended it is open whether each line is a row.
  let start = "";
  const rest = text[Symbol.asyncIterator]();
  let isBlank = true;
  let isLines = false;
  for (let next = await rest.next(); !next.done; next = await rest.next()) {
    start += next.value;
    // A long line is looked at where it begins and where it ends, not with each part of it.
    if (!next.value.includes("\n") && !isBlank) continue;
    const [line, ended] = firstLine(start);
    isBlank = line === "";
    if (line.startsWith("[")) break;
    if (ended) {
      isLines = isObjectLine(line);
      break;
    }
  }
  const whole = ReadableStream.from(joined(start, rest));
  if (!isLines) {
    const parts: string[] = [];
    for await (const part of whole) parts.push(part);
    yield* parseJsonRows(joinText(parts, name), name);
    return;
  }
  let i = 0;
  const lines: AsyncIterable<string> = whole.pipeThrough(new TextLineStream());
  for await (const line of lines) {
    yield* parseLine(line, i++, name);
  }
}

async function* joined(start: string, rest: AsyncIterator<string>): AsyncGenerator<string> {
  yield start;
  for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
}

/** A string holds some 500 million characters. */
function joinText(parts: readonly string[], name: string): string {
  try {
    return parts.join("");
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new RangeError(
      `Cannot read "${name}": it is too large for one JSON array, expected JSON Lines, CSV or Parquet`,
      { cause: error },
    );
  }
}

/** The first line that is not blank, and whether it has ended. */
function firstLine(text: string): [line: string, ended: boolean] {
  const trimmed = text.replace(/^\uFEFF?\s*/, "");
  const end = trimmed.indexOf("\n");
  return end < 0 ? [trimmed, false] : [trimmed.slice(0, end), true];
}

/** Whether a line is one whole object, as in JSON Lines, and not the first line of one. */
function isObjectLine(line: string): boolean {
  if (!line.startsWith("{")) return false;
  try {
    JSON.parse(line);
    return true;
  } catch {
    return /\}\s*$/.test(line); // a damaged line, which is to be said
  }
}

function parseLine(line: string, index: number, name: string): unknown[] {
  const text = index === 0 ? line.replace(/^\uFEFF/, "") : line;
  if (text.trim() === "") return [];
  try {
    return [parseExactly(text)];
  } catch (error) {
    throw new SyntaxError(
      `Cannot read "${name}" as JSON Lines: line ${index + 1}: ${(error as Error).message}${
        hint(text)
      }`,
      { cause: error },
    );
  }
}

/** An escape of half a surrogate pair. UTF-8 itself has none. */
const SURROGATE = /\\u[dD][89a-fA-F]/;

/**
 * Parses JSON, and notes how its numbers were written.
 *
 * @param text The text.
 * @returns The value.
 * @throws {SyntaxError} If it is not JSON; if an object has two fields of one name, of which the first would be lost; or if a
 * text has half a surrogate pair, which is not a character.
 */
export function parseExactly(text: string): unknown {
  const value: unknown = parseJson(text, SURROGATE.test(text) ? assertWellFormed : undefined);
  const repeated = findRepeatedKey(text);
  if (repeated !== undefined) throw new SyntaxError(`An object has the field "${repeated}" twice`);
  return value;
}

/** Refuses a text that could be neither encoded nor written again. */
function assertWellFormed(field: string, value: unknown): unknown {
  if (typeof value !== "string" || value.isWellFormed()) return value;
  throw new SyntaxError(
    `"${field}" has half of a surrogate pair, as of an emoji that was cut, expected whole characters`,
  );
}

/** What to do about a text that is not JSON, where that is known. */
function hint(text: string): string {
  if (/[:[,]\s*-?(?:NaN|Infinity)\b/.test(text)) {
    return "; Python writes NaN where a value is missing, expected null";
  }
  if (/^\s*[[{"]/.test(text)) return "";
  return '; a table of columns is read from a file whose name ends with ".csv" or ".tsv"';
}

function parseWhole(text: string, name: string): unknown[] {
  if (/^\uFEFF?\s*$/.test(text)) return [];
  let value: unknown;
  try {
    value = parseExactly(text.replace(/^\uFEFF/, "")); // editors on Windows put a byte-order mark first
  } catch (error) {
    throw new SyntaxError(
      `Cannot read "${name}" as JSON: ${(error as Error).message}${hint(text)}`,
      { cause: error },
    );
  }
  if (Array.isArray(value)) return value;
  if (typeof value !== "object" || value === null) {
    throw new TypeError(
      `Cannot read "${name}": it must be an array of entries, got ${kindOf(value)}`,
    );
  }
  return [value];
}
