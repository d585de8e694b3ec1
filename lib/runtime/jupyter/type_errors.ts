// What the language server finds wrong in a cell, told in the cell's own lines.

import { excerpt } from "../cell_error.ts";
import { LINES_BEFORE } from "./cell_modules.ts";
import type { Diagnostic } from "./language_server.ts";

/** A type error in a cell. */
export interface TypeError {
  message: string;
  /** TypeScript's number for it. */
  code: number;
  /** From 1. */
  line: number;
  /** From 1. */
  column: number;
}

/**
 * Errors that say nothing of the cell's types: a module that is not there, or not loaded yet, is the
 * run's to tell.
 */
const NOT_TYPES = new Set([2307, 2792, 7016]);

/** The type errors of a cell among what the server says of its module. */
export function typeErrors(source: string, diagnostics: Diagnostic[]): TypeError[] {
  const lines = source.split("\n").length;
  return diagnostics.flatMap(({ severity, source: from, code, message, range }) => {
    const line = range.start.line - LINES_BEFORE;
    const own = line >= 0 && line < lines;
    if (severity !== 1 || from !== "deno-ts" || typeof code !== "number" || !own) return [];
    if (NOT_TYPES.has(code)) return [];
    // Modules of cells are no modules to a reader.
    const said = message.replace(/import\("[^"]*tunebook_cell_\d+(\.ts)?"\)\./g, "")
      .replace(/\.$/, "");
    return [{ message: said, code, line: line + 1, column: range.start.character + 1 }];
  });
}

/** Type errors as a notebook shows them: the line with a caret, for each. */
export function describeTypeErrors(label: string, source: string, errors: TypeError[]): string {
  return errors.map(({ message, code, line, column }) =>
    [
      `TS${code}: ${message}`,
      `    at ${label}:${line}:${column}`,
      ...excerpt(source, { line, column }),
    ].join("\n")
  ).join("\n\n");
}
