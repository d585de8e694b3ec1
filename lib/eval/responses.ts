/**
 * Responses on disk: `instruction-data-with-response.json`, in the format of Raschka's chapter 7, and any other file that has
 * a model's answer beside the fields of an entry.
 *
 * @module
 */
import { isChatEntry, isTextEntry } from "../dataset/chat_entry.ts";
import type { InstructionEntry } from "../dataset/entry.ts";
import { openFile } from "../dataset/files/open.ts";
import { Fault, isObject, toText } from "../dataset/forms/form.ts";
import { EntryReader, FORMS } from "../dataset/forms/mod.ts";
import { LOAD_OPTIONS, type LoadOptions } from "../dataset/load.ts";
import type { DatasetEntry } from "../dataset/mod.ts";
import { assertKnownOptions } from "../options.ts";
import { writeFileBeside } from "../write_beside.ts";

/** An entry with a model's answer. */
export interface ResponseEntry extends InstructionEntry {
  /** The model's answer. */
  model_response: string;
}

/** The field of the answer. */
const ANSWER = "model_response";

/**
 * Reads responses from a file of any kind and form that `loadDataset()` reads, with a model's answer, `model_response`, beside
 * the fields of each entry. Fields that no form has are carried along.
 *
 * @param source As `loadDataset()` takes it.
 * @param options How fields are read: `map: { model_response: "prediction" }` for an answer of another name.
 * @returns The entries; a conversation also has its last question and answer as instruction and output.
 * @throws {Error} If the file cannot be read.
 * @throws {SyntaxError} If it is not what its name says.
 * @throws {TypeError} If an entry has a wrong form, is a text, or lacks an answer; the message names the entry.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { readResponses } from "tunebook/eval";
 *
 * const file = await Deno.makeTempFile({ suffix: ".csv" });
 * await Deno.writeTextFile(file, "prompt,completion,model_response\nName a colour.,Blue.,Red.\n");
 * const [{ output, model_response }] = await readResponses(file);
 * assertEquals([output, model_response], ["Blue.", "Red."]);
 * await Deno.remove(file);
 * ```
 */
export async function readResponses(
  source: string | URL,
  options: LoadOptions = {},
): Promise<ResponseEntry[]> {
  assertKnownOptions("read responses", options, LOAD_OPTIONS);
  const { signal, ...fields } = options;
  const { readRows } = await import("../dataset/files/rows.ts"); // when it is needed
  const file = await openFile(source, { signal });
  const rows = await Array.fromAsync(readRows(file));
  // Fields of an entry are read as its form says; all others, such as the tokens of a log, are carried along.
  const keep = new Set(rows.flatMap((row) => isObject(row) ? Object.keys(row) : []));
  const reader = new EntryReader(file.name, { ...fields, keep: [...keep, ANSWER] }, FORMS);
  const entries = rows.map((row) => reader.read(row));
  reader.finish();
  const column = fields.map?.[ANSWER] ?? ANSWER;
  return entries.map((entry, i) => {
    const answer = (rows[i] as Record<string, unknown>)[column];
    try {
      return withResponse(entry!, toText(answer, column));
    } catch (error) {
      if (!(error instanceof Fault || error instanceof TypeError)) throw error;
      throw new TypeError(
        `Cannot read "${file.name}": entry ${i + 1} of ${rows.length}: ${error.message}`,
        { cause: error },
      );
    }
  });
}

/**
 * Adds a model's answer to an entry. A conversation also gets its last question and answer as instruction and output.
 *
 * @param entry The entry.
 * @param response The answer.
 * @returns What {@linkcode writeResponses} writes.
 * @throws {TypeError} If the entry is a text.
 */
export function withResponse(entry: DatasetEntry, response: string): ResponseEntry {
  if (isTextEntry(entry)) throw new TypeError("Cannot answer a text: it asks nothing");
  if (!isChatEntry(entry)) return { ...entry, model_response: response };
  const last = (role: string) => entry.messages.findLast((one) => one.role === role)?.content ?? "";
  return {
    instruction: last("user"),
    input: "",
    output: last("assistant"),
    ...entry,
    model_response: response,
  };
}

/**
 * Writes responses to a file atomically.
 *
 * @param path The file.
 * @param entries The entries.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { writeResponses } from "tunebook";
 * import { readResponses } from "tunebook/eval";
 *
 * const answered = [
 *   { instruction: "Name a colour.", input: "", output: "Blue.", model_response: "Red." },
 * ];
 * const file = await Deno.makeTempFile({ suffix: ".json" });
 * await writeResponses(file, answered);
 * assertEquals(await readResponses(file), answered);
 * await Deno.remove(file);
 * ```
 */
export async function writeResponses(
  path: string,
  entries: readonly ResponseEntry[],
): Promise<void> {
  await writeFileBeside(path, formatResponses(entries));
}

/**
 * Responses as JSON text, byte for byte as Python's `json.dump(entries, file, indent=4)` writes them:
 * four spaces per level, non-ASCII characters escaped, no newline at the end.
 *
 * @param entries The entries.
 * @returns The text.
 */
export function formatResponses(entries: readonly ResponseEntry[]): string {
  return JSON.stringify(entries, null, 4).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/**
 * Cleans a model's raw continuation, as Raschka's chapter 7 does: removes response markers and
 * surrounding white space.
 *
 * @param text What the model wrote after the prompt.
 * @returns The response.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { cleanResponse } from "tunebook";
 *
 * assertEquals(cleanResponse("### Response:\n Foxes. "), "Foxes.");
 * ```
 */
export function cleanResponse(text: string): string {
  return text.replaceAll("### Response:", "").trim();
}
