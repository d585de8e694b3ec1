// Positions in code: the protocol counts characters of the whole text, the language server counts
// lines and UTF-16 code units.

import type { Place } from "./language_server.ts";
import { LINES_BEFORE } from "./cell_modules.ts";

/** The UTF-16 offset of a cursor given in characters, as Python counts them. */
export function offsetOf(code: string, cursor: number): number {
  let offset = 0;
  for (let count = 0; count < cursor && offset < code.length; count++) {
    offset += code.codePointAt(offset)! > 0xffff ? 2 : 1;
  }
  return offset;
}

/** The cursor in characters for a UTF-16 offset. */
export function cursorOf(code: string, offset: number): number {
  return [...code.slice(0, offset)].length;
}

/** The position in a cell's module of a cursor in the cell. */
export function placeOf(code: string, cursor: number): Place {
  const before = code.slice(0, offsetOf(code, cursor)).split("\n");
  return { line: before.length - 1 + LINES_BEFORE, character: before.at(-1)!.length };
}
