/**
 * Responses on disk: `instruction-data-with-response.json`, in the format of Raschka's chapter 7.
 */
import { z } from "zod";
import { type InstructionEntry, parseValues } from "../dataset/entry.ts";
import { parseJsonRows } from "../dataset/files/json.ts";
import { readText } from "../dataset/load.ts";
import { writeFileBeside } from "../write_beside.ts";

/** An entry with a model's answer. */
export interface ResponseEntry extends InstructionEntry {
  /** The model's answer. */
  model_response: string;
}

/** Other fields are kept, so that a file that is read and written again loses nothing. */
const schema = z.looseObject({
  instruction: z.string(),
  input: z.string().default(""),
  output: z.string(),
  model_response: z.string(),
});

/**
 * Reads responses from JSON text.
 *
 * @param text The JSON text.
 * @param name The text's name in errors.
 * @returns The entries, with all other fields.
 * @throws {SyntaxError} If the text is not JSON.
 * @throws {TypeError} If an entry has another form; the message names the entry and the field.
 */
export function parseResponses(text: string, name = "responses"): ResponseEntry[] {
  return parseValues<ResponseEntry>(parseJsonRows(text, name), name, schema);
}

/**
 * Reads responses from a file.
 *
 * @param path The file.
 * @returns The entries.
 * @throws {Error} If the file cannot be read.
 * @throws {SyntaxError} If it is not UTF-8 or not JSON.
 * @throws {TypeError} If an entry has a wrong form; the message names the entry.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { readResponses } from "tunebook/eval";
 *
 * const file = await Deno.makeTempFile({ suffix: ".json" });
 * await Deno.writeTextFile(
 *   file,
 *   '[{ "instruction": "Name a colour.", "output": "Blue.", "model_response": "Red." }]',
 * );
 * assertEquals((await readResponses(file))[0].model_response, "Red.");
 * await Deno.remove(file);
 * ```
 */
export async function readResponses(path: string): Promise<ResponseEntry[]> {
  return parseResponses(await readText(path), path);
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
