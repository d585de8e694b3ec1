// Errors of cells: stack frames as cell and line, and the line with a caret.

import { locate, type Position } from "./cell_positions.ts";
import type { CellSyntaxError } from "./cell_source.ts";
import type { ErrorDescription } from "./prelude.ts";

/** Why a cell failed. */
export interface CellError {
  /** The error's name, for example `"TypeError"`. */
  name: string;
  /** The message of the error. */
  message: string;
  /** The line of the cell, from 1, if it is known. */
  line?: number;
  /** The column in the line, from 1, if it is known. */
  column?: number;
  /** What a notebook shows: stack, causes, and the line with a caret. */
  traceback: string[];
}

/** A cell that has been sent to the kernel. */
export interface SentCell {
  /** The cell's name in messages, for example `"cell 3"`. */
  label: string;
  /** The cell's text. */
  source: string;
  /** The code that was sent, without the blank lines before it. */
  code: string;
  /** The first line, as the kernel counts, that belongs to the cell. */
  firstLine: number;
  /** One past the last. */
  endLine: number;
}

const FRAME = /^( +at (?:async )?(?:.* \()?)<anonymous>:(\d+):(\d+)(\)?)$/;

/** Converts an error of the kernel to cells and lines. */
export async function describeError(
  error: ErrorDescription,
  current: SentCell,
  sent: readonly SentCell[],
): Promise<CellError> {
  const { lines, top } = await readStack(error.stack, current, sent);
  const headline = lines[0] && !/^ +at /.test(lines[0]) ? [] : [`${error.name}: ${error.message}`];
  const where: Partial<Position> = top ?? (error.line ? { line: error.line } : {});
  if (top === undefined && error.line) lines.push(`    at ${current.label}:${error.line}`);
  const causes: string[] = [];
  for (const cause of error.causes) {
    const told = await readStack(cause, current, sent);
    causes.push(`Caused by: ${told.lines[0] ?? ""}`, ...told.lines.slice(1));
  }
  return {
    name: error.name,
    message: error.message,
    ...where,
    traceback: [...headline, ...lines, ...causes, ...excerpt(current.source, where)],
  };
}

/** The error for a syntax error, found before the cell was sent. */
export function describeSyntaxError(
  error: CellSyntaxError,
  label: string,
  source: string,
): CellError {
  const { message, line, column } = error;
  return {
    name: "SyntaxError",
    message: `${message} (${label}, line ${line}, column ${column})`,
    line,
    column,
    traceback: [
      `SyntaxError: ${message}`,
      `    at ${label}:${line}:${column}`,
      ...excerpt(source, { line, column }),
    ],
  };
}

/** A line of a cell with its neighbours, a mark before it and a caret under the column. */
export function excerpt(source: string, { line, column }: Partial<Position>): string[] {
  if (line === undefined) return [];
  const lines = source.split("\n");
  const width = String(line + 1).length;
  const shown = [""];
  for (let at = Math.max(1, line - 1); at <= Math.min(lines.length, line + 1); at++) {
    const mark = at === line ? ">" : " ";
    shown.push(`${mark} ${String(at).padStart(width)} | ${lines[at - 1]}`.trimEnd());
    if (at === line && column !== undefined) {
      // Tabs stay tabs, so that the caret is under its character.
      const indent = lines[at - 1].slice(0, column - 1).replace(/[^\t]/g, " ");
      shown.push(`  ${" ".repeat(width)} | ${indent}^`);
    }
  }
  return shown;
}

async function readStack(stack: string, current: SentCell, sent: readonly SentCell[]) {
  const lines: string[] = [];
  let top: Position | undefined;
  for (const line of stack === "" ? [] : stack.split("\n")) {
    const match = FRAME.exec(line);
    if (match === null) {
      // Frames inside the kernel are of no use to readers.
      if (!/^ +at .*\b(ext|node):/.test(line)) lines.push(line);
      continue;
    }
    const printed = Number(match[2]);
    const cell = sent.findLast((one) => one.firstLine <= printed && printed < one.endLine);
    if (cell === undefined) continue;
    const position = { line: printed - cell.firstLine + 1, column: Number(match[3]) };
    const found = await locate(cell, position);
    if (found === undefined) {
      lines.push(`${match[1]}${cell.label}${match[4]}`);
      continue;
    }
    if (cell === current) top ??= found;
    lines.push(`${match[1]}${cell.label}:${found.line}:${found.column}${match[4]}`);
  }
  return { lines, top };
}
