// Why a run from top to bottom does not reproduce a notebook's stored outputs: names that no cell
// above defines any more, and the order in which cells were run.

import { type CellNames, cellNames } from "./cell_names.ts";
import type { CodeCell, Notebook } from "./notebook.ts";

/**
 * Finds state that cells seem to have depended on and that a fresh run does not provide.
 *
 * @param notebook The notebook with its stored outputs and execution counts.
 * @returns Phrases by the cells' ids; cells without findings are left out.
 */
export function hiddenState(notebook: Notebook): Map<string, string[]> {
  const cells = notebook.cells.filter((cell): cell is CodeCell =>
    cell.cell_type === "code" && cell.source.trim() !== ""
  );
  const all = notebook.cells.filter((cell) => cell.cell_type === "code");
  const numbers = new Map(all.map((cell, index) => [cell.id, index + 1]));
  const names = new Map(cells.map((cell) => [cell.id, readNames(cell.source)]));
  const reasons = new Map<string, string[]>();
  for (const [index, cell] of cells.entries()) {
    const found = [
      ...undefinedNames(cell, cells.slice(0, index), cells.slice(index + 1), names, numbers),
      ...wrongOrder(cell, cells, index, names, numbers),
    ];
    if (found.length > 0) reasons.set(cell.id, found);
  }
  return reasons;
}

interface Names {
  /** What the cell declares or sets. */
  sets: Set<string>;
  used: Set<string>;
}

function readNames(source: string): Names {
  let names: CellNames = { declared: [], assigned: [], used: [] };
  try {
    names = cellNames(source);
  } catch {
    // A cell with a syntax error has no dependencies.
  }
  const sets = new Set([...names.declared.map(({ name }) => name), ...names.assigned]);
  return { sets, used: new Set(names.used) };
}

function undefinedNames(
  cell: CodeCell,
  above: CodeCell[],
  below: CodeCell[],
  names: Map<string, Names>,
  numbers: Map<string, number>,
): string[] {
  const reasons: string[] = [];
  const defines = ({ id }: CodeCell, name: string) => names.get(id)!.sets.has(name);
  for (const name of names.get(cell.id)!.used) {
    if (name in globalThis || above.some((one) => defines(one, name))) continue;
    const later = below.find((one) => defines(one, name));
    if (later !== undefined) {
      reasons.push(`"${name}" is defined only below, in cell ${numbers.get(later.id)}`);
    } else if (!KNOWN.has(name) && !names.get(cell.id)!.sets.has(name)) {
      reasons.push(`"${name}" is defined in no cell`);
    }
  }
  return reasons;
}

/** Globals of the kernel that this process may lack, and TypeScript's own types. */
const KNOWN = new Set(
  ("require module exports process Buffer global arguments ArrayLike AsyncIterable Awaited Exclude Extract " +
    "InstanceType Iterable IterableIterator NonNullable Omit Parameters Partial Pick PromiseLike " +
    "PropertyKey Readonly ReadonlyArray ReadonlyMap ReadonlySet Record Required ReturnType").split(
      " ",
    ),
);

/** Cells above that ran later, and cells below that ran earlier, with names in common. */
function wrongOrder(
  cell: CodeCell,
  cells: CodeCell[],
  index: number,
  names: Map<string, Names>,
  numbers: Map<string, number>,
): string[] {
  const count = cell.execution_count;
  if (count === null) return [];
  const reasons: string[] = [];
  const { used, sets } = names.get(cell.id)!;
  const setBy = ({ id }: CodeCell) => [...names.get(id)!.sets];
  for (const [at, one] of cells.entries()) {
    if (at === index || one.execution_count === null) continue;
    const above = at < index;
    if (above ? one.execution_count < count : one.execution_count > count) continue;
    const shared = setBy(one).filter((name) =>
      above
        ? used.has(name) || sets.has(name)
        // Names that are defined only below have been reported already.
        : used.has(name) && cells.slice(0, index).some((other) => setBy(other).includes(name))
    );
    if (shared.length === 0) continue;
    reasons.push(
      `it was run ${above ? "before" : "after"} cell ${numbers.get(one.id)} ${
        above ? "above" : "below"
      } it, which sets ${shared.map((name) => `"${name}"`).join(", ")}`,
    );
  }
  return reasons;
}
