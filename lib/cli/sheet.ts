// `tunebook sheet`: sheets on which people compare and rate answers, and what they found.

import type { Command } from "commander";
import { InvalidArgumentError } from "commander";
import { createHash } from "node:crypto";
import { z } from "zod";
import { cohenKappa, spearman } from "../eval/agreement.ts";
import {
  blindSheet,
  joinBlindSheet,
  joinRatings,
  parseSheet,
  RATING_COLUMNS,
  ratingSheet,
  type SheetRow,
  writeSheet,
} from "../eval/people.ts";
import { readResponses, type ResponseEntry } from "../eval/responses.ts";
import { readText } from "../dataset/load.ts";
import { table } from "../show/table.ts";
import { writeFileBeside } from "../write_beside.ts";
import { jsonOption, readWhole } from "./arguments.ts";
import { exists } from "./data/report.ts";
import { addFieldOptions, type DataOptions, fieldOptions } from "./read_data.ts";

/**
 * What a blind sheet's key holds: whose answer has which letter follows from names and seed; the hashes of the rows tell the
 * sheet from others.
 */
const KEY = z.strictObject({
  names: z.array(z.string()).min(2),
  seed: z.number().int(),
  rows: z.array(z.string()).optional(),
});

/** Adds the subcommand. */
export function register(program: Command): void {
  const sheet = program.command("sheet")
    .summary("make sheets on which people compare or rate answers, and read them")
    .description(
      "Makes CSV files that people fill in: a blind sheet shows the answers of several models to each question in an order of " +
        "its own, without saying whose they are; a rating sheet asks for 1 to 5 by seven criteria. Filled in, they are read back.",
    )
    .helpCommand("help [command]", "show help for a command");
  const blind = sheet.command("blind")
    .summary("show answers of two or more models side by side, without their names")
    .description(
      'Writes a sheet with answers called A, B, …, and an empty column "better" for a letter or tie. Whose they are is in the ' +
        "key, a file that the people who compare should not see.",
    )
    .requiredOption(
      "--answers <name=file>",
      "a model's name and its responses, as tunebook score reads them; at least two times, with --reference once",
      readNamed,
    )
    .option("--reference", "the references as one more model", false)
    .option("--seed <n>", "decides the orders", readWhole, 123)
    .requiredOption("--out <file>", "the sheet, a CSV file")
    .requiredOption("--key <file>", "the key, a JSON file")
    .addHelpText(
      "after",
      "\nExample:\n  tunebook sheet blind --answers base=base.json --answers tuned=tuned.json --out sheet.csv --key key.json",
    )
    .action(makeBlind);
  addFieldOptions(blind);
  const rating = sheet.command("rating")
    .summary("ask for ratings of a model's answers by seven criteria")
    .description(
      "Writes a sheet with an empty column for each criterion, for whole numbers from 1 to 5.",
    )
    .argument("<responses>", "the responses, as tunebook score reads them")
    .requiredOption("--out <file>", "the sheet, a CSV file")
    .addHelpText("after", "\nExample:\n  tunebook sheet rating tuned.json --out ratings.csv")
    .action(makeRating);
  addFieldOptions(rating);
  sheet.command("read")
    .summary("report what people found, and how far two of them agree")
    .description(
      "Reads sheets that people have filled in. For blind sheets it counts wins and ties, with the p-value of the sign test if " +
        "there are two models; for rating sheets it gives the mean by criterion. For two sheets it also gives Cohen's kappa: 1 is " +
        "full agreement, 0 is what chance would give.",
    )
    .argument("<sheets...>", "one sheet, or two persons' copies of the same sheet")
    .option("--key <file>", "the key of blind sheets")
    .addOption(jsonOption())
    .addHelpText("after", "\nExample:\n  tunebook sheet read ann.csv ben.csv --key key.json")
    .action(read);
}

interface Named {
  name: string;
  path: string;
}

function readNamed(text: string, others: Named[] = []): Named[] {
  const [, name, path] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  if (name === undefined) throw new InvalidArgumentError("Expected name=file, as base=base.json.");
  if (others.some((one) => one.name === name)) {
    throw new InvalidArgumentError(`There are two answers of "${name}".`);
  }
  return [...others, { name, path }];
}

