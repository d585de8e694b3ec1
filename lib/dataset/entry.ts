/** Instruction entries, and reading them from JSON text. */
import { kindOf } from "../kind_of.ts";
import type { z } from "zod";

/** Fields that say something about an entry and are never learnt. */
export interface CarriedFields {
  /** The entry's name or number. */
  id?: string | number;
  /** Dolly's kind of task, such as `closed_qa`. */
  category?: string;
  /** The kind of its task, such as `summarization`, for stratified splits, balance and losses by topic. */
  topic?: string;
  /** Where it is from. */
  source?: string;
}

/** The names of {@linkcode CarriedFields}. */
export const CARRIED_FIELDS: readonly (keyof CarriedFields)[] = [
  "id",
  "category",
  "topic",
  "source",
];

/**
 * The topic of an entry.
 *
 * @param entry The entry.
 * @returns Its topic, or Dolly's category if it has none; undefined without both.
 */
export function topicOf({ topic, category }: CarriedFields): string | undefined {
  return topic ?? category;
}

/** One pair of a data set. */
export interface InstructionEntry extends CarriedFields {
  /** The task. */
  instruction: string;
  /** The input of the task; empty if the instruction needs none. */
  input: string;
  /** The response to learn. */
  output: string;
  /** The weight of its tokens in losses, a number above 0; 1 by default. */
  weight?: number;
}

/** A text that is learnt whole, without a prompt. */
export interface TextEntry extends CarriedFields {
  /** The text. */
  text: string;
  /** The weight of its tokens in losses, a number above 0; 1 by default. */
  weight?: number;
}

/** The number of faults that an error lists; it counts the others. */
const LISTED = 3;

/**
 * Checks a list of values from outside, with errors that name the entry and the field.
 *
 * @param values The values.
 * @param name Their name in errors, for example that of the file.
 * @param schema The schema of an entry.
 * @returns The parsed entries.
 * @throws {TypeError} If there are none, or an entry does not match the schema.
 */
export function parseValues<T>(
  values: readonly unknown[],
  name: string,
  schema: z.ZodType<T>,
): T[] {
  if (values.length === 0) throw new TypeError(`Cannot read "${name}": it holds no entries`);
  const entries: T[] = [];
  const faults: string[] = [];
  let faulty = 0;
  for (const [index, item] of values.entries()) {
    const result = schema.safeParse(item);
    if (result.success) {
      entries.push(result.data);
      continue;
    }
    if (++faulty <= LISTED) {
      faults.push(
        `entry ${index + 1} of ${values.length}: ${fault(item, result.error.issues[0]!)}`,
      );
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
