// Colours and escaping for all views. Every colour is legible on light and dark pages.

import { escape } from "@std/html/entities";

/**
 * Series colours, each with a contrast of at least 3:1 both on white and on #111 (WCAG 1.4.11), so
 * that one picture serves light and dark pages.
 */
export const palette: readonly string[] = [
  "#3b7dd8",
  "#d9692a",
  "#2a9461",
  "#9467d4",
  "#d9534f",
  "#1b8f9e",
  "#c2569a",
  "#8a8222",
];

/** The colour of warnings, such as a loss that is not a number. */
export const warning = "#e0413c";

/** A grey that is visible on light and dark pages. */
export const gridColor = "rgba(128,128,128,0.25)";

/** The system's own fonts, so that nothing is downloaded. */
export const sansSerif = "system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif";

/** For tokens and code. */
export const monospace = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace";

// Characters that XML forbids, including lone surrogates: an SVG that is parsed as XML fails
// completely on the first of them.
// deno-lint-ignore no-control-regex
const notXml = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]|\p{Surrogate}/gu;

/**
 * Escapes text for HTML and XML, in content and in quoted attributes.
 *
 * @param text Any string, including hostile ones.
 * @returns Text without markup; characters that XML forbids become U+FFFD.
 */
export function escapeHtml(text: string): string {
  return escape(text.replace(notXml, "\uFFFD"));
}

/**
 * A count with its noun.
 *
 * @param count How many.
 * @param noun One of them; the plural takes an s.
 * @returns For example `1 token`, `1,100 tokens`.
 */
export function plural(count: number, noun: string): string {
  return `${formatNumber(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/**
 * Formats a number for people: at most four significant digits, but all digits of thousands.
 *
 * @param value Any number.
 * @returns For example `0.6931`, `1,100`, `3.2e-7`, `NaN`.
 */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return String(value).replace("Infinity", "∞");
  if (Number.isInteger(value) && Math.abs(value) < 1e15) return value.toLocaleString("en-US");
  const size = Math.abs(value);
  if (size >= 1e-4 && size < 1e15) {
    if (size >= 1000) return Math.round(value).toLocaleString("en-US");
    return String(Number(value.toPrecision(4)));
  }
  return value.toExponential(2).replace(/\.?0+e/, "e").replace("e+", "e");
}
