/** Data sets from files and URLs. */
import { kindOf } from "../kind_of.ts";
import { recordProvenance } from "../provenance.ts";
import { type DatasetEntry, parseDataset } from "./chat_entry.ts";
import { type InstructionEntry, parseEntries } from "./entry.ts";
import { assertKnownOptions, type OptionNames } from "../options.ts";

/** The name of the data that comes with the library, as `nano` is the model's. */
const EMBEDDED_NAME = "instructions";

/** Options of {@linkcode loadEntries}. */
export interface LoadOptions {
  /** Stops a download. */
  signal?: AbortSignal;
}

/** The names of {@linkcode LoadOptions}. */
export const LOAD_OPTIONS: OptionNames<LoadOptions> = { signal: true };

/**
 * Loads instruction entries from a JSON file or URL, and records the source and its SHA-256 as the
 * run's provenance.
 *
 * @param source A path, an `http:`, `https:` or `file:` URL, or `"instructions"`: the 1100 entries that
 * come with Tunebook. (A file of that name is `"./instructions"`.)
 * @param options Stops a download.
 * @returns The entries, in the file's order.
 * @throws {Error} If the source cannot be read or downloaded; the message says which and why.
 * @throws {SyntaxError} If it is not UTF-8 or not JSON.
 * @throws {TypeError} If an entry has a wrong form; the message names the entry.
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
  return await load(source, options, parseEntries);
}

/**
 * Loads entries of any kind, instructions and conversations, as {@linkcode loadEntries} does.
 *
 * @param source A path, an `http:`, `https:` or `file:` URL, or `"instructions"`: the 1100 entries that
 * come with Tunebook. (A file of that name is `"./instructions"`.)
 * @param options Stops a download.
 * @returns The entries, in the file's order.
 * @throws {Error} If the source cannot be read or downloaded; the message says which and why.
 * @throws {SyntaxError} If it is not UTF-8 or not JSON.
 * @throws {TypeError} If an entry has a wrong form; the message names the entry.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { loadDataset } from "tunebook";
 *
 * const messages = [{ role: "user", content: "Hi" }, { role: "assistant", content: "Hello." }];
 * const file = await Deno.makeTempFile({ suffix: ".json" });
 * await Deno.writeTextFile(file, JSON.stringify([{ messages }]));
 * assertEquals(await loadDataset(file), [{ messages }]);
 * await Deno.remove(file);
 * ```
 */
export async function loadDataset(
  source: string | URL,
  options: LoadOptions = {},
): Promise<DatasetEntry[]> {
  return await load(source, options, parseDataset);
}

async function load<T>(
  source: string | URL,
  options: LoadOptions,
  parse: (text: string, name: string) => T[],
): Promise<T[]> {
  assertKnownOptions("load entries", options, LOAD_OPTIONS);
  if (typeof source !== "string" && !(source instanceof URL)) {
    throw new TypeError(`Cannot load entries from ${kindOf(source)}: expected a path or a URL`);
  }
  const { bytes, name } = await loadBytes(source, options);
  const entries = parse(decodeUtf8(bytes, name), name);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  await recordProvenance("data", { source: name, sha256: digest.toHex(), entries: entries.length });
  return entries;
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
  return decodeUtf8(await readBytes(path), String(path));
}

async function loadBytes(
  source: string | URL,
  { signal }: LoadOptions,
): Promise<{ bytes: Uint8Array<ArrayBuffer>; name: string }> {
  if (source === EMBEDDED_NAME) {
    const home = new URL("../../data/instructions/instruction-data.json", import.meta.url);
    return { ...await loadBytes(home, { signal }), name: EMBEDDED_NAME };
  }
  const url = source instanceof URL || /^(https?|file):\/\//i.test(source) ? new URL(source) : null;
  if (url === null) return { bytes: await readBytes(source), name: String(source) };
  if (url.protocol === "file:") return { bytes: await readBytes(url), name: url.href };
  const name = withoutCredentials(url);
  try {
    const response = await fetch(url, { signal });
    if (!response.ok) {
      await response.body?.cancel();
      throw new Error(`the server answered ${response.status} ${response.statusText}`.trim());
    }
    return { bytes: await response.bytes(), name };
  } catch (error) {
    signal?.throwIfAborted();
    throw new Error(`Cannot download "${name}": ${(error as Error).message}`, { cause: error });
  }
}

async function readBytes(path: string | URL): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await Deno.readFile(path);
  } catch (error) {
    const reason = error instanceof Deno.errors.NotFound
      ? "there is no such file"
      : error instanceof Deno.errors.IsADirectory
      ? "it is a directory"
      : (error as Error).message;
    throw new Error(`Cannot read "${path}": ${reason}`, { cause: error });
  }
}

function decodeUtf8(bytes: Uint8Array, name: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw new SyntaxError(`Cannot read "${name}": it is not UTF-8 text`, { cause: error });
  }
}

/** The URL without credentials, for messages and provenance. */
function withoutCredentials(url: URL): string {
  const bare = new URL(url);
  bare.username = bare.password = "";
  return bare.href;
}
