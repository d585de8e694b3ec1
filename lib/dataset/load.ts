/** Data sets from files and servers. */
import { kindOf } from "../kind_of.ts";
import { assertKnownOptions, type OptionNames } from "../options.ts";
import { recordProvenance } from "../provenance.ts";
import type { DatasetEntry } from "./chat_entry.ts";
import type { InstructionEntry } from "./entry.ts";
import { openFiles, unreadable } from "./files/open.ts";
import { readRows } from "./files/rows.ts";
import { type DatasetReport, EntryReader, FIELD_OPTIONS, type FieldOptions } from "./forms/mod.ts";
import { assertInstructions } from "./parse.ts";

/** Options of {@linkcode loadDataset}. */
export interface LoadOptions extends FieldOptions {
  /** Stops a download. */
  signal?: AbortSignal;
}

/** The names of {@linkcode LoadOptions}. */
export const LOAD_OPTIONS: OptionNames<LoadOptions> = { ...FIELD_OPTIONS, signal: true };

/** What {@linkcode readDataset} returns. */
export interface LoadedDataset {
  /** The entries, in the file's order. */
  entries: DatasetEntry[];
  /** What was found in the file. */
  report: DatasetReport;
}

/**
 * Loads instruction entries, as {@linkcode loadDataset} does.
 *
 * @param source As {@linkcode loadDataset} takes it.
 * @param options How fields are read.
 * @returns The entries, in the file's order.
 * @throws {Error} If the source cannot be read or downloaded; the message says which and why.
 * @throws {SyntaxError} If it is not what its name says.
 * @throws {TypeError} If an entry is not an instruction or has a wrong form; the message names the entry.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { loadEntries } from "tunebook";
 *
 * const file = await Deno.makeTempFile({ suffix: ".json" });
 * await Deno.writeTextFile(file, '[{ "instruction": "Name a colour.", "output": "Blue." }]');
 * assertEquals(await loadEntries(file), [
 *   { instruction: "Name a colour.", input: "", output: "Blue." },
 * ]);
 * await Deno.remove(file);
 * ```
 */
export async function loadEntries(
  source: string | URL,
  options: LoadOptions = {},
): Promise<InstructionEntry[]> {
  return assertInstructions(await loadDataset(source, options), String(source));
}

/**
 * Loads entries of any form that `docs/data_forms.md` lists: instructions, conversations and texts, in JSON, JSON Lines, CSV
 * or Parquet, also in gzip. Records the source and its SHA-256 as the run's provenance.
 *
 * @param source A path, an `http:`, `https:` or `file:` URL, `hf:owner/name/FILE[@revision]` or a whole split
 * `hf:owner/name[@revision][:split]` of a data set on the hub, or `"instructions"`: the 1100 entries that come with Tunebook. (A file of that name is `"./instructions"`.)
 * @param options How fields are read.
 * @returns The entries, in the file's order.
 * @throws {Error} If the source cannot be read or downloaded; the message says which and why.
 * @throws {SyntaxError} If it is not what its name says.
 * @throws {TypeError} If an entry has a wrong form, or a field that would be lost; the message names it.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { loadDataset } from "tunebook";
 *
 * const file = await Deno.makeTempFile({ suffix: ".csv" });
 * await Deno.writeTextFile(file, "question,answer\nName a colour.,Blue.\n");
 * const map = { instruction: "question", output: "answer" };
 * assertEquals(await loadDataset(file, { map }), [
 *   { instruction: "Name a colour.", input: "", output: "Blue." },
 * ]);
 * await Deno.remove(file);
 * ```
 */
export async function loadDataset(
  source: string | URL,
  options: LoadOptions = {},
): Promise<DatasetEntry[]> {
  return (await readDataset(source, options)).entries;
}

/**
 * Loads entries as {@linkcode loadDataset} does, and says what was found: forms, fields, what is empty.
 *
 * @param source As {@linkcode loadDataset} takes it.
 * @param options How fields are read.
 * @returns The entries and the report.
 * @throws As {@linkcode loadDataset}.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { readDataset } from "tunebook/data";
 *
 * const { entries, report } = await readDataset("instructions");
 * assertEquals([entries.length, report.forms], [1100, { alpaca: 1100 }]);
 * ```
 */
export async function readDataset(
  source: string | URL,
  options: LoadOptions = {},
): Promise<LoadedDataset> {
  assertKnownOptions("load entries", options, LOAD_OPTIONS);
  if (typeof source !== "string" && !(source instanceof URL)) {
    throw new TypeError(`Cannot load entries from ${kindOf(source)}: expected a path or a URL`);
  }
  const { signal, ...fields } = options;
  const { name, files } = await openFiles(source, { signal });
  const reader = new EntryReader(name, fields);
  const entries: DatasetEntry[] = [];
  const hashes: { source: string; sha256: string }[] = [];
  let notice: string | undefined;
  for await (const file of files) {
    for await (const row of readRows(file)) {
      const entry = reader.read(row);
      if (entry !== undefined) entries.push(entry);
    }
    hashes.push({ source: file.name, sha256: file.sha256() });
    notice ??= file.notice;
  }
  const report = { ...reader.finish(), ...(notice !== undefined && { notice }) };
  await recordProvenance("data", {
    source: name,
    ...(hashes.length === 1 ? { sha256: hashes[0].sha256 } : { files: hashes }),
    entries: entries.length,
    // What was read in another way than the file says is part of how a result was made.
    ...(Object.keys(fields).length > 0 && { fields }),
  });
  return { entries, report };
}

/**
 * Reads a text file, with a clear error if that fails.
 *
 * @param path The file's path, or a `file:` URL.
 * @returns The text.
 * @throws {Error} If the file cannot be read.
 * @throws {SyntaxError} If it is not UTF-8.
 */
export async function readText(path: string | URL): Promise<string> {
  let bytes: Uint8Array;
  try {
    bytes = await Deno.readFile(path);
  } catch (error) {
    throw unreadable(path, error);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw new SyntaxError(`Cannot read "${path}": it is not UTF-8 text`, { cause: error });
  }
}
