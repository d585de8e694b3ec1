/**
 * Cleaning a data set: texts in one form, masked personal data, entries without an answer or too long left out; with a list of
 * every change.
 *
 * @module
 */

import { assertArray } from "../kind_of.ts";
import { assertKnownOptions, type OptionNames } from "../options.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { type DatasetEntry, isChatEntry, isTextEntry } from "./chat_entry.ts";
import { type Normalization, NORMALIZATIONS, normalizeBy } from "./normalize.ts";
import {
  findPersonalData,
  maskPersonalData,
  PERSONAL_KINDS,
  type PersonalFinding,
  type PersonalKind,
} from "./personal_data.ts";
import { mapTexts } from "./entry_texts.ts";
import { textOf } from "./word_bags.ts";

/** Personal data found in a field of an entry. */
export interface EntryFinding extends PersonalFinding {
  /** The entry's index. */
  index: number;
  /** The field, such as `output` or `messages.1.content`. */
  field: string;
  /** The text around it, on one line. */
  context: string;
}

/** Options of {@linkcode cleanEntries}. */
export interface CleanOptions {
  /**
   * The steps of normalisation, which are applied in the order of {@linkcode Normalization}.
   *
   * @default {["unicode", "whitespace"]}
   */
  readonly normalize?: readonly Normalization[];
  /**
   * Corrects a text after it has been normalised: the decisions of a person on proposed corrections, as `readCorrections()`
   * reads them.
   */
  readonly correct?: (text: string, place: { index: number; field: string }) => string;
  /** The kinds of personal data to mask; none by default. */
  readonly personal?: readonly PersonalKind[];
  /**
   * Whether a finding is personal data: the decision of a person who reviewed it. All findings are masked by default.
   */
  readonly confirm?: (finding: EntryFinding) => boolean;
  /**
   * Whether entries without anything to learn are left out.
   *
   * @default {true}
   */
  readonly dropEmpty?: boolean;
  /** Leaves out entries with more tokens than this in all of their texts; needs `tokenizer`. */
  readonly maxTokens?: number;
  /** The tokenizer that counts. */
  readonly tokenizer?: Pick<Tokenizer, "encode">;
}

const NAMES: OptionNames<CleanOptions> = {
  normalize: true,
  correct: true,
  personal: true,
  confirm: true,
  dropEmpty: true,
  maxTokens: true,
  tokenizer: true,
};

/** A change of a field. */
export interface CleaningChange {
  /** The entry's index in the data. */
  index: number;
  /** The field, such as `output` or `messages.1.content`. */
  field: string;
  /** The step. */
  step: Normalization | "grammar" | "personal";
  /** The text before the step. */
  before: string;
  /** The text after it. */
  after: string;
}

/** The result of {@linkcode cleanEntries}. */
export interface Cleaned<T> {
  /** The entries that are left, in their order. */
  entries: T[];
  /** Every change of a field, in the order of entries. */
  changes: CleaningChange[];
  /** The entries that are left out, and why. */
  dropped: { index: number; reason: string }[];
  /** All personal data that was found, masked or not. */
  findings: EntryFinding[];
  /** The indices of entries with tools or calls of tools, in which no personal data is looked for. */
  unchecked: number[];
}

/**
 * Cleans entries. Nothing changes that the result does not list.
 *
 * @param entries The entries, which are not changed.
 * @param options What is done.
 * @returns Copies of the entries, and what changed.
 * @throws {TypeError} If there is an unknown option, or `maxTokens` without a tokenizer.
 * @throws {RangeError} If there is no such step or kind, or `maxTokens` is not a positive integer.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { cleanEntries } from "tunebook/data";
 *
 * const { entries, changes, dropped } = cleanEntries([
 *   { instruction: "How do I reach you?  ", input: "", output: "Write to ana@example.org." },
 *   { instruction: "And by phone?", input: "", output: " " },
 * ], { personal: ["email"] });
 * assertEquals(entries, [
 *   { instruction: "How do I reach you?", input: "", output: "Write to [EMAIL]." },
 * ]);
 * assertEquals(changes.map(({ field, step }) => `${field}: ${step}`), [
 *   "instruction: whitespace", "output: personal", "output: whitespace",
 * ]);
 * assertEquals(dropped, [{ index: 1, reason: "nothing to learn" }]);
 * ```
 */
