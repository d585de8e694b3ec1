/**
 * Corrections of grammar and spelling that a model proposes and a person accepts.
 *
 * @module
 */

import { stringify } from "@std/csv/stringify";
import { assertArray } from "../kind_of.ts";
import { assertKnownOptions, type OptionNames } from "../options.ts";
import { lostNumbers, parseReply, type Teacher } from "./augment/teacher.ts";
import type { DatasetEntry } from "./chat_entry.ts";
import { mapTexts } from "./entry_texts.ts";
import { wordSimilarity } from "./near_duplicates.ts";
import { fromCell, parseTable, readDecision, toCell } from "./spreadsheet.ts";

/** A text for which a model proposes another. */
export interface Correction {
  /** The entry's index. */
  readonly index: number;
  /** The field, such as `output` or `messages.1.content`. */
  readonly field: string;
  /** The text as it is. */
  readonly before: string;
  /** The text as it should be. */
  readonly after: string;
  /** The name of the model that proposes it. */
  readonly by: string;
}

/** What {@linkcode proposeCorrections} returns. */
export interface ProposedCorrections {
  /** What a person should review. */
  readonly corrections: Correction[];
  /** Replies that change more than grammar, and what is wrong with them; their texts stay as they are. */
  readonly rejected: { index: number; field: string; reason: string; reply: string }[];
}

/** Options of {@linkcode proposeCorrections}. */
export interface CorrectionOptions {
  /**
   * The seed of the model's draws.
   *
   * @default {123}
   */
  readonly seed?: number;
  /** Stops asking. */
  readonly signal?: AbortSignal;
  /** Called after each text with the number of texts so far, and of all. */
  readonly onProgress?: (done: number, all: number) => void;
}

const NAMES: OptionNames<CorrectionOptions> = { seed: true, signal: true, onProgress: true };

/** A correction that shares fewer words with the text than this is another text. */
const LEAST_ALIKE = 0.4;

const SCHEMA = {
  type: "object",
  properties: { corrected: { type: "string" } },
  required: ["corrected"],
};

/**
 * Asks a model to correct grammar, spelling and punctuation of each text of three words or more. Texts with code between
 * fences are left out, and so are replies that lose a number or say something else.
 *
 * @param entries The entries, normalised as they will be cleaned.
 * @param teacher The model.
 * @param options Seed, stopping and progress.
 * @returns What it proposes, and the replies that failed a check. The same text is asked about once.
 * @throws {Error} If the model does not reply.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { proposeCorrections } from "tunebook/data";
 *
 * const teacher = { name: "me", ask: () => Promise.resolve('{"corrected": "He goes to school."}') };
 * const entries = [{ text: "He go to school." }];
 * const { corrections } = await proposeCorrections(entries, teacher);
 * assertEquals(corrections.map(({ field, after }) => `${field}: ${after}`), ["text: He goes to school."]);
 * ```
 */
export async function proposeCorrections(
  entries: readonly DatasetEntry[],
  teacher: Teacher,
  options: CorrectionOptions = {},
): Promise<ProposedCorrections> {
  assertKnownOptions("propose corrections", options, NAMES);
  assertArray("correct", entries, "entries");
  const { seed = 123, signal, onProgress } = options;
  const texts: { index: number; field: string; text: string }[] = [];
  for (const [index, entry] of entries.entries()) {
    mapTexts(entry, (text, field) => {
      const words = text.match(/\p{L}{2,}/gu)?.length ?? 0;
      if (words >= 3 && !text.includes("```")) texts.push({ index, field, text });
      return text;
    });
  }
  const found: ProposedCorrections = { corrections: [], rejected: [] };
  const replies = new Map<string, string | undefined>();
  for (const [i, { index, field, text }] of texts.entries()) {
    signal?.throwIfAborted();
    if (!replies.has(text)) replies.set(text, await teacher.ask(request(text)));
    const reply = replies.get(text);
    onProgress?.(i + 1, texts.length);
    const after = readCorrected(reply);
    const reason = after === undefined
      ? reply === undefined ? "the reply was cut at the allowed length" : "the reply is not JSON"
      : objection(text, after);
    if (reason !== undefined) found.rejected.push({ index, field, reason, reply: reply ?? "" });
    else if (after !== text) {
      found.corrections.push({ index, field, before: text, after: after!, by: teacher.name });
    }
  }
  return found;

  function request(text: string) {
    const prompt =
      "Correct grammar, spelling and punctuation of the text below. Change nothing else: keep its meaning, wording, names, " +
      "numbers, lines and form; do not answer it. If it is correct, give it back unchanged. Reply with one JSON object " +
      `{"corrected": "…"} and nothing else.\n\nText:\n${text}`;
    return { prompt, schema: SCHEMA, maxTokens: 64 + text.length, seed, signal };
  }
}