interface BlindOptions extends DataOptions {
  answers: Named[];
  reference: boolean;
  seed: number;
  out: string;
  key: string;
}

async function makeBlind(options: BlindOptions): Promise<void> {
  const { answers, reference, seed, out, key } = options;
  const systems: Record<string, ResponseEntry[]> = {};
  for (const { name, path } of answers) {
    systems[name] = await readResponses(path, fieldOptions(options));
  }
  const [first] = Object.values(systems);
  for (const { name, path } of answers) assertSameQuestions(systems[name], first, path);
  if (reference) {
    if (Object.hasOwn(systems, "reference")) {
      throw new TypeError('Cannot add the references: there are answers of "reference"');
    }
    systems.reference = first.map((entry) => ({ ...entry, model_response: entry.output }));
  }
  const rows = blindSheet(systems, seed);
  const text = `${JSON.stringify({ names: Object.keys(systems), seed, rows: rows.map(hashOf) })}\n`;
  await assertUnused(out);
  if (await exists(key) && await readText(key) !== text) {
    throw new Deno.errors.AlreadyExists(
      `Cannot replace the key "${key}": it may be another sheet's; give another --key`,
    );
  }
  await writeFileBeside(out, writeSheet(rows));
  await writeFileBeside(key, text);
  console.log(`${rows.length} questions written to "${out}", the key to "${key}"`);
}

/**
 * A row's hash. Only letters count: a spreadsheet changes line breaks, and takes some texts for numbers.
 */
function hashOf(row: SheetRow): string {
  const { number: _, better: __, ...texts } = row;
  const letters = Object.entries(texts).map(([column, text]) => [
    column,
    text.replace(/\P{L}+/gu, ""),
  ]);
  return createHash("sha256").update(JSON.stringify(letters.sort())).digest("hex").slice(0, 16);
}

