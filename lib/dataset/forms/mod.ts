/**
 * The forms in which people have data. Each is recognised by its fields; a field that its form does not understand is
 * named and refused.
 *
 * @module
 */

import { kindOf } from "../../kind_of.ts";
import { assertKnownOptions, type OptionNames } from "../../options.ts";
import { type DatasetEntry, isChatEntry, isTextEntry } from "../chat_entry.ts";
import { CARRIED_FIELDS } from "../entry.ts";
import { messages, shareGpt } from "./conversation.ts";
import {
  asWritten,
  Fault,
  type Form,
  type FormName,
  isObject,
  type Notices,
  type Row,
  toText,
} from "./form.ts";
import { alpaca, dolly } from "./instruction.ts";
import type { PreferenceEntry } from "../preferences.ts";
import { preference } from "./preference.ts";
import { promptCompletion } from "./prompt_completion.ts";
import { text } from "./text.ts";

export type { FormName } from "./form.ts";

/** The forms; the first that recognises an entry reads it. */
export const FORMS: readonly Form[] = [messages, shareGpt, promptCompletion, dolly, alpaca, text];

/** The forms of preferences. */
export const PREFERENCE_FORMS: readonly Form<PreferenceEntry>[] = [preference];

/** How fields are read. */
export interface FieldOptions {
  /** Columns that have other names than a form's fields, by the field: `{ instruction: "question" }`. */
  map?: Readonly<Record<string, string>>;
  /** Fields that are left out, also of messages. */
  ignore?: readonly string[];
  /** Fields that are carried along without being learnt, as `id`, `category`, `topic` and `source` are. */
  keep?: readonly string[];
}

/** The names of {@linkcode FieldOptions}. */
export const FIELD_OPTIONS: OptionNames<FieldOptions> = { map: true, ignore: true, keep: true };

/** What was found in a data set when it was read. */
export interface DatasetReport {
  /** Where it is from. */
  name: string;
  /** How many entries it has. */
  entries: number;
  /** How many entries have each form. */
  forms: Partial<Record<FormName, number>>;
  /** Fields that are carried along, each with the number of entries that have it. */
  kept: Record<string, number>;
  /** Fields that were left out as the options say, each with the number of entries that had it. */
  ignored: Record<string, number>;
  /** Indices of entries without anything to learn: an output, or all answers, empty or white space. */
  emptyOutputs: number[];
  /** Indices of entries whose instruction is empty or white space. */
  emptyInstructions: number[];
  /** Calls of tools whose arguments are JSON text, which most templates write as a quoted string. */
  textArguments: number;
  /** Why an earlier download is read, if the hub could not be reached. */
  notice?: string;
}

/** The number of different faults that an error lists; it counts the entries with others. */
const LISTED = 3;

/**
 * Reads entries one by one, and says at the end what was found.
 */
export class EntryReader<Entry extends DatasetEntry | PreferenceEntry = DatasetEntry> {
  readonly #name: string;
  readonly #forms: readonly Form<Entry>[];
  readonly #map: readonly (readonly [field: string, column: string])[];
  readonly #ignore: ReadonlySet<string>;
  readonly #keep: ReadonlySet<string>;
  readonly #found = new Set<string>();
  readonly #faults = new Map<string, { first: number; count: number }>();
  #otherFaults = 0;
  readonly #unknown = new Map<string, number>();
  readonly #report: DatasetReport;

