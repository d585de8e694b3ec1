/**
 * Fills the tables of `docs/data_forms.md` from the forms in the code.
 *
 *     npx -y deno@2.9.6 run -A tests/data_forms_page.ts
 *
 * @module
 */

import { CARRIED_FIELDS } from "../lib/dataset/entry.ts";
import { MESSAGE_FIELDS } from "../lib/dataset/forms/conversation.ts";
import { FORMS, PREFERENCE_FORMS } from "../lib/dataset/forms/mod.ts";
import { parseDataset, parsePreferences } from "../lib/dataset/parse.ts";
import { WRITTEN_ENDINGS } from "../lib/dataset/write.ts";

/** The page. */
export const PAGE: URL = new URL("../docs/data_forms.md", import.meta.url);

/** What stands between `<!-- NAME -->` and `<!-- /NAME -->`. */
const PARTS: Readonly<Record<string, () => string>> = {
  forms: () => FORMS.map((form) => formSection(form, parseDataset)).join("\n"),
  preferences: () => PREFERENCE_FORMS.map((form) => formSection(form, parsePreferences)).join("\n"),
  messages: () => `| Field of a message | What it becomes |\n|---|---|\n${rows(MESSAGE_FIELDS)}`,
  carried: () => CARRIED_FIELDS.map((field) => `\`${field}\``).join(", "),
  endings: () => WRITTEN_ENDINGS.map((ending) => `\`${ending}\``).join(", "),
};

function rows(fields: Readonly<Record<string, string>>): string {
  return Object.entries(fields).map(([field, text]) => `| \`${field}\` | ${text} |`).join("\n");
}

function formSection(
  { title, fields, example }: Pick<(typeof FORMS)[number], "title" | "fields" | "example">,
  parse: (text: string) => readonly unknown[],
): string {
  const [entry] = parse(JSON.stringify([example]));
  const heading = title[0].toUpperCase() + title.slice(1);
  const code = (value: unknown) => `\`\`\`json\n${JSON.stringify(value)}\n\`\`\``;
  return [
    `### ${heading}\n`,
    `| Field | What it becomes |\n|---|---|\n${rows(fields)}\n`,
    `${code(example)}\n\nbecomes\n\n${code(entry)}\n`,
  ].join("\n");
}

/**
 * The page with its tables.
 *
 * @param text The page as it is.
 * @returns The page as it should be.
 * @throws {Error} If it lacks the place of a table.
 */
export function fillPage(text: string): string {
  let filled = text;
  for (const [name, part] of Object.entries(PARTS)) {
    const place = new RegExp(`(<!-- ${name} -->)[^]*?(<!-- /${name} -->)`);
    if (!place.test(filled)) throw new Error(`docs/data_forms.md has no place for "${name}"`);
    const space = name === "carried" || name === "endings" ? "" : "\n\n";
    filled = filled.replace(place, (_, start, end) => start + space + part() + space + end);
  }
  return filled;
}

if (import.meta.main) {
  await Deno.writeTextFile(PAGE, fillPage(await Deno.readTextFile(PAGE)));
}
