/**
 * What a form of data is, and how its fields are read.
 *
 * @module
 */

import { writtenNumber } from "../../json_source.ts";
import { kindOf } from "../../kind_of.ts";
import { pythonFloat } from "../../python_float.ts";
import type { DatasetEntry } from "../chat_entry.ts";
import { parseExactly } from "../files/json.ts";

/** The names of forms. */
export type FormName =
  | "messages"
  | "sharegpt"
  | "prompt-completion"
  | "dolly"
  | "alpaca"
  | "text"
  | "preference";

/** One entry as it stands in a file. */
export type Row = Readonly<Record<string, unknown>>;

/** What is noticed while entries are read; a report says it. */
export interface Notices {
  /** Names the fields of messages that are not understood. */
  unknown(field: string): void;
  /** Counts calls of tools whose arguments are JSON text, not an object. */
  textArguments(): void;
  /** Whether a field is to be left out, in messages too. */
  isIgnored(field: string): boolean;
}

/** A form of data, recognised by its fields. */
export interface Form<Entry = DatasetEntry> {
  /** Its name. */
  readonly name: FormName;
  /** What people call it. */
  readonly title: string;
  /** The fields that it understands, each with what it becomes, for documentation. */
  readonly fields: Readonly<Record<string, string>>;
  /** An example, for documentation. */
  readonly example: Row;
  /**
   * Whether an entry has this form; the first form that says so reads it.
   *
   * @param has Whether the entry has a field that is not null or empty.
   * @param isThere Whether it has a field that is not null.
   */
  recognises(has: (field: string) => boolean, isThere: (field: string) => boolean): boolean;
  /**
   * Reads an entry.
   *
   * @param row The entry as it stands in the file.
   * @param notices Takes what is to be said.
   * @returns The entry, without the fields that are only carried along.
   * @throws {Fault} If a field is missing or wrong.
   */
  read(row: Row, notices: Notices): Entry;
}

/** What is wrong with a field. */
export class Fault extends Error {
  /**
   * @param field The field, with its place in lists: `messages.0.content`.
   * @param expected What it must be: `a string`.
   * @param value What it is.
   */
  constructor(field: string, expected: string, value: unknown) {
    super(
      value === undefined
        ? `"${field}" is missing`
        : `"${field}" must be ${expected}, got ${kindOf(value)}`,
    );
  }
}

/** Whether a value is an object with fields. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * A field's value as it stands in the file, where a number does not say all: a float that is whole as a `Number` object, a
 * whole number with more digits as a bigint.
 *
 * @param holder The entry or message.
 * @param field The field.
 * @returns The value.
 */
export function asWritten(holder: Row, field: string): unknown {
  const value = holder[field];
  const written = typeof value === "number" ? writtenNumber(holder, field) : undefined;
  if (written === undefined || !Number.isFinite(value)) return value;
  return /[.eE]/.test(written) ? Object(value) : BigInt(written);
}

/**
 * Reads a text. Numbers become text, as Python writes them; null and what is missing become the fallback.
 *
 * @param row The entry.
 * @param field The field.
 * @param fallback What null and missing mean; without it they are faults.
 * @returns The text.
 */
export function readText(row: Row, field: string, fallback?: string): string {
  return toText(row[field], field, fallback);
}

/**
 * As {@linkcode readText}, for a value.
 *
 * @param value The value.
 * @param field Its field, for faults.
 * @param fallback What null and missing mean.
 * @returns The text.
 */
export function toText(value: unknown, field: string, fallback?: string): string {
  if (typeof value === "string") return value;
  if (typeof value === "bigint") return `${value}`;
  if (typeof value === "number" && Number.isFinite(value)) {
    if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
      throw new Fault(field, "a string, because its digits are lost as a number", value);
    }
    return Number.isInteger(value) ? `${value}` : pythonFloat(value);
  }
  if (value instanceof Number) return pythonFloat(value.valueOf());
  if ((value === null || value === undefined) && fallback !== undefined) return fallback;
  throw new Fault(field, "a string", value);
}

/**
 * Reads a text that is to be learnt: null is an empty one, which is counted and reported; missing is a fault.
 *
 * @param row The entry.
 * @param field The field.
 * @returns The text.
 */
export function readLearnt(row: Row, field: string): string {
  return row[field] === null ? "" : readText(row, field);
}

/**
 * Reads a list, also from JSON text, as tables hold it.
 *
 * @param row The entry.
 * @param field The field.
 * @returns The list; undefined where there is none or an empty one.
 */
export function readList(row: Row, field: string): readonly unknown[] | undefined {
  let value = row[field];
  if (value === undefined || value === null || value === "") return undefined;
  if (typeof value === "string" && /^\s*\[/.test(value)) {
    try {
      value = parseExactly(value);
    } catch {
      throw new Fault(field, "an array, or one as JSON text", value);
    }
  }
  if (!Array.isArray(value)) throw new Fault(field, "an array", value);
  return value.length > 0 ? value : undefined;
}

/**
 * Reads the weight of an entry, a number above 0.
 *
 * @param row The entry.
 * @returns An object with the weight, or with nothing.
 */
export function readWeight(row: Row): { weight?: number } {
  const weight = readNumber(row.weight, "weight");
  if (weight === undefined) return {};
  if (!(weight > 0)) throw new Fault("weight", "a number above 0", row.weight);
  return { weight };
}

/**
 * Reads a number, also from text, as tables hold it.
 *
 * @param value The value.
 * @param field Its field, for faults.
 * @returns The number; undefined where there is none.
 */
export function readNumber(value: unknown, field: string): number | undefined {
  if (value === undefined || value === null || value === "") return undefined;
  const isOther = typeof value === "string" || typeof value === "bigint" || value instanceof Number;
  const number = isOther ? Number(value) : value;
  if (typeof number !== "number" || !Number.isFinite(number)) {
    throw new Fault(field, "a number", value);
  }
  return number;
}
