// Rewriting cells: what races the stop, what is shown, what is refused.

import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { CellSyntaxError, padCode, rewriteCell } from "../../lib/runtime/cell_source.ts";

/** The rewritten cell without what stands in front and behind, and with a short name for the global. */
function body(source: string): string {
  const lines = rewriteCell(source, 1).code.replaceAll("__tunebook__", "T").split("\n");
  assertEquals(lines[0], 'T.begin(1, ``, "cell 1");');
  assertMatch(lines.at(-1)!, /^;(await T\.result\(T\.value\);)?void 0;$/);
  return lines.slice(1, -1).join("\n");
}

Deno.test("rewriteCell() lets awaits outside functions race the stop", () => {
  assertEquals(body("const a = await f();"), "const a = await T.race((f()), 1);");
  assertEquals(
    body("if (x) {\n  await (a, b)\n}"),
    "if ((T.value = undefined, (x))) {\n  T.value = (await (T.race((a, b), 2)))\n}",
  );
  assertEquals(
    body("for await (const x of g(await h())) await x;"),
    "for await (const x of (T.value = undefined, (T.iterate((g(await T.race((h()), 1))), 1)))) " +
      "T.value = (await T.race((x), 1));",
  );
});

Deno.test("rewriteCell() leaves awaits inside functions alone", () => {
  for (
    const source of [
      "async function f() { await 1; }",
      "const f = async () => await 1;",
      "const o = { async m() { await 1; } };",
      "class C { async m() { for await (const x of y) {} } }",
    ]
  ) assertEquals(body(source), source);
});

Deno.test("rewriteCell() shows the last expression's value, and nothing else's", () => {
  assertEquals(body("1;\n2"), "1;\nawait T.result((2))");
  assertEquals(body("2; // so\n;"), "await T.result((2)); // so\n;");
  assertEquals(body('"text"'), 'await T.result(("text"))');
  assertEquals(body("{ a: 1 }"), "(await T.result(({ a: 1 }))\n)");
  assertEquals(body("{ f() }"), "{ T.value = (f()) }");
  assertEquals(body("1; const x = 1;"), "1; const x = 1;");
});

Deno.test("rewriteCell() makes imports awaited and drops imported types", () => {
  assertEquals(
    body('import a, { b as c, type D, default as e } from "m" with { type: "json" };'),
    "const { default: a, b: c, default: e } = T.exportsOf(await T.race(T.found(" +
      'import("m", { with: { type: "json" } }), "m"), 1), "m", ["default","b","default"], []);',
  );
  assertEquals(
    body('import a, * as n from "m"'),
    'const n = await T.race(T.found(import("m"), "m"), 1); ' +
      'const { default: a } = T.exportsOf(n, "m", ["default"], []);',
  );
  assertEquals(body('import "m"'), 'await T.race(T.found(import("m"), "m"), 1);');
  assertEquals(body('import type { A } from "m"'), ";");
});

Deno.test("rewriteCell() gives import.meta and remembers what is thrown", () => {
  assertEquals(body("const u = import.meta.url;"), "const u = T.meta.url;");
  assertEquals(body("function f() { throw x; }"), "function f() { throw T.thrown((x)); }");
  assertEquals(body("throw new Error()"), "throw new Error()");
});

Deno.test("rewriteCell() leaves types alone", () => {
  const source = "const f: (a: typeof import('m')) => Promise<void> = g as any;";
  assertEquals(body(source), source);
});

Deno.test("rewriteCell() keeps every line where it was", () => {
  const source = "import { a }\n  from 'm';\n\nawait a(\n  1,\n);\n`\n${await b}`";
  // The import is written in one line; all else keeps its lines from its own start on.
  const lines = body(source).split("\n");
  assertStringIncludes(lines[0], "import('m')");
  assertEquals(lines.length, source.split("\n").length - 1);
});

Deno.test("rewriteCell() collects the names that a cell declares", () => {
  const { names } = rewriteCell(
    `import d, { x as y } from "m"; const { a, b: [c, ...e], f = 1, ...g } = h; let i; function j() { let k; }
     class L {} enum M { N } interface O {} declare const P: number;`,
    1,
  );
  assertEquals(names, ["d", "y", "a", "c", "e", "f", "g", "i", "j", "L", "M"]);
});

Deno.test("rewriteCell() refuses syntax errors with line and column", () => {
  const refuse = (source: string, message: string, line: number, column: number) => {
    const error = assertThrows(() => rewriteCell(source, 1), CellSyntaxError) as CellSyntaxError;
    assertEquals([error.message, error.line, error.column], [message, line, column]);
  };
  refuse("let x =", "Unexpected token", 1, 8);
  refuse("1\n\tf(;", "Unexpected token", 2, 4);
  refuse("const a = 1;\nconst a = 2;", "Identifier 'a' has already been declared", 2, 7);
  refuse("ok;\n export = x", "Cannot export from a cell in this way: all cells share names", 2, 2);
  refuse("const a = <b>;</b>;\nlet c =", "Unexpected token", 2, 8);
  refuse("return 1", "'return' outside of function", 1, 1);
});

Deno.test("rewriteCell() makes exports into what they export", () => {
  const { names } = rewriteCell("export const a = 1; export default function f() {}", 1);
  assertEquals(names, ["a", "f"]);
  assertEquals(body("export const a = 1;").trim(), "const a = 1;");
  assertEquals(body('export { a } from "m"').trim(), 'await T.race(T.found(import("m"), "m"), 1);');
  assertEquals(body("export { a };").trim(), "");
});

Deno.test("rewriteCell() puts pragmas of JSX in front, where the kernel looks for them", () => {
  const { code } = rewriteCell("/**\n * @jsx h\n */\n<b/>", 1);
  assertMatch(code, /^\/\*\* \* @jsx h \*\/__tunebook__\.begin/);
});

Deno.test("padCode() moves a cell down by lines that no printer drops", () => {
  const { code } = rewriteCell("x", 7);
  const padded = padCode(code, 3);
  assertEquals(padded.split("\n").length, code.split("\n").length + 3);
  assert(padded.startsWith("__tunebook__.begin(7, `\n\n\n`, "));
});
