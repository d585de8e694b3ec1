// Completions in the form of the Jupyter protocol.

import type { CompletionItem, LanguageServer } from "./language_server.ts";
import { cursorOf, offsetOf, placeOf } from "./places.ts";

/** The content of a `complete_reply`. */
export interface Completions {
  matches: string[];
  /** The range that a match replaces, in characters. */
  cursor_start: number;
  cursor_end: number;
  /** The same matches with kinds and types, under the key that JupyterLab reads. */
  metadata: Record<string, unknown>;
}

/** How many completions are sent with their type. */
const WITH_TYPES = 12;
/** The most completions in a reply: nobody reads a longer list. */
const MOST = 500;

const KINDS: Record<number, string> = {
  2: "method",
  3: "function",
  5: "property",
  6: "variable",
  7: "class",
  8: "interface",
  9: "module",
  10: "property",
  13: "enum",
  14: "keyword",
  17: "file",
  19: "folder",
  20: "constant",
  21: "constant",
  22: "class",
  25: "type",
};

/**
 * Completes code.
 *
 * @param server The language server.
 * @param uri The module that holds it.
 * @param code The cell's text.
 * @param cursor Where the cursor is, in characters.
 */
export async function complete(
  server: LanguageServer,
  uri: string,
  code: string,
  cursor: number,
): Promise<Completions> {
  const offset = offsetOf(code, cursor);
  const word = /[\p{ID_Continue}$#]*$/u.exec(code.slice(0, offset))![0];
  const place = placeOf(code, cursor);
  const start = place.character - word.length;
  const found = (await server.complete(uri, place)).map((item) => ({
    item,
    text: replacement(item, code, offset - word.length, start),
  }));
  const exact = found.filter(({ text }) => text.startsWith(word));
  const near = found.filter(({ text }) => text.toLowerCase().startsWith(word.toLowerCase()));
  const chosen = (exact.length > 0 ? exact : near)
    .sort((a, b) =>
      compare(a.item.sortText ?? "", b.item.sortText ?? "") || compare(a.text, b.text)
    )
    .slice(0, MOST);
  const types = await Promise.all(
    chosen.slice(0, WITH_TYPES).map(({ item }) => server.resolve(item).catch(() => item)),
  );
  const end = cursor;
  const begin = cursorOf(code, offset - word.length);
  const experimental = chosen.map(({ item, text }, index) => ({
    start: begin,
    end,
    text,
    type: KINDS[item.kind ?? 0] ?? "",
    signature: types[index]?.detail ?? "",
  }));
  return {
    matches: [...new Set(chosen.map(({ text }) => text))],
    cursor_start: begin,
    cursor_end: end,
    metadata: { _jupyter_types_experimental: experimental },
  };
}

/** The text that replaces the word before the cursor. */
function replacement(item: CompletionItem, code: string, from: number, start: number): string {
  const edit = item.textEdit;
  const range = edit?.range ?? edit?.replace;
  if (edit === undefined || range === undefined) return item.insertText ?? item.label;
  // The server replaces a path from its beginning, but only the last word is replaced here.
  const before = code.slice(from - Math.max(0, start - range.start.character), from);
  return edit.newText.startsWith(before) ? edit.newText.slice(before.length) : edit.newText;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