function readCorrected(reply: string | undefined): string | undefined {
  const value = parseReply(reply);
  const corrected = (value as { corrected?: unknown } | null | undefined)?.corrected;
  return typeof corrected === "string" ? corrected.trim() : undefined;
}

/** What is wrong with a correction, if anything. */
function objection(before: string, after: string): string | undefined {
  if (after === "") return "the corrected text is empty";
  const lost = lostNumbers(before, after);
  if (lost.length > 0) return `the corrected text lacks ${lost.join(", ")}`;
  if (wordSimilarity(before, after) < LEAST_ALIKE) return "the corrected text says something else";
  return undefined;
}

const COLUMNS = ["entry", "field", "before", "after", "accept", "revised", "by"] as const;

/**
 * Writes corrections as CSV for review in a spreadsheet. A person puts yes or no into the column `accept`, and may write a
 * better text into `revised`. Entries are counted from 1.
 *
 * @param corrections The corrections.
 * @returns The table.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { cleanEntries, readCorrections, writeCorrections } from "tunebook/data";
 *
 * const correction = { index: 0, field: "text", before: "He go.", after: "He goes.", by: "me" };
 * const reviewed = writeCorrections([correction]).replace(",,,me", ",yes,,me"); // by a person
 * const { entries } = cleanEntries([{ text: "He go." }], { correct: readCorrections(reviewed) });
 * assertEquals(entries, [{ text: "He goes." }]);
 * ```
 */
export function writeCorrections(corrections: readonly Correction[]): string {
  const rows = corrections.map(({ index, field, before, after, by }) => ({
    ...{ entry: index + 1, field, before: toCell(before), after: toCell(after) },
    ...{ accept: "", revised: "", by: toCell(by) },
  }));
  return stringify(rows, { columns: COLUMNS });
}

/**
 * Reads a reviewed table.
 *
 * @param csv The table that {@linkcode writeCorrections} wrote, with yes or no in the column `accept` of each row.
 * @param name Its name in errors.
 * @returns Corrects a text, for `correct` of `cleanEntries()`. It throws a RangeError on a text of the table that is another
 * one now, because data or options have changed since.
 * @throws {SyntaxError} If it is not such a table.
 * @throws {RangeError} If a row is not decided.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { readCorrections } from "tunebook/data";
 *
 * const correct = readCorrections("entry,field,before,after,accept,revised,by\n1,text,He go.,He goes.,no,,me\n");
 * assertEquals(correct("He go.", { index: 0, field: "text" }), "He go.");
 * ```
 */
export function readCorrections(
  csv: string,
  name = "review",
): (text: string, place: { index: number; field: string }) => string {
  const rows = parseTable(csv, name, COLUMNS);
  const decided = new Map<string, { before: string; after: string }>();
  for (const [i, row] of rows.entries()) {
    const accept = readDecision(rows, i, "accept", name);
    const [before, proposed, revised] = [row.before, row.after, row.revised].map(fromCell);
    const after = revised.trim() !== "" ? revised : accept ? proposed : before;
    decided.set(`${Number(row.entry) - 1} ${row.field}`, { before, after });
  }
  return (text, { index, field }) => {
    const row = decided.get(`${index} ${field}`);
    if (row === undefined) return text;
    // Spreadsheets write line breaks in their own way.
    if (row.before.replace(/\r\n?/g, "\n") === text.replace(/\r\n?/g, "\n")) {
      return row.after.replace(/\r\n?/g, "\n");
    }
    throw new RangeError(
      `Cannot use the review "${name}": "${field}" of entry ${index + 1} is another text now; ` +
        "data or options have changed since it was written",
    );
  };
}
