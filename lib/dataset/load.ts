/** Data sets from files and servers. */
import { kindOf } from "../kind_of.ts";
import { assertKnownOptions, type OptionNames } from "../options.ts";
import { recordProvenance } from "../provenance.ts";
import type { DatasetEntry } from "./chat_entry.ts";
import type { InstructionEntry } from "./entry.ts";
import { openFiles, unreadable } from "./files/open.ts";
import type { Form } from "./forms/form.ts";
import {
  type DatasetReport,
  EntryReader,
  FIELD_OPTIONS,
  type FieldOptions,
  FORMS,
  PREFERENCE_FORMS,
} from "./forms/mod.ts";
import { rememberOrigin } from "./origin.ts";
import { assertInstructions } from "./parse.ts";
import type { PreferenceEntry } from "./preferences.ts";

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
  return await readForms(source, options, FORMS);
}

/**
 * Loads preferences, from files as {@linkcode loadDataset} takes them: rows with `prompt`, `chosen` and `rejected`, as texts
 * or as messages. The prompt may be left out where both answers begin with it.
 *
 * @param source As {@linkcode loadDataset} takes it.
 * @param options How fields are read.
 * @returns The preferences, in the file's order.
 * @throws {Error} If the source cannot be read or downloaded; the message says which and why.
 * @throws {SyntaxError} If it is not what its name says.
 * @throws {TypeError} If an entry is not a preference, or has a field that would be lost; the message names it.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { loadPreferences } from "tunebook/data";
 *
 * const file = await Deno.makeTempFile({ suffix: ".jsonl" });
 * const preference = { prompt: "Name a colour.", chosen: "Blue.", rejected: "A colour is blue." };
 * await Deno.writeTextFile(file, JSON.stringify(preference));
 * assertEquals(await loadPreferences(file), [preference]);
 * await Deno.remove(file);
 * ```
 */
export async function loadPreferences(
  source: string | URL,
  options: LoadOptions = {},
): Promise<PreferenceEntry[]> {
  return (await readPreferences(source, options)).entries;
}

/** What {@linkcode readPreferences} returns. */
export interface LoadedPreferences {
  /** The preferences, in the file's order. */
  entries: PreferenceEntry[];
  /** What was found in the file. */
  report: DatasetReport;
}

/**
 * Loads preferences as {@linkcode loadPreferences} does, and says what was found.
 *
 * @param source As {@linkcode loadDataset} takes it.
 * @param options How fields are read.
 * @returns The preferences and the report.
 * @throws As {@linkcode loadPreferences}.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { readPreferences } from "tunebook/data";
 *
 * const file = await Deno.makeTempFile({ suffix: ".jsonl" });
 * const preference = { prompt: "Name a colour.", chosen: "Blue.", rejected: "A colour is blue." };
 * await Deno.writeTextFile(file, JSON.stringify(preference));
 * const { entries, report } = await readPreferences(file);
 * assertEquals([entries.length, report.entries], [1, 1]);
 * await Deno.remove(file);
 * ```
 */
export async function readPreferences(
  source: string | URL,
  options: LoadOptions = {},
): Promise<LoadedPreferences> {
  return await readForms(source, options, PREFERENCE_FORMS);
}

/** Reads entries of some forms. */
async function readForms<Entry extends DatasetEntry | PreferenceEntry>(
  source: string | URL,
  options: LoadOptions,
  forms: readonly Form<Entry>[],
): Promise<{ entries: Entry[]; report: DatasetReport }> {
  assertKnownOptions("load entries", options, LOAD_OPTIONS);
  if (typeof source !== "string" && !(source instanceof URL)) {
    throw new TypeError(`Cannot load entries from ${kindOf(source)}: expected a path or a URL`);
  }
  const { signal, ...fields } = options;
  const { readRows } = await import("./files/rows.ts"); // when it is needed
  const { name, files } = await openFiles(source, { signal });
  const reader = new EntryReader(name, fields, forms);
  const entries: Entry[] = [];
  const hashes: { source: string; sha256: string }[] = [];
  let notice: string | undefined;
  for await (const file of files) {
    const before = entries.length;
    for await (const row of readRows(file)) {
      const entry = reader.read(row);
      if (entry !== undefined) entries.push(entry);
    }
    const sha256 = file.sha256();
    rememberOrigin(entries.slice(before), file.name, sha256);
    hashes.push({ source: file.name, sha256 });
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
