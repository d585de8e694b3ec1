/** Responses on disk: `instruction-data-with-response.json`, as the reference writes and reads it. */
import { z } from "zod";
import { type InstructionEntry, parseEntriesAs } from "../dataset/entry.ts";
import { readText } from "../dataset/load.ts";
import { writeFileBeside } from "../write_beside.ts";

/** An entry with what a model answered. */
export interface ResponseEntry extends InstructionEntry {
  /** The model's answer. */
  model_response: string;
}

/** Other fields are kept: a file that is read and written again loses nothing. */
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
 * @param name What the text is called in errors.
 * @returns The entries, with any other fields that they have.
 * @throws {SyntaxError} If the text is not JSON.
 * @throws {TypeError} If an entry is not of that form; the message names the entry and the field.
 */
export function parseResponses(text: string, name = "responses"): ResponseEntry[] {
  return parseEntriesAs<ResponseEntry>(text, name, schema);
}

/**
 * Reads responses from a file.
 *
 * @param path The file.
 * @returns The entries.
 * @throws {Error} If the file cannot be read.
 * @throws {SyntaxError} If it is not UTF-8 or not JSON.
 * @throws {TypeError} If an entry is not of the right form; the message names the entry.
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
 * Writes responses to a file, whole or not at all.
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
 * four spaces a level, everything outside ASCII escaped, no line end at the end.
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
 * A model's raw continuation as a response, as the reference cleans it: without response markers and
 * white space around.
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
