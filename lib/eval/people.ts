/**
 * Sheets for people: which of several answers is better, without saying whose they are, and ratings by criteria. A sheet is
 * rows that `table()` of `tunebook/show` shows, and CSV that a spreadsheet opens; filled in, it is joined back.
 *
 * @module
 */
import { stringify } from "@std/csv/stringify";
import { fromCell, parseRows, toCell } from "../dataset/spreadsheet.ts";
import { Random } from "../random.ts";
import { questionText } from "./judges/question.ts";
import type { ResponseEntry } from "./responses.ts";
import { mcnemar } from "./significance.ts";

/** The columns for ratings, from 1 to 5 each. */
export const RATING_COLUMNS: readonly string[] = [
  ...["correctness", "format", "clarity and conciseness", "robustness"],
  ...["fluency", "task relevance", "completeness"],
];

/** A row of a sheet: texts to read, and empty fields to fill in. */
export type SheetRow = Readonly<Record<string, string>>;

/** What was asked, as a person reads it: without the words around an instruction that only models need. */
function questionOf(entry: ResponseEntry): string {
  if ("messages" in entry) return questionText(entry);
  return [entry.instruction, entry.input].filter((text) => text !== "").join("\n\n");
}

/** The letter of an answer on a sheet. */
const letterOf = (place: number) => String.fromCharCode("A".charCodeAt(0) + place);

/**
 * Makes a sheet that shows the answers of two or three systems to each question in an order of its own. A human reference can
 * be one of the systems.
 *
 * @param systems The systems' answers by name: the same entries in the same order.
 * @param seed Decides the orders; the same seed finds them again in {@linkcode joinBlindSheet}.
 * @returns Rows with `number`, `question`, `A`, `B`, possibly more, and an empty `better`.
 * @throws {RangeError} If there are fewer than two systems, or their numbers of entries differ.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { blindSheet, joinBlindSheet } from "tunebook/eval";
 *
 * const answered = (model_response: string) => [
 *   { instruction: "Name a colour.", input: "", output: "Blue.", model_response },
 * ];
 * const systems = { base: answered("A car."), tuned: answered("Blue.") };
 * const [row] = blindSheet(systems, 7);
 * const filled = [{ ...row, better: row.A === "Blue." ? "A" : "B" }];
 * assertEquals(joinBlindSheet(filled, Object.keys(systems), 7).wins, { base: 0, tuned: 1 });
 * ```
 */
export function blindSheet(
  systems: Readonly<Record<string, readonly ResponseEntry[]>>,
  seed: number,
): SheetRow[] {
  const names = Object.keys(systems);
  const first = systems[names[0]] ?? [];
  if (names.length < 2 || names.some((name) => systems[name].length !== first.length)) {
    throw new RangeError(
      `Cannot make a sheet of ${names.length} systems: expected at least two with equal numbers of answers`,
    );
  }
  return first.map((entry, i) => {
    const order = orderOf(names, seed, i);
    return {
      number: `${i + 1}`,
      question: questionOf(entry),
      ...Object.fromEntries(
        order.map((name, place) => [letterOf(place), systems[name][i].model_response]),
      ),
      better: "",
    };
  });
}

/** The systems of a row, in the order of their letters. */
function orderOf(names: readonly string[], seed: number, row: number): string[] {
  return new Random([seed, row]).shuffle([...names]);
}

/** What people preferred. */
export interface BlindResult {
  /** How often each system was the better one. */
  readonly wins: Readonly<Record<string, number>>;
  /** How many rows were ties. */
  readonly ties: number;
  /** How many rows were left empty. */
  readonly empty: number;
  /** The p-value of the sign test where there are two systems. */
  readonly p?: number;
  /** Each row's choice: a system's name, `"tie"`, or `null` where it is empty. */
  readonly choices: readonly (string | null)[];
}

/**
 * Joins a filled-in sheet with the systems' names.
 *
 * @param rows The rows, in any order.
 * @param names The systems' names, in the order in which {@linkcode blindSheet} got them.
 * @param seed The sheet's seed.
 * @returns Wins, ties and choices, in the order of the questions.
 * @throws {SyntaxError} If a field holds something other than a letter of the sheet or `tie`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { joinBlindSheet } from "tunebook/eval";
 *
 * assertEquals(joinBlindSheet([{ number: "1", better: "tie" }], ["base", "tuned"], 7).ties, 1);
 * ```
 */
