// Stale cells: what used a definition that was replaced, by whatever way.

import { assertEquals } from "@std/assert";
import { cellNames } from "../../../lib/runtime/cell_names.ts";
import { StaleCells } from "../../../lib/runtime/jupyter/stale.ts";

/** Runs cells, `[cell, source]`, and tells the stale ones as `cell: name by count`. */
function stale(...runs: [string, string][]): string[] {
  const cells = new StaleCells();
  for (const [at, [cell, source]] of runs.entries()) cells.add(cell, at + 1, cellNames(source));
  return cells.find().map(({ cell, name, by }) => `${cell}: ${name} by ${by}`);
}

Deno.test("StaleCells finds cells that used what was redeclared", () => {
  assertEquals(stale(["a", "const x = 1"], ["b", "x"], ["c", "const x = 2"]), ["b: x by 3"]);
  assertEquals(stale(["a", "const x = 1"], ["b", "x"], ["a", "const x = 2"]), ["b: x by 3"]);
});

Deno.test("StaleCells finds cells behind what lies between, and behind functions", () => {
  const runs: [string, string][] = [
    ["a", "const x = 1"],
    ["b", "function f() { return x }"],
    ["c", "const y = f()"],
    ["d", "y"],
    ["a", "const x = 2"],
  ];
  assertEquals(stale(...runs), ["b: x by 5", "c: x by 5", "d: x by 5"]);
  // Run again from the changed cell on, nothing is stale.
  assertEquals(stale(...runs, ...runs.slice(1, 4)), []);
});

Deno.test("StaleCells counts assignments, but not those that a cell makes itself", () => {
  assertEquals(stale(["a", "let n = 0"], ["b", "n += 1; n"]), []);
  assertEquals(stale(["a", "let n = 0"], ["b", "n += 1; n"], ["c", "n = 9"]), ["b: n by 3"]);
  assertEquals(stale(["a", "let n = 0"], ["c", "n"], ["b", "n++"], ["b", "n++"]), ["c: n by 4"]);
});

Deno.test("StaleCells leaves cells alone that have nothing to do with the change", () => {
  assertEquals(stale(["a", "const x = 1"], ["b", "const z = 2; z"], ["a", "const x = 3"]), []);
});

Deno.test("StaleCells holds circles", () => {
  const runs: [string, string][] = [["a", "let x = 1"], ["b", "let y = x"], ["a", "let x = y"]];
  assertEquals(stale(...runs, ["b", "let y = x"]), ["a: y by 4"]);
});