export function cleanEntries<T extends DatasetEntry>(
  entries: readonly T[],
  options: CleanOptions = {},
): Cleaned<T> {
  assertCleanOptions(options);
  assertArray("clean", entries, "entries");
  const { personal = [], confirm = () => true, dropEmpty = true, maxTokens, tokenizer } = options;
  const { correct } = options;
  const normalize = options.normalize ?? ["unicode", "whitespace"];
  const result: Cleaned<T> = { entries: [], changes: [], dropped: [], findings: [], unchecked: [] };
  for (const [index, entry] of entries.entries()) {
    const cleaned = mapTexts(entry, (text, field) => {
      const change = (step: CleaningChange["step"], before: string, after: string) => {
        if (before !== after) result.changes.push({ index, field, step, before, after });
        return after;
      };
      for (const step of NORMALIZATIONS) {
        if (normalize.includes(step)) text = change(step, text, normalizeBy(text, step));
      }
      if (correct) text = change("grammar", text, correct(text, { index, field }));
      if (personal.length === 0) return text;
      const found = findPersonalData(text, { kinds: personal })
        .map((finding) => ({ index, field, ...finding, context: contextOf(text, finding) }));
      result.findings.push(...found);
      return change("personal", text, maskPersonalData(text, found.filter(confirm)));
    });
    if (personal.length > 0 && hasTools(entry)) result.unchecked.push(index);
    const reason = dropEmpty && teachesNothing(cleaned)
      ? "nothing to learn"
      : maxTokens === undefined
      ? undefined
      : describeExcess(tokenizer!.encode(textOf(cleaned)).length, maxTokens);
    if (reason === undefined) result.entries.push(cleaned);
    else result.dropped.push({ index, reason });
  }
  return result;
}

/** How many characters around a finding are shown. */
const AROUND = 40;

function contextOf(text: string, { start, end }: PersonalFinding): string {
  return text.slice(Math.max(0, start - AROUND), end + AROUND).replace(/\s+/g, " ");
}

function hasTools(entry: DatasetEntry): boolean {
  return isChatEntry(entry) &&
    (entry.tools !== undefined ||
      entry.messages.some(({ tool_calls }) => tool_calls !== undefined));
}

/** Whether there is no answer, and no call of a tool. */
function teachesNothing(entry: DatasetEntry): boolean {
  if (isTextEntry(entry)) return entry.text.trim() === "";
  if (!isChatEntry(entry)) return entry.output.trim() === "";
  return !entry.messages.some(({ role, content, tool_calls }) =>
    role === "assistant" && (content.trim() !== "" || tool_calls !== undefined)
  );
}

function describeExcess(tokens: number, most: number): string | undefined {
  return tokens > most ? `${tokens} tokens, more than ${most}` : undefined;
}

function assertCleanOptions(options: CleanOptions): void {
  assertKnownOptions("clean entries", options, NAMES);
  const { normalize = [], personal = [], maxTokens, tokenizer } = options;
  const check = (what: string, values: readonly string[], known: readonly string[]) => {
    const unknown = values.find((value) => !known.includes(value));
    if (unknown === undefined) return;
    throw new RangeError(
      `Cannot clean entries with the ${what} "${unknown}": expected "${known.join('", "')}"`,
    );
  };
  check("step", normalize, NORMALIZATIONS);
  check("kind of personal data", personal, PERSONAL_KINDS);
  if (maxTokens === undefined) return;
  if (!(Number.isInteger(maxTokens) && maxTokens > 0)) {
    throw new RangeError(
      `Cannot clean entries with "maxTokens" ${maxTokens}: expected a positive integer`,
    );
  }
  if (!tokenizer) {
    throw new TypeError(
      'Cannot count tokens without a tokenizer: expected "tokenizer" beside "maxTokens"',
    );
  }
}
