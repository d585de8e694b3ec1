// Notebook files: the types of nbformat 4.5, and reading and writing them with checks.
// In memory `source`, stream text and text MIME data are one string; on disk they are arrays of
// lines with sorted keys, byte for byte as PyPI's nbformat writes them.

import { basename } from "@std/path/basename";
import { parseNotebookJson } from "./notebook_schema.ts";
import { writeFileBeside } from "../write_beside.ts";
import type { MimeBundle, Notebook, Output } from "./notebook_types.ts";

export type {
  Cell,
  CellMetadata,
  CodeCell,
  DisplayDataOutput,
  ErrorOutput,
  ExecuteResultOutput,
  MarkdownCell,
  MimeBundle,
  Notebook,
  NotebookMetadata,
  Output,
  RawCell,
  StreamOutput,
} from "./notebook_types.ts";

/**
 * Reads a notebook from the text of an `.ipynb` file.
 *
 * Formats 4.0 to 4.5 are read and come back as 4.5: cells that lack an id, or repeat one, get an id
 * made from their place and source, so that reading the same text twice gives the same ids. Keys
 * that the format does not know are dropped from cells and outputs and kept in metadata.
 *
 * @param text The file's text.
 * @param name What to call the notebook in errors.
 * @returns The notebook, in 4.5.
 * @throws {SyntaxError} If the text is not a notebook (the message says what is wrong and where),
 * or if its format is older than 4.0 or newer than 4.5.
 *
 * @example
 * ```ts
 * import { parseNotebook } from "tunebook/runtime";
 * import { assertEquals } from "@std/assert";
 *
 * const notebook = parseNotebook(`{
 *   "nbformat": 4, "nbformat_minor": 0, "metadata": {},
 *   "cells": [{ "cell_type": "markdown", "metadata": {}, "source": ["# Title\\n", "Text"] }]
 * }`);
 * assertEquals(notebook.cells[0].source, "# Title\nText");
 * ```
 */
export function parseNotebook(text: string, name = "notebook"): Notebook {
  return parseNotebookJson(text, name);
}

/**
 * Reads a notebook file.
 *
 * @param path The file's path.
 * @returns The notebook, in 4.5.
 * @throws {SyntaxError} If the file does not hold a readable notebook; see {@linkcode
 * parseNotebook}.
 * @throws {Deno.errors.NotFound} If there is no such file.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseNotebook, readNotebook, writeNotebook } from "tunebook/runtime";
 *
 * const notebook = parseNotebook(`{
 *   "nbformat": 4, "nbformat_minor": 5, "metadata": {},
 *   "cells": [{ "cell_type": "markdown", "id": "a", "metadata": {}, "source": "# Losses" }]
 * }`);
 * const path = await Deno.makeTempFile({ suffix: ".ipynb" });
 * await writeNotebook(path, notebook);
 * assertEquals(await readNotebook(path), notebook);
 * await Deno.remove(path);
 * ```
 */
export async function readNotebook(path: string): Promise<Notebook> {
  let bytes: Uint8Array;
  try {
    bytes = await Deno.readFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      throw new Deno.errors.NotFound(`Cannot read notebook "${path}": there is no such file`);
    }
    throw error;
  }
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new SyntaxError(`Cannot read notebook "${basename(path)}": it is not UTF-8 text`);
  }
  return parseNotebook(text, basename(path));
}

/**
 * Makes the text of an `.ipynb` file, formatted as nbformat does: keys sorted, indented by one
 * space, sources and text as arrays of lines, a newline at the end.
 *
 * @param notebook The notebook.
 * @returns The file's text.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { formatNotebook, parseNotebook } from "tunebook/runtime";
 *
 * const notebook = parseNotebook(`{
 *   "nbformat": 4, "nbformat_minor": 5, "metadata": {},
 *   "cells": [{ "cell_type": "markdown", "id": "a", "metadata": {}, "source": "# Losses" }]
 * }`);
 * assertEquals(parseNotebook(formatNotebook(notebook)), notebook);
 * ```
 */
