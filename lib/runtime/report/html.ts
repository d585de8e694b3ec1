// Small helpers for writing HTML: escaping text, and data inside script elements.

import { escape } from "@std/html/entities";

/**
 * Escapes text for HTML, in content and in quoted attributes.
 *
 * @param text Any text. Characters that no HTML file may hold become U+FFFD.
 * @returns Text without markup.
 */
export function escapeHtml(text: string): string {
  // deno-lint-ignore no-control-regex
  return escape(text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "\ufffd"));
}

/**
 * Writes a value as JSON that is safe in a `<script>` element of a data type.
 *
 * @param value Any JSON value.
 * @returns JSON in which nothing can end the element or begin a comment.
 */
export function embeddedJson(value: unknown): string {
  return JSON.stringify(value).replace(/</g, "\\u003c").replace(/\u2028/g, "\\u2028")
    .replace(/\u2029/g, "\\u2029");
}

/**
 * The text of sanitised HTML.
 *
 * @param html HTML from the sanitiser.
 * @returns Its text, blanks folded, formulas without their TeX.
 */
export function textOf(html: string): string {
  return html.replace(/<annotation[^>]*>[\s\S]*?<\/annotation>/g, "").replace(/<[^>]*>/g, "")
    .replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&quot;/g, '"').replace(/&amp;/g, "&")
    .replace(/\s+/g, " ").trim();
}
