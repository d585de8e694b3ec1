// Reading a data set for a subcommand.

import { type Command, InvalidArgumentError, Option } from "commander";
import {
  type DatasetEntry,
  type DatasetReport,
  describeReport,
  type FieldOptions,
  type PreferenceEntry,
  readDataset,
  readPreferences,
} from "../dataset/mod.ts";
import { readCount } from "./arguments.ts";

/** What the options of {@linkcode addFieldOptions} give. */
export interface DataOptions {
  map?: Readonly<Record<string, string>>;
  ignore?: readonly string[];
  keep?: readonly string[];
}

/** The option that names the data. */
export function dataOption(): Option {
  return new Option(
    "--data <file|url>",
    "the instructions, conversations or texts, in JSON, JSON Lines, CSV or Parquet, from a file, a URL or " +
      'hf:owner/name/FILE, or a split hf:owner/name:train; "instructions": those that come with Tunebook',
  );
}

/** The option that takes a part of the data, for a first look. */
export function limitOption(): Option {
  return new Option("--limit <n>", "take only the first n entries").argParser(readCount);
}

/**
 * Adds the options that say how fields are read.
 *
 * @param command The subcommand.
 */
export function addFieldOptions(command: Command): void {
  command
    .option(
      "--map <field=column>",
      "read a column that has another name as a field, such as instruction=question; may be repeated",
      readMapping,
    )
    .option(
      "--ignore <field>",
      "leave out a field that would otherwise be refused; may be repeated",
      append,
    )
    .option(
      "--keep <field>",
      "carry along a field that is not learnt, such as a difficulty; may be repeated",
      append,
    );
}

function append(value: string, others: string[] = []): string[] {
  return [...others, value];
}

function readMapping(text: string, others: Record<string, string> = {}): Record<string, string> {
  const [, field, column] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  if (field === undefined) {
    throw new InvalidArgumentError("Expected field=column, such as instruction=question.");
  }
  if (Object.hasOwn(others, field)) throw new InvalidArgumentError(`"${field}" is mapped twice.`);
  return { ...others, [field]: column };
}

/**
 * Reads a data set as the options of a subcommand say, and prints what is to be known about it on standard error.
 *
 * @param source A file, a URL, or `"instructions"`.
 * @param options How fields are read, and the signal that stops a download.
 * @returns The entries.
 */
export async function readData(
  source: string,
  options: DataOptions & { signal?: AbortSignal } = {},
): Promise<DatasetEntry[]> {
  const { signal } = options;
  const { entries, report } = await readDataset(source, { ...fieldOptions(options), signal });
  // The form that the library's own data have needs no saying.
  say(report, Object.keys(report.forms).join() !== "alpaca");
  return entries;
}

/**
 * Reads pairs of answers as {@linkcode readData} reads entries.
 *
 * @param source A file or a URL.
 * @param options How fields are read, and the signal that stops a download.
 * @returns The pairs.
 */
export async function readPairs(
  source: string,
  options: DataOptions & { signal?: AbortSignal } = {},
): Promise<PreferenceEntry[]> {
  const { signal } = options;
  const { entries, report } = await readPreferences(source, { ...fieldOptions(options), signal });
  say(report, true);
  return entries;
}

function say(report: DatasetReport, withForms: boolean): void {
  const [forms, ...notes] = describeReport(report);
  if (withForms) console.error(`Data: ${forms}`);
  for (const note of notes) console.error(`Note: ${note}`);
}

/**
 * The options for the library.
 *
 * @param options Those of the command line.
 * @returns How fields are read.
 */
export function fieldOptions({ map, ignore, keep }: DataOptions): FieldOptions {
  return { ...(map && { map }), ...(ignore && { ignore }), ...(keep && { keep }) };
}
