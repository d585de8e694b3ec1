// Text in an SVG: its width, line breaks and markup.

import { escapeHtml } from "../theme.ts";

const wide =
  /\p{Script=Han}|\p{Script=Hangul}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Extended_Pictographic}/u;

/**
 * Estimates the width of a text, since it cannot be measured without a browser.
 *
 * @param text The text.
 * @param size The font size in pixels.
 * @returns The approximate width in pixels.
 */
export function textWidth(text: string, size: number): number {
  let width = 0;
  for (const character of text) {
    width += wide.test(character)
      ? 1
      : /[iljt.,:;'|!()[\] ]/.test(character)
      ? 0.36
      : /[A-Zmw%@]/.test(character)
      ? 0.76
      : 0.58;
  }
  return width * size;
}

/** @returns The text, cut with an ellipsis if it is wider than `width`. */
export function truncate(text: string, size: number, width: number): string {
  if (textWidth(text, size) <= width) return text;
  let cut = "";
  for (const character of text) {
    if (textWidth(cut + character + "…", size) > width) break;
    cut += character;
  }
  return cut + "…";
}

/** @returns The text in at most `most` lines of `width` pixels; what does not fit ends with an ellipsis. */
export function breakLines(text: string, size: number, width: number, most: number): string[] {
  const lines: string[] = [];
  let words = [text];
  while (words.length > 0) {
    const rest = words.join(" ");
    if (lines.length + 1 >= most || textWidth(rest, size) <= width) {
      return [...lines, truncate(rest, size, width)];
    }
    words = rest.split(/\s+/);
    let line = "";
    while (words.length > 0 && textWidth(`${line} ${words[0]}`, size) <= width) {
      line = `${line} ${words.shift()}`.trim();
    }
    if (line === "") return [...lines, truncate(rest, size, width)];
    lines.push(line);
  }
  return lines;
}

/** The style of a text. */
export interface TextOptions {
  anchor?: "start" | "middle" | "end";
  size?: number;
  bold?: boolean;
  faint?: boolean;
  /** Degrees, clockwise. */
  rotate?: number;
}

/**
 * One line of text in the colour of the page's own text.
 *
 * @param text Plain text.
 * @param x The x coordinate of its anchor.
 * @param y Its baseline.
 * @param options Its style.
 * @returns An SVG element.
 */
export function textElement(text: string, x: number, y: number, options: TextOptions = {}): string {
  const { anchor = "start", size, bold, faint, rotate } = options;
  const [left, top] = [Math.round(x * 10) / 10, Math.round(y * 10) / 10];
  const attributes = [
    `x="${left}" y="${top}"`,
    anchor === "start" ? "" : `text-anchor="${anchor}"`,
    size ? `font-size="${size}"` : "",
    bold ? 'font-weight="600"' : "",
    faint ? 'fill-opacity=".75"' : "",
    rotate ? `transform="rotate(${rotate} ${left} ${top})"` : "",
  ].filter(Boolean).join(" ");
  return `<text ${attributes}>${escapeHtml(text)}</text>`;
}
