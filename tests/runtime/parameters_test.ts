// Parameters: types, suggestions, where the cell goes.

import { assertEquals, assertThrows } from "@std/assert";
import { parseNotebook } from "../../lib/runtime/notebook.ts";
import { code, notebookOf } from "./report/sample.ts";
import {
  declaredParameters,
  injectParameters,
  readParameters,
} from "../../lib/runtime/parameters.ts";

function book(...sources: [string, string?][]) {
  return parseNotebook(JSON.stringify({
    nbformat: 4,
    nbformat_minor: 5,
    metadata: {},
    cells: sources.map(([source, tag], index) => ({
      cell_type: "code",
      id: `c${index}`,
      metadata: tag ? { tags: [tag] } : {},
      source,
      execution_count: null,
      outputs: [],
    })),
  }));
}

const declared = book(["// first"], [
  `let epochs = 1;
const name: string = "x", ratio = -0.5, flag = !0;
let list = [1], map = {}, either: string | null = null, made = f();
function notOne() {}`,
  "parameters",
], ["epochs"]);

Deno.test("declaredParameters() reads names, kinds and types", () => {
  assertEquals(
    declaredParameters(declared)?.map(({ name, kind, type }) => `${kind} ${name}: ${type}`),
    [
      "let epochs: number",
      "const name: string",
      "const ratio: number",
      "const flag: boolean",
      "let list: array",
      "let map: object",
      "let either: any",
      "let made: any",
    ],
  );
  assertEquals(declaredParameters(book(["1"])), undefined);
});

Deno.test("readParameters() types values by what is declared, otherwise by JSON", () => {
  const pairs = ["epochs=2", "name=5", "flag=false", "list=[1,2]", "made=a=b", "either=null"];
  assertEquals(readParameters(declared, [...pairs, "ratio=1e-3", 'map={"a":1}']), {
    epochs: 2,
    name: "5",
    flag: false,
    list: [1, 2],
    made: "a=b",
    either: null,
    ratio: 0.001,
    map: { a: 1 },
  });
  assertEquals(readParameters(declared, ['name="5"', "name="]), { name: "" });
});

Deno.test("readParameters() refuses what is not name=value", () => {
  for (const text of ["epochs", "=1", "a b=1", "1a=1", "a);evil(=1"]) {
    assertThrows(() => readParameters(declared, [text]), SyntaxError, "expected name=value");
  }
});

Deno.test("injectParameters() puts a cell after the parameters cell, in its kinds", () => {
  const { cells } = injectParameters(declared, { epochs: 3, name: 'a"\n', list: [1, "b"] });
  assertEquals(cells.map((cell) => cell.id), ["c0", "c1", "injected-parameters", "c2"]);
  assertEquals(cells[2].metadata.tags, ["injected-parameters"]);
  assertEquals(
    cells[2].source,
    '// Parameters of this run\nlet epochs = 3;\nlet list = [\n  1,\n  "b"\n];\nconst name = "a\\"\\n";',
  );
  assertEquals(declared.cells.length, 3);
});

Deno.test("injectParameters() makes the same cell of the same parameters, in whatever order", () => {
  const source = (values: Record<string, unknown>) =>
    injectParameters(book(["1"]), values).cells[0].source;
  assertEquals(source({ b: { y: 1, x: [2] }, a: 3 }), source({ a: 3, b: { x: [2], y: 1 } }));
});

Deno.test("injectParameters() replaces the cell of an earlier run", () => {
  const twice = injectParameters(injectParameters(declared, { epochs: 3 }), { epochs: 4 });
  assertEquals(twice.cells.map((cell) => cell.id), ["c0", "c1", "injected-parameters", "c2"]);
  assertEquals(twice.cells[2].source.endsWith("epochs = 4;"), true);
});

Deno.test("injectParameters() puts the cell first where nothing is declared", () => {
  const { cells } = injectParameters(book(["1"]), { any: NaN });
  assertEquals(cells[0].source, "// Parameters of this run\nlet any = NaN;");
});

Deno.test("injectParameters() refuses unknown names with the nearest, and wrong types", () => {
  assertThrows(
    () => injectParameters(declared, { epoch: 1 }),
    RangeError,
    'Cannot set parameter "epoch": the notebook has no such parameter, did you mean "epochs"?',
  );
  assertThrows(
    () => injectParameters(book(["f()", "parameters"]), { epoch: 1 }),
    RangeError,
    "the notebook's parameters cell declares none",
  );
  assertThrows(
    () => injectParameters(declared, { epochs: "two" }),
    TypeError,
    'Cannot set parameter "epochs" to "two": expected a number, got a string',
  );
  assertThrows(
    () => injectParameters(declared, { list: {} }),
    TypeError,
    "expected an array, got an object",
  );
  assertThrows(
    () => injectParameters(declared, { made: () => 1 }),
    TypeError,
    "is not a JSON value",
  );
});

Deno.test("injectParameters() writes dates and bigints as they are declared, and takes only identifiers", () => {
  const book = notebookOf(
    code("const day = new Date(0);\nlet big = 1n;\nlet o = {};", [], {
      metadata: { tags: ["parameters"] },
    }),
  );
  const values = readParameters(book, ["day=2024-02-29", "big=123456789012345678901234567890"]);
  assertEquals(values, { day: "2024-02-29", big: "123456789012345678901234567890" });
  const { source } =
    injectParameters(book, { ...values, o: JSON.parse('{"__proto__":1}') }).cells[1];
  assertEquals(
    source,
    "// Parameters of this run\nlet big = 123456789012345678901234567890n;\n" +
      'const day = new Date("2024-02-29");\n' +
      'let o = JSON.parse("{\\n  \\"__proto__\\": 1\\n}");',
  );
  const refuse = (values: Record<string, unknown>, error: typeof Error, message: string) =>
    assertThrows(() => injectParameters(book, values), error, message);
  refuse({ day: "soon" }, TypeError, 'Cannot set parameter "day" to "soon": expected a date');
  refuse({ big: 1.5 }, TypeError, 'Cannot set parameter "big" to 1.5: expected a whole number');
  for (const name of ["a = 1; console.log(1)//", "class", "a b", ""]) {
    refuse({ [name]: 1 }, SyntaxError, "expected the name of a variable");
  }
});