  /**
   * @param name The data's name in errors.
   * @param options How fields are read.
   * @param forms The forms that entries may have.
   */
  constructor(name: string, options: FieldOptions, forms: readonly Form<Entry>[]) {
    assertKnownOptions("read entries", options, FIELD_OPTIONS);
    const { map = {}, ignore = [], keep = [] } = options;
    this.#name = name;
    this.#forms = forms;
    this.#map = Object.entries(map);
    this.#ignore = new Set(ignore);
    this.#keep = new Set([...CARRIED_FIELDS, ...keep]);
    this.#report = {
      name,
      entries: 0,
      forms: {},
      kept: {},
      ignored: {},
      emptyOutputs: [],
      emptyInstructions: [],
      textArguments: 0,
    };
  }

  /**
   * Reads the next entry.
   *
   * @param row The entry as it stands in the file.
   * @returns The entry; undefined if it has a fault, which {@linkcode EntryReader.finish} says.
   */
  read(row: unknown): Entry | undefined {
    const index = this.#report.entries++;
    try {
      if (!isObject(row)) throw new FormError(`it must be an object, got ${kindOf(row)}`);
      return this.#readRow(row, index);
    } catch (error) {
      if (!(error instanceof Fault || error instanceof FormError)) throw error;
      const fault = this.#faults.get(error.message);
      if (fault !== undefined) fault.count++;
      else if (this.#faults.size === LISTED) this.#otherFaults++;
      else this.#faults.set(error.message, { first: index, count: 1 });
      return undefined;
    }
  }

  /**
   * Ends the reading.
   *
   * @returns What was found.
   * @throws {TypeError} If an entry has a fault, if there are none, or if there are fields that are not understood.
   */
  finish(): DatasetReport {
    const { entries } = this.#report;
    const cannot = `Cannot read "${this.#name}": `;
    if (entries === 0) throw new TypeError(`${cannot}it holds no entries`);
    this.#assertFound(cannot);
    if (this.#faults.size > 0) {
      const listed = Array.from(
        this.#faults,
        ([fault, { first, count }]) =>
          `entry ${first + 1}${count > 1 ? ` and ${count - 1} more` : ""} of ${entries}: ${fault}`,
      );
      const others = this.#otherFaults;
      const more = others > 0
        ? `; ${plural(others, "entry has", "entries have")} other faults`
        : "";
      throw new TypeError(cannot + listed.join("; ") + more);
    }
    if (this.#unknown.size > 0) {
      const fields = Array.from(
        this.#unknown,
        ([field, count]) => `"${field}" (${count} of ${entries})`,
      );
      const what = fields.length === 1 ? "the field" : "the fields";
      throw new TypeError(
        `${cannot}${what} ${
          fields.join(", ")
        } would be lost: map says what it stands for, keep carries it ` +
          "along, ignore leaves it out",
      );
    }
    return this.#report;
  }

  #readRow(given: Record<string, unknown>, index: number): Entry {
    const row = this.#chooseFields(given);
    const isThere = (field: string) => row[field] !== undefined && row[field] !== null;
    // In a table, fields of other rows' forms are empty.
    const has = (field: string) => isThere(field) && row[field] !== "";
    const find = <Other>(forms: readonly Form<Other>[]) =>
      forms.find((form) => form.recognises(has, isThere)) ??
        forms.find((form) => form.recognises((field) => field in row, isThere));
    const isPreference = find(PREFERENCE_FORMS) !== undefined;
    const form = isPreference && this.#forms !== PREFERENCE_FORMS ? undefined : find(this.#forms);
    if (form === undefined) {
      const fields = Object.keys(row).map((field) => `"${field}"`).join(", ") || "none";
      throw new FormError(
        isPreference
          ? "it is a preference, which loadPreferences() reads and dpo() learns from, and so does " +
            '"tunebook train --method dpo"'
          : `its fields are ${fields}, expected those of a form: ${this.#expected()}; map says which column ` +
            "stands for which field",
      );
    }
    const entry: Entry = { ...form.read(row, this.#notices) };
    for (const [field, value] of Object.entries(row)) {
      const isEmpty = value === null || value === undefined || value === "";
      if (isEmpty || Object.hasOwn(form.fields, field)) continue;
      if (!this.#keep.has(field)) increase(this.#unknown, field);
      else {
        Object.assign(entry, { [field]: readCarried(field, value) });
        count(this.#report.kept, field);
      }
    }
    count(this.#report.forms, form.name);
    this.#noticeEmpty(entry, index);
    return entry;
  }

  #expected(): string {
    return this.#forms as unknown === PREFERENCE_FORMS
      ? '"prompt", "chosen" and "rejected"'
      : '"instruction" and "output", "instruction" and "response", "prompt" and "completion", "messages", ' +
        '"conversations" or "text"';
  }

  /** The fields by the names of forms, without those that are left out. */
  #chooseFields(given: Record<string, unknown>): Row {
    const row: Record<string, unknown> = {};
    for (const field of Object.keys(given)) row[field] = asWritten(given, field);
    for (const field of this.#ignore) {
      if (!Object.hasOwn(row, field)) continue;
      this.#found.add(field);
      count(this.#report.ignored, field);
      delete row[field];
    }
    const mapped: Record<string, unknown> = {};
    for (const [field, column] of this.#map) {
      if (!Object.hasOwn(row, column)) continue;
      this.#found.add(column);
      mapped[field] = row[column];
      delete row[column];
    }
    for (const field of Object.keys(mapped)) {
      if (row[field] === null || row[field] === undefined) continue;
      throw new FormError(`"${field}" is there beside the column that is mapped to it`);
    }
    return { ...row, ...mapped };
  }

  readonly #notices: Notices = {
    unknown: (field) => increase(this.#unknown, field),
    textArguments: () => this.#report.textArguments++,
    isIgnored: (field) => {
      if (!this.#ignore.has(field)) return false;
      if (!this.#found.has(field)) this.#found.add(field);
      count(this.#report.ignored, field);
      return true;
    },
  };

  #noticeEmpty(entry: DatasetEntry | PreferenceEntry, index: number): void {
    const { emptyOutputs, emptyInstructions } = this.#report;
    if ("chosen" in entry) {
      if (typeof entry.chosen === "string" && entry.chosen.trim() === "") emptyOutputs.push(index);
      if (typeof entry.prompt === "string" && entry.prompt.trim() === "") {
        emptyInstructions.push(index);
      }
      return;
    }
    // Without an answer nothing is learnt of it, not even to stop: encoding refuses it.
    const hasAnswer = !isChatEntry(entry) ||
      entry.messages.some(({ role }) => role === "assistant");
    if (hasAnswer && hasNothingToLearn(entry)) emptyOutputs.push(index);
    if (!isChatEntry(entry) && !isTextEntry(entry) && entry.instruction.trim() === "") {
      emptyInstructions.push(index);
    }
  }

  /** A column that no entry has is a mistake: what was meant is still there. */
  #assertFound(cannot: string): void {
    const wanted = [...this.#ignore, ...this.#map.map(([, column]) => column)];
    const missing = wanted.find((field) => !this.#found.has(field));
    if (missing !== undefined) throw new TypeError(`${cannot}no entry has the field "${missing}"`);
  }
}

/** A field that is carried along: those that have a meaning here have a type. */
function readCarried(field: string, value: unknown): unknown {
  const isText = (CARRIED_FIELDS as readonly string[]).includes(field) && field !== "id";
  if (isText) return toText(value, field);
  if (value instanceof Number) return value.valueOf();
  return typeof value === "bigint" ? `${value}` : value;
}

/** What is wrong with an entry as a whole. */
class FormError extends Error {}

/**
 * Whether an entry teaches nothing but to stop: its output, or each answer in it, is empty or white space.
 *
 * @param entry The entry.
 * @returns Whether it does.
 */
export function hasNothingToLearn(entry: DatasetEntry): boolean {
  if (isTextEntry(entry)) return entry.text.trim() === "";
  if (!isChatEntry(entry)) return entry.output.trim() === "";
  return entry.messages.every(({ role, content, tool_calls, reasoning_content, thinking }) =>
    role !== "assistant" ||
    (content.trim() === "" && !tool_calls && !reasoning_content && !thinking)
  );
}

/**
 * Says what is to be known about a data set: its forms, what is carried along or left out, what is empty.
 *
 * @param report What was found.
 * @returns Sentences without full stops, the forms first.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { describeReport, readDataset } from "tunebook/data";
 *
 * const { report } = await readDataset("instructions");
 * assertEquals(describeReport(report), ["1100 entries in the form Alpaca"]);
 * ```
 */
export function describeReport(report: DatasetReport): string[] {
  const { entries, forms, kept, ignored, emptyOutputs, emptyInstructions, textArguments } = report;
  const titles = [...FORMS, ...PREFERENCE_FORMS].filter(({ name }) => forms[name]).map((
    { name, title },
  ) => forms[name] === entries ? title : `${title} (${forms[name]})`);
  const list = (fields: Record<string, number>) =>
    Object.entries(fields).map(([field, count]) => `"${field}" (${count} of ${entries})`).join(
      ", ",
    );
  const first = (indices: readonly number[]) => `the first is entry ${indices[0]! + 1}`;
  const lines = [
    `${plural(entries, "entry", "entries")} in the form${titles.length > 1 ? "s" : ""} ${
      titles.join(", ")
    }`,
  ];
  const known: readonly string[] = CARRIED_FIELDS;
  const asked = Object.fromEntries(
    Object.entries(kept).filter(([field]) => !known.includes(field)),
  );
  if (Object.keys(asked).length > 0) lines.push(`carried along and not learnt: ${list(asked)}`);
  if (Object.keys(ignored).length > 0) lines.push(`left out: ${list(ignored)}`);
  const areOf = ({ length }: readonly number[]) => length === 1 ? "is" : "are";
  if (emptyOutputs.length > 0) {
    lines.push(
      `${emptyOutputs.length} of ${entries} outputs ${areOf(emptyOutputs)} empty (${
        first(emptyOutputs)
      }), which teaches the model to ` +
        "stop at once",
    );
  }
  if (emptyInstructions.length > 0) {
    lines.push(
      `${emptyInstructions.length} of ${entries} instructions ${areOf(emptyInstructions)} empty (${
        first(emptyInstructions)
      })`,
    );
  }
  if (report.notice !== undefined) lines.push(report.notice);
  if (textArguments > 0) {
    lines.push(
      `the arguments of ${
        plural(textArguments, "call", "calls")
      } of tools are JSON text, which most templates write ` +
        "as a quoted string",
    );
  }
  return lines;
}

function plural(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}

function increase(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function count(counts: Record<string, number>, key: string): void {
  // A field may be called as what every object has.
  counts[key] = (Object.hasOwn(counts, key) ? counts[key]! : 0) + 1;
}
