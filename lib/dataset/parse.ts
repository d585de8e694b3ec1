/** Data sets from text that is already in memory. */
import type { DatasetEntry } from "./chat_entry.ts";
import { isChatEntry, isTextEntry } from "./chat_entry.ts";
import type { InstructionEntry } from "./entry.ts";
import { parseJsonRows } from "./files/json.ts";
import type { Form } from "./forms/form.ts";
import { EntryReader, type FieldOptions, FORMS, PREFERENCE_FORMS } from "./forms/mod.ts";
import type { PreferenceEntry } from "./preferences.ts";

/**
 * Reads instruction entries from JSON or JSON Lines, as {@linkcode parseDataset} does.
 *
 * @param text The text.
 * @param name The text's name in errors, for example that of the file.
 * @param options How fields are read.
 * @returns The entries, in the text's order.
 * @throws {SyntaxError} If the text is not JSON.
 * @throws {TypeError} If an entry is not an instruction or has a wrong form; the message names the entry and the field.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseEntries } from "tunebook/data";
 *
 * const entries = parseEntries('[{"instruction": "Add 1 and 2.", "output": "3"}]');
 * assertEquals(entries, [{ instruction: "Add 1 and 2.", input: "", output: "3" }]);
 * ```
 */
export function parseEntries(
  text: string,
  name = "data",
  options: FieldOptions = {},
): InstructionEntry[] {
  return assertInstructions(parseDataset(text, name, options), name);
}

/**
 * Reads entries of any form from JSON, one array of them, or JSON Lines.
 *
 * @param text The text.
 * @param name The text's name in errors, for example that of the file.
 * @param options How fields are read.
 * @returns The entries, in the text's order.
 * @throws {SyntaxError} If the text is not JSON.
 * @throws {TypeError} If an entry has no form that is known, or a field that its form does not understand; the message
 * names the entry and the field.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseDataset } from "tunebook/data";
 *
 * const [entry] = parseDataset('{"conversations": [{"from": "human", "value": "Hi"}]}');
 * assertEquals(entry, { messages: [{ role: "user", content: "Hi" }] });
 * ```
 */
export function parseDataset(
  text: string,
  name = "data",
  options: FieldOptions = {},
): DatasetEntry[] {
  return parseForms(text, name, options, FORMS);
}

/**
 * Reads preferences from JSON, one array of them, or JSON Lines, as `loadPreferences()` does from files.
 *
 * @param text The text.
 * @param name The text's name in errors, for example that of the file.
 * @param options How fields are read.
 * @returns The preferences, in the text's order.
 * @throws {SyntaxError} If the text is not JSON.
 * @throws {TypeError} If an entry is not a preference, or has a field that would be lost; the message names it.
 *
 * @example A prompt that both answers begin with
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parsePreferences } from "tunebook/data";
 *
 * const user = { role: "user", content: "Name a colour." };
 * const answer = (content: string) => ({ role: "assistant", content });
 * const row = { chosen: [user, answer("Blue.")], rejected: [user, answer("No.")] };
 * assertEquals(parsePreferences(JSON.stringify(row)), [
 *   { prompt: [user], chosen: [answer("Blue.")], rejected: [answer("No.")] },
 * ]);
 * ```
 */
export function parsePreferences(
  text: string,
  name = "data",
  options: FieldOptions = {},
): PreferenceEntry[] {
  return parseForms(text, name, options, PREFERENCE_FORMS);
}

function parseForms<Entry extends DatasetEntry | PreferenceEntry>(
  text: string,
  name: string,
  options: FieldOptions,
  forms: readonly Form<Entry>[],
): Entry[] {
  const reader = new EntryReader(name, options, forms);
  const entries = parseJsonRows(text, name).map((row) => reader.read(row));
  reader.finish();
  return entries as Entry[]; // what could not be read has been thrown
}

/**
 * Refuses entries that are not instructions.
 *
 * @param entries The entries.
 * @param name Their name in errors.
 * @returns The entries.
 * @throws {TypeError} If one is a conversation or a text.
 */
export function assertInstructions(
  entries: readonly DatasetEntry[],
  name: string,
): InstructionEntry[] {
  return entries.map((entry, i) => {
    if (!isChatEntry(entry) && !isTextEntry(entry)) return entry;
    const kind = isChatEntry(entry) ? "a conversation" : "a text";
    throw new TypeError(
      `Cannot read "${name}": entry ${
        i + 1
      } of ${entries.length} is ${kind}, expected an instruction; ` +
        "loadDataset() reads all kinds",
    );
  });
}
