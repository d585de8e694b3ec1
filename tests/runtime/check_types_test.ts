// Types of a notebook's cells, checked without running them; narrowing holds from cell to cell.

import { assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { checkTypes } from "../../lib/runtime/check_types.ts";
import { formatNotebook } from "../../lib/runtime/notebook.ts";
import { tunebook } from "../cli/tunebook.ts";
import { code, notebookOf } from "./report/sample.ts";

/** The errors of a notebook with these cells, in short. */
async function errorsOf(...cells: string[]): Promise<string[]> {
  const folder = await Deno.makeTempDir({ prefix: "tunebook-types-" });
  try {
    const path = join(folder, "book.ipynb");
    await Deno.writeTextFile(path, formatNotebook(notebookOf(...cells.map((one) => code(one)))));
    const errors = await checkTypes(path);
    return errors.map(({ cell, line, code }) => `cell ${cell}, line ${line}: TS${code}`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("checkTypes() carries what a statement narrows into the cells after it", async () => {
  assertEquals(
    await errorsOf(
      `const { found } = { found: Math.random() > 2 ? "x" : undefined };
let answer: string | undefined;
let first: string | number = "a";
class Shape {} class Round extends Shape { radius = 1 }
const shape: Shape = new Round();`,
      "if (found === undefined) throw new Error();",
      "if (!(shape instanceof Round)) { console.log(); throw new Error(); }",
      "answer = 'yes';",
      "[found.length, shape.radius, answer.length, first.length]",
      "answer = undefined; first = 3;",
      "first.toFixed(2)",
    ),
    [],
  );
});

Deno.test("checkTypes() finds errors with their place, without running anything", async () => {
  assertEquals(
    await errorsOf(
      "Deno.exit(3); const n: number = 1;",
      "let maybe: string | undefined = Math.random() > 2 ? 'x' : undefined;",
      "\nn.length",
      "maybe.length",
      "let x =",
      'import { none } from "./nowhere.ts"; none',
      "const element = <b>x</b>;\nexport const kept = element;",
      "kept.type",
    ).then((errors) => errors.filter((one) => !/TS(2875|7026|2874)/.test(one))),
    [
      "cell 3, line 2: TS2339",
      "cell 4, line 1: TS18048",
      "cell 5, line 1: TS0",
      "cell 6, line 1: TS2307",
    ],
  );
});

Deno.test("tunebook check --types prints errors and ends with 1", async () => {
  const folder = await Deno.makeTempDir({ prefix: "tunebook-types-" });
  try {
    const path = join(folder, "book.ipynb");
    await Deno.writeTextFile(path, formatNotebook(notebookOf(code('const n: number = "a";'))));
    const { code: exit, stdout } = await tunebook(["check", "--types", path]);
    assertEquals(exit, 1);
    assertStringIncludes(stdout, "book.ipynb, cell 1, line 1, column 7: TS2322: Type 'string'");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
