// Names that tie cells together: declared, assigned, used; over all that TypeScript can nest.

import { assertEquals, assertThrows } from "@std/assert";
import { CellSyntaxError } from "../../lib/runtime/cell_source.ts";
import { cellNames } from "../../lib/runtime/cell_names.ts";

function names(source: string) {
  const { declared, assigned, used } = cellNames(source);
  return {
    declared: declared.map(({ name, variable }) => variable ? `${name}*` : name),
    assigned,
    used: used.toSorted(),
  };
}

Deno.test("cellNames() finds what a cell declares, and whether it may be assigned to", () => {
  const { declared } = names(`
    import d, { type T, e as f } from "x"; import * as g from "y";
    const a = 1, { b, c: [h, ...i], ...j } = {} as any; let k; var l;
    function m() {} class N {} enum O { P } interface Q {} type R = 1; namespace S {}`);
  assertEquals(
    declared,
    ["d", "T", "f", "g", "a", "b", "h", "i", "j", "k*", "l*", "m", "N", "O", "Q", "R", "S"],
  );
});

Deno.test("cellNames() finds what comes from elsewhere, in functions and types too", () => {
  const cases: Record<string, string[]> = {
    "a + b.c[d]": ["a", "b", "d"],
    "({ e: f, g, [h]: 1 })": ["f", "g", "h"],
    "const x = 1; x + y": ["y"],
    "function p(q = r, { s: t } = u) { return q + t + v }": ["r", "u", "v"],
    "(w => { const x = w; return x + z })": ["z"],
    "{ const x = 1; x } x": ["x"],
    "for (const i of list) { i; j }": ["j", "list"],
    "try { a } catch (error) { error; b }": ["a", "b"],
    "let p: Point<U> = q as V; function f<W extends X>(a: W): a is W { return true }": [
      "Point",
      "U",
      "V",
      "X",
      "q",
    ],
    "type M<T> = { [K in keyof T]: T[K] extends Array<infer E> ? E : Z }": ["Array", "Z"],
    "type F = (arg: G) => H.I": ["G", "H"],
    "class A extends B { c = d; [e]() { return this.f + g } }": ["B", "d", "e", "g"],
    "label: while (a) { break label }": ["a"],
    "`${a} text ${b}`; tag`x`": ["a", "b", "tag"],
    "import.meta.url": [],
    "enum E { A = b } namespace N { export const c = 1; c; d }": ["b", "d"],
    "switch (a) { case b: { let c; c } }": ["a", "b"],
  };
  for (const [source, used] of Object.entries(cases)) {
    assertEquals([source, names(source).used], [source, used]);
  }
});

Deno.test("cellNames() finds what a cell assigns as it runs, not what its functions may", () => {
  const source =
    "x = 1; y++; [z, { w: v }] = a; for (u of b); function f() { later = 1 } let own; own = 1";
  assertEquals(names(source).assigned, ["x", "y", "z", "v", "u"]);
});

Deno.test("cellNames() refuses what is not TypeScript", () => {
  assertThrows(() => cellNames("let let"), CellSyntaxError);
});
