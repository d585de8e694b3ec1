// Reads reports, and prints the comparison of two runs.

import type { Change } from "../runtime/compare/manifests.ts";
import type { CellComparison } from "../runtime/compare/notebooks.ts";

/** Prints the changes, one per line. */
export function showChanges(changes: readonly Change[]): void {
  for (const { kind, text } of changes) console.log(`changed, ${kind}: ${text}`);
}

/** Prints the cells that differ, one per line. */
export function showCells(cells: readonly CellComparison[]): void {
  for (const { cell, title, verdict, difference, excuse } of cells) {
    if (verdict === "same") continue;
    const said = difference === undefined ? "" : `: ${difference}`;
    const why = excuse === undefined ? "" : `; ${excuse}`;
    console.log(`${verdict}, cell ${cell} (${title})${said}${why}`);
  }
}

/**
 * Reads a report file.
 *
 * @throws {Deno.errors.NotFound} If there is no such file.
 */
export async function readReportFile(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Deno.errors.NotFound(`Cannot read report "${path}": there is no such file`);
  }
}
