// Code with its syntax highlighted, as markup whose colours are in the report's style sheet.

import hljs from "highlight.js/lib/common";
import { escapeHtml } from "./html.ts";

/**
 * Longer code, and code with longer lines, is shown without colours: the grammars' expressions take
 * quadratic time for some text.
 */
const MAX_HIGHLIGHTED = 20_000;
const MAX_LINE = 500;

/**
 * Highlights code.
 *
 * @param code The code.
 * @param language A language's name or alias, for example `"typescript"` or `"ts"`; unknown ones get no colours.
 * @returns HTML for the inside of a `<code>` element.
 */
export function highlight(code: string, language: string): string {
  const name = language.trim().toLowerCase();
  if (
    code.length > MAX_HIGHLIGHTED || hljs.getLanguage(name) === undefined ||
    code.split("\n").some((line) => line.length > MAX_LINE)
  ) return escapeHtml(code);
  try {
    return hljs.highlight(code, { language: name, ignoreIllegals: true }).value;
  } catch {
    return escapeHtml(code);
  }
}
