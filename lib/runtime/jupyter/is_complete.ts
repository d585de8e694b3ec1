// Whether a text is a complete cell or needs more lines: consoles ask when Enter is pressed.

import { CellSyntaxError, parseCell } from "../cell_source.ts";

/** The content of an `is_complete_reply`. */
export type Completeness =
  | { status: "complete" | "invalid" }
  | { status: "incomplete"; indent: string };

/** Says whether code is complete, needs more lines, or is invalid however it continues. */
export function completeness(code: string): Completeness {
  try {
    parseCell(code);
    return { status: "complete" };
  } catch (error) {
    if (!(error instanceof CellSyntaxError)) throw error;
    const lines = code.trimEnd().split("\n");
    const atEnd = error.line > lines.length ||
      (error.line === lines.length && error.column > lines.at(-1)!.length);
    if (!atEnd && !/^Unterminated (template|comment)/.test(error.message)) {
      return { status: "invalid" };
    }
    const last = lines.at(-1)!;
    const indent = /^\s*/.exec(last)![0] + (/[{([]$/.test(last) ? "  " : "");
    return { status: "incomplete", indent };
  }
}