export function joinBlindSheet(
  rows: readonly SheetRow[],
  names: readonly string[],
  seed: number,
): BlindResult {
  const sorted = rows.toSorted((a, b) => Number(a.number) - Number(b.number));
  const choices = sorted.map(({ number, better = "" }) => {
    const choice = better.trim();
    if (choice === "") return null;
    if (/^(?:tie|tied|=)$/i.test(choice)) return "tie";
    const letters = names.map((_, place) => letterOf(place));
    const place = letters.indexOf(choice.toUpperCase());
    if (place >= 0) return orderOf(names, seed, Number(number) - 1)[place];
    throw new SyntaxError(
      `Cannot read "better" of row ${number}: expected ${
        letters.join(", ")
      } or tie, found "${choice}"`,
    );
  });
  const count = (name: string | null) => choices.filter((one) => one === name).length;
  const wins = Object.fromEntries(names.map((name) => [name, count(name)]));
  return {
    wins,
    ties: count("tie"),
    empty: count(null),
    ...(names.length === 2 && { p: mcnemar(wins[names[0]], wins[names[1]]) }),
    choices,
  };
}

/**
 * Makes a sheet on which each answer is rated from 1 to 5 by the criteria {@linkcode RATING_COLUMNS}.
 *
 * @param entries Entries with a system's answers.
 * @returns Rows with `number`, `question`, `answer`, and an empty field for each criterion.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { ratingSheet } from "tunebook/eval";
 *
 * const entry = { instruction: "Name a colour.", input: "", output: "Blue.", model_response: "Red." };
 * assertEquals(ratingSheet([entry])[0].completeness, "");
 * ```
 */
export function ratingSheet(entries: readonly ResponseEntry[]): SheetRow[] {
  return entries.map((entry, i) => ({
    number: `${i + 1}`,
    question: questionOf(entry),
    answer: entry.model_response,
    ...Object.fromEntries(RATING_COLUMNS.map((name) => [name, ""])),
  }));
}

/**
 * Reads the ratings of a filled-in sheet.
 *
 * @param rows The rows, in any order.
 * @returns Each criterion's ratings in the order of the questions; `null` where a field is empty.
 * @throws {SyntaxError} If a field holds something other than a whole number from 1 to 5.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { joinRatings } from "tunebook/eval";
 *
 * assertEquals(joinRatings([{ number: "1", fluency: "4" }]).fluency, [4]);
 * ```
 */
export function joinRatings(rows: readonly SheetRow[]): Record<string, (number | null)[]> {
  const sorted = rows.toSorted((a, b) => Number(a.number) - Number(b.number));
  const ratingOf = (row: SheetRow, name: string) => {
    const text = (row[name] ?? "").trim();
    if (text === "") return null;
    if (/^[1-5]$/.test(text)) return Number(text);
    throw new SyntaxError(
      `Cannot read "${name}" of row ${row.number}: expected a whole number from 1 to 5, found "${text}"`,
    );
  };
  return Object.fromEntries(
    RATING_COLUMNS.map((name) => [name, sorted.map((row) => ratingOf(row, name))]),
  );
}

/**
 * Writes a sheet as CSV. Texts that a spreadsheet would take for formulas get an apostrophe before them.
 *
 * @param rows The rows.
 * @returns The text.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseSheet, writeSheet } from "tunebook/eval";
 *
 * const rows = [{ number: "1", A: '=SUM("x")', B: "two\nlines", better: "" }];
 * assertEquals(parseSheet(writeSheet(rows))[0].B, "two\nlines");
 * ```
 */
export function writeSheet(rows: readonly SheetRow[]): string {
  if (rows.length === 0) return "";
  const safe = rows.map((row) =>
    Object.fromEntries(Object.entries(row).map(([name, text]) => [name, toCell(text)]))
  );
  return stringify(safe, { columns: Object.keys(rows[0]) });
}

/**
 * Reads a sheet from CSV, as a spreadsheet saved it.
 *
 * @param text The text.
 * @returns The rows.
 * @throws {SyntaxError} If it is not CSV.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseSheet } from "tunebook/eval";
 *
 * assertEquals(parseSheet("number,better\n1,A\n"), [{ number: "1", better: "A" }]);
 * ```
 */
export function parseSheet(text: string): SheetRow[] {
  const rows = parseRows(text) as SheetRow[];
  return rows.map((row) =>
    Object.fromEntries(Object.entries(row).map(([name, cell]) => [name, fromCell(cell)]))
  );
}