export function formatNotebook(notebook: Notebook): string {
  const cells = notebook.cells.map((cell) => {
    const onDisk: Record<string, unknown> = { ...cell, source: splitLines(cell.source) };
    if (cell.cell_type === "code") {
      onDisk.outputs = cell.outputs.map(outputOnDisk);
    } else if (cell.attachments !== undefined) {
      onDisk.attachments = Object.fromEntries(
        Object.entries(cell.attachments).map(([file, bundle]) => [file, bundleOnDisk(bundle)]),
      );
    }
    return onDisk;
  });
  return stringify({ ...notebook, cells }, "\n") + "\n";
}

/**
 * Writes a notebook file under a temporary name and renames it, so that readers never see half of
 * it.
 *
 * @param path The file's path.
 * @param notebook The notebook.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseNotebook, readNotebook, writeNotebook } from "tunebook/runtime";
 *
 * const notebook = parseNotebook(`{
 *   "nbformat": 4, "nbformat_minor": 5, "metadata": {},
 *   "cells": [{ "cell_type": "markdown", "id": "a", "metadata": {}, "source": "# Losses" }]
 * }`);
 * const path = await Deno.makeTempFile({ suffix: ".ipynb" });
 * await writeNotebook(path, notebook);
 * assertEquals(await readNotebook(path), notebook);
 * await Deno.remove(path);
 * ```
 */
export async function writeNotebook(path: string, notebook: Notebook): Promise<void> {
  await writeFileBeside(path, formatNotebook(notebook));
}

function outputOnDisk(output: Output): unknown {
  switch (output.output_type) {
    case "stream":
      return { ...output, text: splitLines(output.text) };
    case "display_data":
    case "execute_result":
      return { ...output, data: bundleOnDisk(output.data) };
    case "error":
      return output;
  }
}

function bundleOnDisk(bundle: MimeBundle): MimeBundle {
  return Object.fromEntries(
    Object.entries(bundle).map(([type, value]) => {
      const lines = typeof value === "string" &&
        (type.startsWith("text/") || type === "application/javascript" || type === "image/svg+xml");
      return [type, lines ? splitLines(value) : value];
    }),
  );
}

/** Python's `str.splitlines(keepends=True)`, which nbformat uses. */
function splitLines(text: string): string[] {
  // deno-lint-ignore no-control-regex
  return text.match(/[^\n\r\v\f\x1c-\x1e\x85\u2028\u2029]*(?:\r\n|[^])/g) ?? [];
}

/**
 * JSON as Python's `json.dumps(…, sort_keys=True, indent=1)` writes it. JSON.stringify cannot: it
 * keeps an object's own order, which for keys like "10" is never the sorted one.
 */
function stringify(value: unknown, newline: string): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const inner = newline + " ";
  if (Array.isArray(value)) {
    if (value.length === 0) return "[]";
    return `[${value.map((item) => inner + stringify(item, inner)).join(",")}${newline}]`;
  }
  const entries = Object.entries(value)
    .filter(([, item]) => item !== undefined)
    .sort(([a], [b]) => compareCodePoints(a, b))
    .map(([key, item]) => `${inner}${JSON.stringify(key)}: ${stringify(item, inner)}`);
  return entries.length === 0 ? "{}" : `{${entries.join(",")}${newline}}`;
}

/**
 * Copies a value with the keys of its objects in the order that a notebook's file has them.
 *
 * @param value A JSON value; other values are returned unchanged.
 */
export function inFileOrder<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(inFileOrder) as T;
  if (![Object.prototype, null].includes(Object.getPrototypeOf(value))) return value; // such as a date
  const entries = Object.entries(value).sort(([a], [b]) => compareCodePoints(a, b));
  return Object.fromEntries(entries.map(([key, item]) => [key, inFileOrder(item)])) as T;
}

function compareCodePoints(a: string, b: string): number {
  for (let i = 0; i < a.length && i < b.length; i++) {
    // If the units differ inside a surrogate pair, the pairs are in code point order.
    const x = a.charCodeAt(i), y = b.charCodeAt(i);
    if (x === y) continue;
    const high = (unit: number) => unit >= 0xd800 && unit <= 0xdfff ? 0x10000 + unit : unit;
    return high(x) - high(y);
  }
  return a.length - b.length;
}
