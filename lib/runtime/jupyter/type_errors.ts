// Errors that the language server finds in a cell, with the cell's own line numbers.

import { excerpt } from "../cell_error.ts";
import { LINES_BEFORE } from "./cell_modules.ts";
import type { Diagnostic } from "./language_server.ts";

/** A type error in a cell. */
export interface TypeError {
  message: string;
  /** TypeScript's error code. */
  code: number;
  /** From 1. */
  line: number;
  /** From 1. */
  column: number;
}

/** TypeScript's "Cannot find name". */
const UNKNOWN_NAME = 2304;

/**
 * Codes of errors that do not concern the cell's types: the run itself reports a module that is
 * missing or not loaded yet.
 */
const NOT_TYPES = new Set([2307, 2792, 7016]);

/**
 * The type errors of a cell among the diagnostics of its module.
 *
 * @param source The cell's text.
 * @param diagnostics What the language server found.
 * @param options Whether modules that are not found count, because no run reports them.
 */
export function typeErrors(
  source: string,
  diagnostics: Diagnostic[],
  options: { modules?: boolean } = {},
): TypeError[] {
  const lines = source.split("\n").length;
  return diagnostics.flatMap(({ severity, source: from, code, message, range }) => {
    const line = range.start.line - LINES_BEFORE;
    const own = line >= 0 && line < lines;
    const at = { line: line + 1, column: range.start.character + 1 };
    if (options.modules && severity === 1 && from === "deno" && own) {
      return [{ message: message.replace(/\.$/, ""), code: 2307, ...at }];
    }
    if (severity !== 1 || from !== "deno-ts" || typeof code !== "number" || !own) return [];
    if (NOT_TYPES.has(code) && !options.modules) return [];
    // Readers know cells, not the modules made from them.
    const said = message.replace(/import\("[^"]*tunebook_cell_\d+(\.tsx?)?"\)\./g, "")
      .replace(/\.$/, "");
    return [{ message: said, code, ...at }];
  });
}

/** Type errors as a notebook shows them: for each, the line with a caret. */
export function describeTypeErrors(label: string, source: string, errors: TypeError[]): string {
  // A cell run before those above it lacks many names: one line says so for all.
  const missing = new Set(
    errors.flatMap(({ code, message }) =>
      code === UNKNOWN_NAME ? [/'([^']*)'/.exec(message)?.[1] ?? ""] : []
    ),
  );
  const first = missing.size === 0
    ? []
    : [`Not defined yet: ${[...missing].join(", ")}; run the cells above first`];
  const others = errors.filter(({ code }) => code !== UNKNOWN_NAME);
  return [
    ...first,
    ...others.map(({ message, code, line, column }) =>
      [
        `TS${code}: ${message}`,
        `    at ${label}:${line}:${column}`,
        ...excerpt(source, { line, column }),
      ].join("\n")
    ),
  ].join("\n\n");
}
