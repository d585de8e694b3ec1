// Terminal text (streams, tracebacks): colours from ANSI escapes, lines rewritten by progress bars.

import { AnsiUp } from "ansi_up";

/** How much of one text is shown; the rest stays in the notebook that the report carries. */
const MAX_SHOWN = 200_000;

// deno-lint-ignore no-control-regex
const ESCAPES = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[@-Z\\-_])/g;

/** Colours, weights and other looks of text. */
// deno-lint-ignore no-control-regex
const COLOURS = /\u001b\[[0-9;:]*m/g;

/** Titles, links and other commands to a terminal; a link's text stands between two of them. */
// deno-lint-ignore no-control-regex
const COMMANDS = /\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)/g;

// deno-lint-ignore no-control-regex
const UNPRINTABLE = /[\u0000-\u0008\u000b\u000c\u000e-\u001a\u001c-\u001f\ufffe\uffff]/g;

/**
 * Renders text as a terminal would show it in the end.
 *
 * @param text Text with ANSI escapes and carriage returns, from anyone.
 * @returns HTML for the inside of a `<pre>` element: text and `<span>`s with classes for colours. Of a
 *   text longer than 200,000 characters the beginning and the end, with a line that says so.
 */
export function renderTerminal(text: string): string {
  const final = settledText(text);
  if (final.length <= MAX_SHOWN) return colour(final);
  const headEnd = final.lastIndexOf("\n", MAX_SHOWN / 2) + 1 || MAX_SHOWN / 2;
  const found = final.indexOf("\n", final.length - MAX_SHOWN / 2) + 1;
  const tailStart = found === 0 ? final.length - MAX_SHOWN / 2 : found;
  const left = final.slice(headEnd, tailStart);
  const count = left.split("\n").length.toLocaleString("en-US");
  return `${colour(final.slice(0, headEnd))}<span class="nb-cut">${count} lines (${
    left.length.toLocaleString("en-US")
  } characters) are left out here; the notebook in this file has them.</span>\n${
    colour(final.slice(tailStart))
  }`;
}

/**
 * Removes terminal escapes.
 *
 * @param text Text with ANSI escapes.
 * @returns The text alone.
 */
export function plainText(text: string): string {
  return text.replace(ESCAPES, "");
}

/**
 * Removes what only changes how characters look.
 *
 * @param text Text with ANSI escapes.
 * @returns The text; escapes that do anything else are left.
 */
export function withoutColours(text: string): string {
  return text.replace(COLOURS, "");
}

function colour(text: string): string {
  const ansi = new AnsiUp();
  ansi.use_classes = true;
  const printable = text.replace(COMMANDS, "").replace(UNPRINTABLE, "\ufffd");
  // A lone escape at the end would wait for more.
  // deno-lint-ignore no-control-regex
  return ansi.ansi_to_html(printable.replace(/\u001b\[?[0-9;]*$/, "")) + ansi.ansi_to_html("");
}

/**
 * What text looks like in the end, after `\r` went back to the line's beginning and `\b` one character.
 *
 * @param text Text as it was written.
 * @returns Text without what was overwritten.
 */
export function settledText(text: string): string {
  const lines = text.replace(/\r+\n/g, "\n");
  if (!/[\r\b]/.test(lines)) return lines;
  return lines.split("\n").map((line) => {
    if (!/[\r\b]/.test(line)) return line;
    let shown = "";
    for (const part of line.split("\r")) {
      const erased = applyBackspaces(part);
      // A shorter rewrite leaves the rest of the longer line, unless it erases it (ESC[K) or is
      // coloured, where columns cannot be told from characters.
      // deno-lint-ignore no-control-regex
      const simple = !/\u001b/.test(erased + shown);
      shown = erased === "" ? shown : simple ? erased + shown.slice(erased.length) : erased;
    }
    return shown;
  }).join("\n");
}

function applyBackspaces(part: string): string {
  if (!part.includes("\b")) return part;
  const kept: string[] = [];
  for (const character of part) {
    if (character === "\b") kept.pop();
    else kept.push(character);
  }
  return kept.join("");
}
