// Maps positions in the kernel's stack traces to positions in a cell's text.
//
// The kernel reprints each cell before it runs (without types and blank lines, one statement per
// line) and keeps no source map. Deno uses the same printer for functions in modules, and a
// function's toString() returns the printed text. So once a cell has failed, its code is loaded
// here as the body of a function that is never called, and the tokens of both texts are matched.

import { tokenize } from "./cell_tokens.ts";
import { usesJsx } from "./parse_typescript.ts";

/** A position in a text, both from 1. */
export interface Position {
  line: number;
  column: number;
}

/**
 * Maps positions in the kernel's printed code to positions in the cell.
 *
 * @param source The cell's text.
 * @param code The code that was sent, whose tokens contain the cell's.
 * @param positions Positions in the printed code, from stack traces.
 * @returns The positions in `source`; undefined for those that cannot be mapped.
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
    // The token at the position, or the nearest token of the cell before it.
    let at = tokens.findLastIndex((token) =>
      token.line < line || (token.line === line && token.column <= column)
    );
    while (at >= 0 && matches[at] < 0) at--;
    if (at < 0) return undefined;
    const token = original[matches[at]];
    return { line: token.line, column: token.column };
  });
}

/** The code as the kernel prints it, line by line; nothing is run. */
async function printAsKernel(code: string): Promise<string> {
  // What a cell imports would be loaded with the module, by this process and into its lock file.
  const inert = code.replace(/\bimport(?=\s*\()/g, "importNothing");
  const text = `// @ts-nocheck\nexport default async function () {\n${inert}\n}`;
  const type = usesJsx(inert) ? "text/tsx" : "application/typescript";
  const url = URL.createObjectURL(new Blob([text], { type }));
  try {
    const lines = ((await import(url)).default.toString() as string).split("\n");
    // Removes the function's first and last line and its indentation. Lines inside a template
    // literal are not indented, but they contain no tokens to match either.
    return lines.slice(1, -1).map((line) => line.replace(/^ {2}/, "")).join("\n");
  } finally {
    URL.revokeObjectURL(url);
  }
}

/**
 * Matches two sequences of tokens by their longest common subsequence.
 *
 * @returns For each token of `a` the index of its match in `b`, or -1.
 */
function matchTokens(a: string[], b: string[]): Int32Array {
  const partner = new Int32Array(a.length).fill(-1);
  // Common prefixes and suffixes need no table.
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) {
    partner[start] = start++;
  }
  let endA = a.length, endB = b.length;
  while (endA > start && endB > start && a[endA - 1] === b[endB - 1]) partner[--endA] = --endB;
  const rows = endA - start, columns = endB - start;
  // 36 million entries take 72 MB; for a cell of more than about 6,000 tokens only prefix and
  // suffix are matched.
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
