// Where in a cell's text a position of the kernel's stack traces lies.
//
// The kernel prints each cell anew before it runs it (types gone, blank lines gone, one statement a
// line) and keeps no source map. A function in a module that Deno loads is printed by the same
// printer and gives its text by toString(). So, once a cell has failed, its code is loaded here as
// the body of a function that is never called, and the tokens of both texts are matched.

import { tokenize } from "./cell_tokens.ts";

/** A position in a text, both from 1. */
export interface Position {
  line: number;
  column: number;
}

/**
 * Finds where a position of the kernel's printed code lies in the cell.
 *
 * @param source The cell's text.
 * @param code The code that was sent, whose tokens contain the cell's.
 * @param positions Positions in the printed code, as stacks give them.
 * @returns The positions in `source`, undefined where they cannot be told.
 */
export async function locate(
  source: string,
  code: string,
  positions: Position[],
): Promise<(Position | undefined)[]> {
  const nowhere = positions.map(() => undefined);
  let printed: string;
  try {
    printed = await printAsKernel(code);
  } catch {
    return nowhere;
  }
  const original = tokenize(source);
  const tokens = tokenize(printed);
  if (original === undefined || tokens === undefined) return nowhere;
  const matches = matchTokens(tokens.map((t) => t.key), original.map((t) => t.key));
  return positions.map(({ line, column }) => {
    // The token at the position, else the nearest one before it that is the cell's own.
    let at = tokens.findLastIndex((token) =>
      token.line < line || (token.line === line && token.column <= column)
    );
    while (at >= 0 && matches[at] < 0) at--;
    if (at < 0) return undefined;
    const token = original[matches[at]];
    return { line: token.line, column: token.column };
  });
}

/** The code as the kernel prints it, line for line; nothing runs. */
async function printAsKernel(code: string): Promise<string> {
  const text = `// @ts-nocheck\nexport default async function () {\n${code}\n}`;
  const url = URL.createObjectURL(new Blob([text], { type: "application/typescript" }));
  try {
    const lines = ((await import(url)).default.toString() as string).split("\n");
    // The function's own first and last line go, and so does the indentation that it brings. What
    // stands in a template is not indented, but then its lines begin with no token to be matched.
    return lines.slice(1, -1).map((line) => line.replace(/^ {2}/, "")).join("\n");
  } finally {
    URL.revokeObjectURL(url);
  }
}

/**
 * Matches two sequences of tokens by their longest common subsequence.
 *
 * @returns For each of `a` the index of its partner in `b`, -1 where it has none.
 */
function matchTokens(a: string[], b: string[]): Int32Array {
  const partner = new Int32Array(a.length).fill(-1);
  // A common beginning and end need no table.
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) {
    partner[start] = start++;
  }
  let endA = a.length, endB = b.length;
  while (endA > start && endB > start && a[endA - 1] === b[endB - 1]) partner[--endA] = --endB;
  const rows = endA - start, columns = endB - start;
  // 36 million entries are 72 MB; a cell of more than some 6,000 tokens keeps its two ends only.
  if (rows * columns > 36e6) return partner;
  const width = columns + 1;
  const length = new Uint16Array((rows + 1) * width);
  for (let i = rows - 1; i >= 0; i--) {
    for (let j = columns - 1; j >= 0; j--) {
      length[i * width + j] = a[start + i] === b[start + j]
        ? length[(i + 1) * width + j + 1] + 1
        : Math.max(length[(i + 1) * width + j], length[i * width + j + 1]);
    }
  }
  for (let i = 0, j = 0; i < rows && j < columns;) {
    if (a[start + i] === b[start + j]) partner[start + i++] = start + j++;
    else if (length[(i + 1) * width + j] >= length[i * width + j + 1]) i++;
    else j++;
  }
  return partner;
}
