// Strips a notebook of everything that a run adds, so that its versions differ only in what people
// wrote.

import { clearedNotebook } from "./new_manifest.ts";
import type { Notebook } from "./notebook.ts";

/**
 * Strips a notebook of outputs, execution counts, times of execution, and the manifest of its run.
 *
 * @param notebook The notebook; not changed.
 * @returns A copy without them; everything else is unchanged.
 *
 * @example
 * ```ts
 * import { cleanNotebook, parseNotebook } from "tunebook/runtime";
 * import { assertEquals } from "@std/assert";
 *
 * const notebook = parseNotebook(`{
 *   "nbformat": 4, "nbformat_minor": 5, "metadata": {},
 *   "cells": [{ "cell_type": "code", "id": "a", "metadata": {}, "source": "1", "execution_count": 3,
 *     "outputs": [{ "output_type": "stream", "name": "stdout", "text": "1" }] }]
 * }`);
 * assertEquals(cleanNotebook(notebook).cells[0], { ...notebook.cells[0], execution_count: null, outputs: [] });
 * ```
 */
export function cleanNotebook(notebook: Notebook): Notebook {
  const copy = clearedNotebook(notebook);
  // Jupyter stores times here if it is configured to.
  for (const cell of copy.cells) delete cell.metadata.execution;
  return copy;
}