/** Refuses to replace what a person has filled in, and files that are not sheets. */
async function assertUnused(path: string): Promise<void> {
  if (!await exists(path)) return;
  const text = await readText(path);
  let rows: SheetRow[] = [];
  try {
    rows = parseSheet(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  const asked = ["better", ...RATING_COLUMNS];
  const isSheet = rows.length > 0 && asked.some((column) => column in rows[0]);
  const isEmpty = rows.every((row) => asked.every((column) => (row[column] ?? "").trim() === ""));
  if (isSheet && isEmpty) return;
  throw new Deno.errors.AlreadyExists(
    `Cannot replace "${path}": ${
      isSheet ? "a person has filled it in" : "it is not a sheet"
    }; give another --out`,
  );
}

function assertSameQuestions(
  entries: readonly ResponseEntry[],
  others: readonly ResponseEntry[],
  path: string,
): void {
  const differs = (i: number) =>
    (["instruction", "input", "output"] as const).some((field) =>
      entries[i]?.[field] !== others[i]?.[field]
    );
  const length = Math.max(entries.length, others.length);
  for (let i = 0; i < length; i++) {
    if (!differs(i)) continue;
    throw new RangeError(
      `Cannot compare the answers of "${path}": entry ${
        i + 1
      } is another one than in the first file`,
    );
  }
}

async function makeRating(
  path: string,
  options: DataOptions & { out: string },
): Promise<void> {
  const rows = ratingSheet(await readResponses(path, fieldOptions(options)));
  await assertUnused(options.out);
  await writeFileBeside(options.out, writeSheet(rows));
  console.log(`${rows.length} answers written to "${options.out}"`);
}

async function read(
  paths: readonly string[],
  { key, json }: { key?: string; json: boolean },
): Promise<void> {
  if (paths.length > 2) {
    throw new RangeError(`Cannot compare ${paths.length} sheets: expected one or two`);
  }
  const sheets: SheetRow[][] = [];
  for (const path of paths) sheets.push(parseSheet(await readText(path)));
  assertSameSheets(sheets, paths);
  const isBlind = "better" in (sheets[0][0] ?? {});
  if (isBlind && key === undefined) {
    throw new TypeError("Cannot read a blind sheet: give its --key");
  }
  const result = isBlind
    ? readBlind(sheets, await readKeyOf(key!, sheets, paths))
    : readRatings(sheets);
  if (json) console.log(JSON.stringify(result.document, null, 2));
  else for (const line of result.lines) console.log(line);
}

/** Two persons must have had the same sheet. */
function assertSameSheets(sheets: readonly SheetRow[][], paths: readonly string[]): void {
  const [first, second] = sheets;
  if (first.length === 0) throw new SyntaxError(`Cannot read "${paths[0]}": it has no rows`);
  const shownTo = (rows: readonly SheetRow[]) =>
    JSON.stringify(
      rows.map(({ number, question }) => [number, question?.replace(/\s+/g, " ")])
        .sort((a, b) => Number(a[0]) - Number(b[0])),
    );
  if (second === undefined || shownTo(first) === shownTo(second)) return;
  throw new RangeError(
    `Cannot compare "${paths[0]}" with "${paths[1]}": expected two copies of the same sheet`,
  );
}

/** Reads the key, and refuses one of another sheet, by which answers would be credited to the wrong model. */
async function readKeyOf(
  path: string,
  sheets: readonly SheetRow[][],
  names: readonly string[],
): Promise<z.infer<typeof KEY>> {
  const key = await readKey(path);
  for (const [i, rows] of sheets.entries()) {
    const other = rows.find((row) => key.rows && key.rows[Number(row.number) - 1] !== hashOf(row));
    if (other === undefined) continue;
    throw new RangeError(
      `Cannot read "${
        names[i]
      }" by the key "${path}": question ${other.number} has other texts than the sheet of that key`,
    );
  }
  return key;
}

async function readKey(path: string): Promise<z.infer<typeof KEY>> {
  const text = await readText(path);
  try {
    return KEY.parse(JSON.parse(text));
  } catch (error) {
    throw new SyntaxError(
      `Cannot read the key "${path}": expected {"names": […], "seed": n, "rows": […]}, as tunebook sheet blind writes it`,
      { cause: error },
    );
  }
}

interface ReadSheets {
  document: object;
  lines: string[];
}

function readBlind(
  sheets: readonly SheetRow[][],
  { names, seed }: z.infer<typeof KEY>,
): ReadSheets {
  const results = sheets.map((rows) => joinBlindSheet(rows, names, seed));
  const kappa = agreement(results.map(({ choices }) => choices), cohenKappa);
  const lines = results.map(({ wins, ties, empty, p }, i) =>
    [
      ...(sheets.length > 1 ? [`sheet ${i + 1}`] : []),
      ...names.map((name) => `${name} ${wins[name]}`),
      ...[`ties ${ties}`, `empty ${empty}`],
      ...(p === undefined ? [] : [`p ${p.toFixed(4)}`]),
    ].join(", ")
  );
  return {
    document: { sheets: results, ...(sheets.length > 1 && { kappa }) },
    lines: [...lines, ...(sheets.length > 1 ? [describeKappa(kappa)] : [])],
  };
}

function readRatings(sheets: readonly SheetRow[][]): ReadSheets {
  const results = sheets.map(joinRatings);
  const criteria = Object.keys(results[0]).map((criterion) => {
    const given = results.map((one) => one[criterion]);
    const all = given.flat().filter((rating) => rating !== null);
    return {
      criterion,
      ratings: all.length,
      mean: all.length === 0 ? null : all.reduce((sum, rating) => sum + rating, 0) / all.length,
      ...(sheets.length > 1 && {
        kappa: agreement(given, cohenKappa).value,
        correlation: agreement(given, spearman).value,
      }),
    };
  });
  return { document: { criteria }, lines: [table(criteria).text] };
}

/** A measure of agreement over what both persons decided; null where it is undefined. */
function agreement<Value>(
  decisions: readonly (readonly (Value | null)[])[],
  measure: (a: readonly Value[], b: readonly Value[]) => number,
): { value: number | null; both: number } {
  const [a, b = []] = decisions;
  const both = [...a.keys()].filter((i) => a[i] !== null && (b[i] ?? null) !== null);
  if (both.length === 0) return { value: null, both: 0 };
  const value = measure(both.map((i) => a[i]!), both.map((i) => b[i]!));
  return { value: Number.isFinite(value) ? value : null, both: both.length };
}

function describeKappa({ value, both }: { value: number | null; both: number }): string {
  const kappa = value === null ? "is not defined, because nothing varies" : value.toFixed(4);
  return `Cohen's kappa ${kappa} over the ${both} questions that both decided`;
}
