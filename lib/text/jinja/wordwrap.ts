/**
 * Python's `textwrap.wrap()`, as jinja2's filter `wordwrap` calls it.
 *
 * @module
 */

import { strip } from "./methods.ts";
import { assertLength, TemplateError } from "./values.ts";

const SPACE = "[\\t\\n\\v\\f\\r ]";
const NO_SPACE = "[^\\t\\n\\v\\f\\r ]";
const WORD = "[\\p{L}\\p{N}_]";
const LETTER = "[\\p{L}\\p{Nl}\\p{No}_]";
/** Where a line may end: white space, and hyphens and dashes within words. */
const SEPARATORS = new RegExp(
  `(${SPACE}+|(?<=[\\p{L}\\p{N}_!"'&.,?])-{2,}(?=${WORD})|${NO_SPACE}+?(?:` +
    `-(?:(?<=${LETTER}{2}-)|(?<=${LETTER}-${LETTER}-))(?=${LETTER}-?${LETTER})|` +
    `(?=${SPACE}|$)|(?<=[\\p{L}\\p{N}_!"'&.,?])(?=-{2,}${WORD})))`,
  "u",
);
const SPACES = new RegExp(`(${SPACE}+)`);

/** How text is wrapped. */
export interface WrapOptions {
  /** The most characters per line, at least 1. */
  readonly width: number;
  /** Whether words that are longer are broken. */
  readonly breakLongWords: boolean;
  /** Whether words may be broken after their hyphens. */
  readonly breakOnHyphens: boolean;
}

/**
 * Wraps one paragraph.
 *
 * @param paragraph The text.
 * @param options How.
 * @returns Its lines, without the white space around them.
 * @throws {TemplateError} If the width is below 1.
 */
export function wrap(paragraph: string, options: WrapOptions): string[] {
  const { width, breakLongWords, breakOnHyphens } = options;
  if (!(width > 0)) throw new TemplateError(`invalid width ${width} (must be > 0)`);
  assertLength(paragraph.length);
  const chunks = paragraph.split(breakOnHyphens ? SEPARATORS : SPACES)
    .filter((chunk) => chunk !== undefined && chunk !== "")
    .map((chunk) => Array.from(chunk))
    .reverse();
  const isBlank = (chunk: readonly string[] | undefined) => chunk && strip(chunk.join("")) === "";
  const lines: string[] = [];
  while (chunks.length > 0) {
    const line: string[][] = [];
    let length = 0;
    if (isBlank(chunks.at(-1)) && lines.length > 0) chunks.pop();
    while (chunks.length > 0 && length + chunks.at(-1)!.length <= width) {
      length += chunks.at(-1)!.length;
      line.push(chunks.pop()!);
    }
    const long = chunks.at(-1);
    if (long && long.length > width) {
      if (breakLongWords) {
        const end = breakAt(long, width - length, breakOnHyphens);
        line.push(long.slice(0, end));
        chunks[chunks.length - 1] = long.slice(end);
      } else if (line.length === 0) line.push(chunks.pop()!);
    }
    if (isBlank(line.at(-1))) line.pop();
    if (line.length > 0) lines.push(line.flat().join(""));
  }
  return lines;
}

/** Where a word that is too long is broken: after its last hyphen that fits, if something is before it. */
function breakAt(word: readonly string[], room: number, atHyphens: boolean): number {
  const hyphen = atHyphens && word.length > room ? word.slice(0, room).lastIndexOf("-") : -1;
  return hyphen > 0 && word.slice(0, hyphen).some((each) => each !== "-") ? hyphen + 1 : room;
}
