// Maps positions in the kernel's stack traces to positions in a cell's text.
//
// The kernel reprints each cell before it runs (without types and blank lines, one statement per
// line) and keeps no source map. Deno uses the same printer for functions in modules, and a
// function's toString() returns the printed text. So once a cell has failed, a process without any
// permission prints its code as the body of a function that is never called, and the tokens of both
// texts are matched.

import { tokenize } from "./cell_tokens.ts";
import { usesJsx } from "./parse_typescript.ts";

/** A position in a text, both from 1. */
export interface Position {
  line: number;
  column: number;
}

/** Finds where a position of the printed code is in the cell. */
type Locator = (position: Position) => Position | undefined;

/** A cell is printed once, however many errors it has. */
const locators = new WeakMap<object, Promise<Locator>>();

/**
 * Maps a position in the kernel's printed code to a position in the cell.
 *
 * @param cell The cell's text, and the code that was sent, whose tokens contain the cell's.
 * @param position A position in the printed code, from a stack trace.
 * @returns The position in the cell's text; undefined if it cannot be mapped.
 */
export async function locate(
  cell: { source: string; code: string },
  position: Position,
): Promise<Position | undefined> {
  let locator = locators.get(cell);
  if (locator === undefined) locators.set(cell, locator = makeLocator(cell));
  return (await locator)(position);
}

async function makeLocator({ source, code }: { source: string; code: string }): Promise<Locator> {
  const original = tokenize(source);
  const printed = await printAsKernel(code).catch(() => undefined);
  const tokens = printed === undefined ? undefined : tokenize(printed);
  if (original === undefined || tokens === undefined) return () => undefined;
  const matches = matchTokens(tokens.map((t) => t.key), original.map((t) => t.key));
  return ({ line, column }) => {
    // The token at the position, or the nearest token of the cell before it.
    let at = tokens.findLastIndex((token) =>
      token.line < line || (token.line === line && token.column <= column)
    );
    while (at >= 0 && matches[at] < 0) at--;
    if (at < 0) return undefined;
    const token = original[matches[at]];
    return { line: token.line, column: token.column };
  };
}

/** How long printing may take, in milliseconds. */
const PRINT_TIMEOUT = 10_000;
/** How much longer than a cell's code the printed code may be. */
const MOST_GROWTH = 20;

/**
 * The code as the kernel prints it, line by line. It is a stranger's: should another parser than
 * the kernel's see an end of the function in it, what follows would run. So a process prints it that
 * may read, write and reach nothing.
 */
async function printAsKernel(code: string): Promise<string> {
  // What a cell imports would be loaded with the module.
  const inert = code.replace(/\bimport(?=\s*\()/g, "importNothing");
  const process = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--quiet", "--no-prompt", "--no-check", "--no-config", "--no-lock"],
      ...["--no-remote", "--no-npm", "--v8-flags=--max-old-space-size=512"],
      ...[`--ext=${usesJsx(inert) ? "tsx" : "ts"}`, "-"],
    ],
    env: { NO_COLOR: "1", DENO_NO_PACKAGE_JSON: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const timer = setTimeout(() => process.kill("SIGKILL"), PRINT_TIMEOUT);
  try {
    const text = `// @ts-nocheck\nconsole.log((async function () {\n${inert}\n}).toString());`;
    const [printed] = await Promise.all([
      readAtMost(process.stdout, MOST_GROWTH * text.length + 10_000),
      new Blob([text]).stream().pipeTo(process.stdin),
    ]);
    const { success } = await process.status;
    if (!success) throw new Error("The cell cannot be printed");
    const lines = printed.trimEnd().split("\n");
    // Removes the function's first and last line and its indentation. Lines inside a template
    // literal are not indented, but they contain no tokens to match either.
    return lines.slice(1, -1).map((line) => line.replace(/^ {2}/, "")).join("\n");
  } finally {
    clearTimeout(timer);
    try {
      process.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await process.status;
  }
}

/** Reads a stream to its end. @throws {RangeError} If it has more bytes than that. */
async function readAtMost(stream: ReadableStream<Uint8Array>, most: number): Promise<string> {
  let text = "";
  let size = 0;
  const decoder = new TextDecoder();
  for await (const chunk of stream) {
    size += chunk.length;
    if (size > most) throw new RangeError(`The stream has more than ${most} bytes`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text;
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
