// The page's outline: one h1, levels without gaps, an id for each heading, and the table of contents.

import { escapeHtml, textOf } from "./html.ts";

/** One heading of the page, h1 excepted. */
export interface Heading {
  /** 2 to 6. */
  level: number;
  id: string;
  text: string;
}

/** The opening tag of a heading in sanitised HTML, whose tags are written in one way only. */
const HEADING = /<h([1-6])((?: [^>]*)?)>/g;

/**
 * Makes a heading's id out of its text, in the way of GitHub and Jupyter: `#Training-the-model`
 * and `#training-the-model` both lead to "Training the model".
 *
 * @param text The heading's text, or the fragment of a link to it.
 * @returns Lower-case letters, digits and hyphens.
 */
export function slug(text: string): string {
  return text.normalize("NFKC").toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, "").trim()
    .replace(/[\s_-]+/g, "-").slice(0, 80);
}

/** Collects headings over all Markdown cells of a notebook. */
export class Outline {
  /** Headings in the order of the page. */
  readonly headings: Heading[] = [];
  readonly #taken = new Set<string>();
  /** By an id that several headings want, the number that the next one gets. */
  readonly #next = new Map<string, number>();
  readonly #shift: number;
  #last = 1;

  /** @param shift How many levels headings go down, 1 if the notebook has several h1. */
  constructor(shift: number) {
    this.#shift = shift;
  }

  /**
   * Gives a cell's headings ids and levels that follow on the page's outline.
   *
   * @param html Sanitised HTML of one cell.
   * @returns The HTML with headings rewritten.
   */
  add(html: string): string {
    let result = "", done = 0;
    for (const match of html.matchAll(HEADING)) {
      const [opening, given, attributes] = match;
      if (match.index < done) continue; // inside another heading
      const start = match.index + opening.length;
      const end = html.indexOf(`</h${given}>`, start);
      if (end < 0) break;
      const inner = html.slice(start, end);
      const wanted = Math.min(6, Math.max(2, Number(given) + this.#shift));
      const level = Math.min(wanted, this.#last + 1);
      this.#last = level;
      const text = textOf(inner);
      const id = this.#newId(text);
      if (text !== "") this.headings.push({ level, id, text });
      const others = attributes.replace(/ (?:id|class)="[^"]*"/g, "");
      result += `${
        html.slice(done, match.index)
      }<h${level} id="${id}"${others}>${inner}</h${level}>`;
      done = end + `</h${given}>`.length;
    }
    return result + html.slice(done);
  }

  /**
   * Makes links within the notebook lead to its headings.
   *
   * @param html HTML of the whole page, after all cells were added.
   * @param prefix The prefix of ids that Markdown cells chose themselves.
   * @returns The HTML with `href="#…"` rewritten.
   */
  resolveLinks(html: string, prefix: string): string {
    return html.replace(/ href="#([^"]*)"/g, (_, fragment: string) => {
      let text = fragment.replace(/&amp;/g, "&");
      try {
        text = decodeURIComponent(text);
      } catch { /* Taken as it is. */ }
      const id = `h-${slug(text)}`;
      return ` href="#${this.#taken.has(id) ? id : escapeHtml(`${prefix}-${text}`)}"`;
    });
  }

  #newId(text: string): string {
    const base = `h-${slug(text) || "section"}`;
    let id = base;
    let next = this.#next.get(base) ?? 2;
    while (this.#taken.has(id)) id = `${base}-${next++}`;
    this.#next.set(base, next);
    this.#taken.add(id);
    return id;
  }
}

/**
 * Counts the headings of level 1.
 *
 * @param html Sanitised HTML.
 * @returns How many there are.
 */
export function countTitles(html: string): number {
  return html.match(/<h1[ >]/g)?.length ?? 0;
}

/**
 * Separates the title from a notebook's first cell.
 *
 * @param html Sanitised HTML of the first cell.
 * @returns The h1's inside and the HTML after it, or undefined if the cell does not begin with an h1.
 */
export function takeTitle(html: string): { title: string; rest: string } | undefined {
  const match = /^\s*<h1(?: [^>]*)?>([\s\S]*?)<\/h1>/.exec(html);
  return match === null ? undefined : { title: match[1], rest: html.slice(match[0].length) };
}

/**
 * Writes the table of contents.
 *
 * @param headings The page's headings.
 * @returns Nested lists of links; empty if there are fewer than two headings.
 */
export function renderContents(headings: readonly Heading[]): string {
  const shown = headings.filter((heading) => heading.level <= 4);
  if (shown.length < 2) return "";
  let html = "";
  let level = 1;
  for (const heading of shown) {
    if (heading.level > level) html += "<ol>".repeat(heading.level - level);
    else html += "</li>" + "</ol></li>".repeat(level - heading.level);
    html += `<li><a href="#${encodeURIComponent(heading.id)}">${escapeHtml(heading.text)}</a>`;
    level = heading.level;
  }
  return html + "</li></ol>".repeat(level - 1);
}
