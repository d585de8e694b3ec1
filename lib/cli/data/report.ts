// What the subcommands of `tunebook data` share: their files, and the report of what changed.

import { Argument, InvalidArgumentError, Option } from "commander";
import { WRITTEN_ENDINGS, writtenEnding } from "../../dataset/write.ts";
import { table } from "../../show/table.ts";
import { writeFileBeside } from "../../write_beside.ts";

/** Options of subcommands that report changes. */
export interface ReportOptions {
  /** The file for the whole report. */
  report?: string;
  /** Whether the report is printed as JSON. */
  json: boolean;
}

/** How many rows of a table are printed; `--report` has all. */
const PRINTED_ROWS = 20;

/** The argument that names the data. */
export function dataArgument(): Argument {
  return new Argument("<file|url>", 'the data; "instructions": those that come with Tunebook')
    .argRequired();
}

/**
 * Makes a parser of names with commas between.
 *
 * @param known The names.
 * @param what What they name, for errors.
 * @returns The parser; "all" and "none" stand for all and none of them.
 */
export function readList<Name extends string>(
  known: readonly Name[],
  what: string,
): (text: string) => Name[] {
  return (text) => {
    if (text === "none") return [];
    if (text === "all") return [...known];
    const names = text.split(",").map((name) => name.trim());
    const unknown = names.find((name) => !(known as readonly string[]).includes(name));
    if (unknown === undefined) return names as Name[];
    throw new InvalidArgumentError(`Unknown ${what} "${unknown}": expected ${known.join(", ")}.`);
  };
}

/**
 * Whether there is a file.
 *
 * @param path The file.
 * @returns Whether it exists.
 */
export async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

/** The option that names the file to write; another ending is refused before any work. */
export function outOption(): Option {
  return new Option("--out <file>", `the file to write: ${WRITTEN_ENDINGS.join(", ")}`)
    .argParser((path) => {
      try {
        writtenEnding(path);
      } catch (error) {
        throw new InvalidArgumentError(`${(error as Error).message}.`);
      }
      return path;
    })
    .makeOptionMandatory();
}

/** The options of the report. */
export function reportOptions(): Option[] {
  return [
    new Option(
      "--report <file>",
      "write every change to this file, as JSON; entries are counted from 1, as in the table",
    ),
    new Option("--json", "print the report as JSON on standard output, and nothing else there")
      .default(false),
  ];
}

/**
 * Prints and writes a report: lines and a table for people, or one JSON document.
 *
 * @param options Where it goes.
 * @param report The whole report.
 * @param lines The summary, in sentences.
 * @param rows The changes, for a table; none is printed if there are none.
 */
export async function report(
  { report: path, json }: ReportOptions,
  report: object,
  lines: readonly string[],
  rows: readonly object[] = [],
): Promise<void> {
  const document = JSON.stringify(report, null, 2);
  if (path !== undefined) await writeFileBeside(path, `${document}\n`);
  if (json) {
    console.log(document);
    return;
  }
  for (const line of lines) console.log(line);
  if (rows.length > 0) console.log(table(rows, { maxRows: PRINTED_ROWS, maxCell: 60 }).text);
  if (rows.length > PRINTED_ROWS && path === undefined) {
    console.log("(--report FILE writes all of them)");
  }
}

/**
 * Numbers a finding for a report: reports count entries from 1, as their tables, reviews and messages do.
 *
 * @param found What was found, with the entry's index.
 * @returns The same with the entry's number first.
 */
export function numbered<Found extends { readonly index: number }>(
  { index, ...found }: Found,
): { entry: number } & Omit<Found, "index"> {
  return { entry: index + 1, ...found };
}

/**
 * The beginning of a text, on one line.
 *
 * @param text The text.
 * @returns At most 60 characters of it.
 */
export function excerpt(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length <= 60 ? line : `${line.slice(0, 59)}…`;
}
