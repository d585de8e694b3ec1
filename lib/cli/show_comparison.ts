// Prints what a comparison of two runs found.

import type { Change } from "../runtime/compare/manifests.ts";
import type { CellComparison } from "../runtime/compare/notebooks.ts";

/** Prints what has changed, a line each. */
export function showChanges(changes: readonly Change[]): void {
  for (const { kind, text } of changes) console.log(`changed, ${kind}: ${text}`);
}

/** Prints the cells that are not the same, a line each. */
export function showCells(cells: readonly CellComparison[]): void {
  for (const { cell, title, verdict, difference } of cells) {
    if (verdict === "same") continue;
    const said = difference === undefined ? "" : `: ${difference}`;
    console.log(`${verdict}, cell ${cell} (${title})${said}`);
  }
}
