// The types of a notebook's cells, checked in their order without running anything.

import { dirname } from "@std/path/dirname";
import { resolve } from "@std/path/resolve";
import { cellNames } from "./cell_names.ts";
import { CellSyntaxError } from "./cell_source.ts";
import { CellModules } from "./jupyter/cell_modules.ts";
import { LanguageServer } from "./jupyter/language_server.ts";
import { typeErrors } from "./jupyter/type_errors.ts";
import { type Notebook, readNotebook } from "./notebook.ts";
import { hasTag } from "./parameters.ts";
import { parseTypeScript } from "./parse_typescript.ts";

/** A type error, or a syntax error, in a cell. */
export interface CellTypeError {
  /** The cell's place among the code cells, from 1. */
  cell: number;
  /** The id of the cell. */
  id: string;
  /** From 1. */
  line: number;
  /** From 1. */
  column: number;
  /** TypeScript's error code; 0 for a syntax error. */
  code: number;
  /** What is wrong. */
  message: string;
}

/**
 * Checks the types of a notebook's cells without running them.
 *
 * Each cell sees the names of the cells above it. Packages that cells import are fetched into Deno's
 * cache, as their types are in them. Cells tagged `skip` are left out.
 *
 * @param path The notebook's path.
 * @returns The errors, in the order of the cells.
 * @throws {SyntaxError} If the file is not a notebook.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { checkTypes, parseNotebook, writeNotebook } from "tunebook/runtime";
 *
 * const notebook = parseNotebook(`{
 *   "nbformat": 4, "nbformat_minor": 5, "metadata": {},
 *   "cells": [{
 *     "cell_type": "code", "id": "a", "metadata": {},
 *     "execution_count": null, "outputs": [], "source": "const x: string = 1;"
 *   }]
 * }`);
 * const path = await Deno.makeTempFile({ suffix: ".ipynb" });
 * await writeNotebook(path, notebook);
 * const [{ cell, line }] = await checkTypes(path);
 * assertEquals([cell, line], [1, 1]);
 * await Deno.remove(path);
 * ```
 */
export async function checkTypes(path: string): Promise<CellTypeError[]> {
  const notebook = await readNotebook(path);
  const folder = dirname(resolve(path));
  await cachePackages(notebook, folder);
  const server = await LanguageServer.start(folder);
  try {
    return await checkCells(notebook, folder, server);
  } finally {
    await server.close();
  }
}

/** How many cells have been checked. */
let checked = 0;

/**
 * Checks the types of a notebook's cells by a language server that is running already.
 *
 * @param notebook The notebook. @param folder Its folder. @param server The server, started there.
 */
export async function checkCells(
  notebook: Notebook,
  folder: string,
  server: LanguageServer,
): Promise<CellTypeError[]> {
  // A server may remember what a module of the same name was.
  const modules = new CellModules(folder, checked);
  checked += notebook.cells.length;
  const written: string[] = [];
  const found: CellTypeError[] = [];
  try {
    let number = 0;
    for (const cell of notebook.cells) {
      if (cell.cell_type !== "code") continue;
      number++;
      if (cell.source.trim() === "" || hasTag(cell, "skip")) continue;
      const place = { cell: number, id: cell.id };
      let names;
      try {
        names = cellNames(cell.source);
      } catch (error) {
        if (!(error instanceof CellSyntaxError)) throw error;
        const { message, line, column } = error;
        found.push({ ...place, code: 0, message, line, column });
        continue;
      }
      const { module } = modules.add(cell.source, names);
      server.write(module.uri, module.text);
      written.push(module.uri);
      const diagnostics = await server.diagnose(module.uri);
      for (const error of typeErrors(cell.source, diagnostics, { modules: true })) {
        found.push({ ...place, ...error });
      }
    }
  } finally {
    for (const uri of written) server.remove(uri);
  }
  return found;
}

/** Fetches the packages that cells import, which a run would do; without them they have no types. */
async function cachePackages(notebook: Notebook, folder: string): Promise<void> {
  const specifiers = new Set<string>();
  for (const cell of notebook.cells) {
    if (cell.cell_type !== "code") continue;
    try {
      for (const statement of parseTypeScript(cell.source).program.body) {
        const { source } = statement as { source?: { value: string } | null };
        if (source && !/^(?:\.{0,2}\/|node:)/.test(source.value)) specifiers.add(source.value);
      }
    } catch {
      // The check itself reports a syntax error.
    }
  }
  if (specifiers.size === 0) return;
  // A specifier that cannot be found is an error of the cell that imports it.
  await new Deno.Command(Deno.execPath(), {
    args: ["cache", "--quiet", "--no-lock", ...specifiers],
    cwd: folder,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).output();
}
