/** Instruction entries: parses them from JSON; errors name the wrong entry. */
import { kindOf } from "../kind_of.ts";
import { z } from "zod";

/** One pair of a data set. */
export interface InstructionEntry {
  /** The task. */
  instruction: string;
  /** The input of the task; empty if the instruction needs none. */
  input: string;
  /** The response to learn. */
  output: string;
  /** The weight of its tokens in losses, a number above 0; 1 by default. */
  weight?: number;
  /** The kind of its task, such as `summarization`: for stratified splits, balance and losses by topic. It is not learnt. */
  topic?: string;
}

/** The schema of an instruction entry. */
export const entrySchema: z.ZodType<InstructionEntry> = z.object({
  instruction: z.string(),
  input: z.string().default(""),
  output: z.string(),
  weight: z.number().positive("a number above 0").optional(),
  topic: z.string().min(1, "a name").optional(),
});

/** The number of faults that an error lists; it counts the others. */
const LISTED = 3;

/**
 * Reads instruction entries from JSON text: an array of objects with `instruction`, `input` (which
 * may be absent) and `output`, all strings, and optionally a `weight`, a number above 0, and a `topic`, a
 * string. Other fields are dropped.
 *
 * @param text The JSON text.
 * @param name The text's name in errors, for example that of the file.
 * @returns The entries, in the text's order.
 * @throws {SyntaxError} If the text is not JSON.
 * @throws {TypeError} If an entry has another form; the message names the entry and the field.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseEntries } from "tunebook/data";
 *
 * const entries = parseEntries('[{"instruction": "Add 1 and 2.", "output": "3"}]');
 * assertEquals(entries, [{ instruction: "Add 1 and 2.", input: "", output: "3" }]);
 * ```
 */
export function parseEntries(text: string, name = "data"): InstructionEntry[] {
  return parseEntriesAs(text, name, entrySchema);
}

/**
 * Reads a JSON array of entries of any form, with errors that name the entry and the field.
 *
 * @param text The JSON text.
 * @param name The text's name in errors.
 * @param schema The schema of an entry, for all entries or for each.
 * @returns The parsed entries.
 * @throws {SyntaxError} If the text is not JSON.
 * @throws {TypeError} If the text is not an array, is empty, or an entry does not match the schema.
 */
export function parseEntriesAs<T>(
  text: string,
  name: string,
  schema: z.ZodType<T> | ((item: unknown) => z.ZodType<T>),
): T[] {
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, "")); // editors on Windows put a byte-order mark first
  } catch (error) {
    const hint = /^\s*\{[^\n]*\}\s*\n\s*\{/.test(text)
      ? "; it looks like JSON Lines, and must be one JSON array"
      : "";
    throw new SyntaxError(
      `Cannot read "${name}" as JSON: ${(error as Error).message}${hint}`,
      { cause: error },
    );
  }
  if (!Array.isArray(value)) {
    throw new TypeError(
      `Cannot read "${name}": it must be an array of entries, got ${kindOf(value)}`,
    );
  }
  if (value.length === 0) throw new TypeError(`Cannot read "${name}": it holds no entries`);

  const entries: T[] = [];
  const faults: string[] = [];
  let faulty = 0;
  for (const [index, item] of value.entries()) {
    const result = (typeof schema === "function" ? schema(item) : schema).safeParse(item);
    if (result.success) {
      entries.push(result.data);
      continue;
    }
    if (++faulty <= LISTED) {
      faults.push(`entry ${index + 1} of ${value.length}: ${fault(item, result.error.issues[0]!)}`);
    }
  }
  if (faulty > 0) {
    const more = faulty > LISTED ? `; and ${faulty - LISTED} more` : "";
    throw new TypeError(`Cannot read "${name}": ${faults.join("; ")}${more}`);
  }
  return entries;
}

/** What is wrong with an entry, in words. */
function fault(item: unknown, issue: z.core.$ZodIssue): string {
  const path = issue.path.map(String);
  if (path.length === 0) return `it must be an object, got ${kindOf(item)}`;
  let value: unknown = item;
  for (const key of path) value = (value as Record<string, unknown> | undefined)?.[key];
  const field = `"${path.join(".")}"`;
  if (value === undefined) return `${field} is missing`;
  const expected = issue.code === "invalid_type"
    ? `${/^[ao]/.test(issue.expected) ? "an" : "a"} ${issue.expected}`
    : issue.message;
  return `${field} must be ${expected}, got ${kindOf(value)}`;
}
