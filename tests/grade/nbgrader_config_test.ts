// nbgrader's configuration file: what is written can be read, and other people's files are read without running them.

import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import fc from "fast-check";
import { nbgraderConfig, readNbgraderConfig } from "../../lib/grade/nbgrader_config.ts";
import { readPythonLiteral } from "../../lib/grade/python_literal.ts";
import { CODE_STUBS, stubsFor } from "../../lib/grade/stubs.ts";
import { parseNotebook } from "../../lib/runtime/notebook.ts";

Deno.test("the configuration that is written can be read", () => {
  const text = nbgraderConfig({ kernel: "tunebook-strict", cellSeconds: 60 });
  const { codeStubs, unread } = readNbgraderConfig(text);
  assertEquals(codeStubs, { typescript: CODE_STUBS.typescript, python: CODE_STUBS.python });
  assertEquals(unread, []);
  assertStringIncludes(text, 'c.Execute.kernel_name = "tunebook-strict"');
  assertStringIncludes(text, "c.Execute.timeout = 60");
});

Deno.test("a course's delimiters, stubs, header and footer are read", () => {
  const settings = readNbgraderConfig(`c = get_config()
c.CourseDirectory.course_id = "course101"
# c.ClearSolutions.text_stub = 'commented out'
c.ClearSolutions.begin_solution_delimeter = 'VVV SOLUTION'  # ours
c.ClearSolutions.end_solution_delimeter = "AAA SOLUTION"
c.ClearHiddenTests.begin_test_delimeter = (
    "VVV "
    "TESTS"
)
c.ClearSolutions.code_stub = dict(typescript="""// Here
throw new Error('todo');""", python='pass\\n')
c.ClearSolutions.code_stub["javascript"] = '// hm'
c.IncludeHeaderFooter.header = "source/header.ipynb"
c.IncludeHeaderFooter.footer = os.path.join("source", "footer.ipynb")
`);
  assertEquals(settings, {
    courseId: "course101",
    students: [],
    assignments: [],
    codeStubs: {
      typescript: "// Here\nthrow new Error('todo');",
      python: "pass\n",
      javascript: "// hm",
    },
    delimiters: {
      beginSolution: "VVV SOLUTION",
      endSolution: "AAA SOLUTION",
      beginHiddenTests: "VVV TESTS",
    },
    header: "source/header.ipynb",
    unread: ["IncludeHeaderFooter.footer"],
  });
});

Deno.test("Python's literals are read", () => {
  const read = readPythonLiteral;
  assertEquals(read(`{'a': [1, 2.5, -3e2], "b": (True, None), 'c': {}}`), {
    a: [1, 2.5, -300],
    b: [true, null],
    c: {},
  });
  assertEquals(read(`("one")`), "one");
  assertEquals(read(`("one",)`), ["one"]);
  assertEquals(read(String.raw`r"\d" '\x41A\q'`), String.raw`\dAA\q`);
  assertEquals(read("[ # why\n 1,\n]\nnext = 2"), [1]);
  for (const text of ["f()", "[1, 2", "1 + 1", '"a" % b', "", "[".repeat(100), "{1}", "'open"]) {
    assertThrows(() => read(text), SyntaxError, "not a literal");
  }
});

Deno.test("every JSON value is a Python literal but for three names", () => {
  fc.assert(fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
    const python = JSON.stringify(value, (_, item) => item).replace(
      /"(?:[^"\\]|\\.)*"|true|false|null/g,
      (token) => ({ true: "True", false: "False", null: "None" })[token] ?? token,
    );
    assertEquals(JSON.stringify(readPythonLiteral(python)), JSON.stringify(value));
  }));
});

Deno.test("whatever a configuration holds, reading it ends", () => {
  const piece = fc.constantFrom(
    "c",
    ".ClearSolutions.code_stub",
    " = ",
    "{",
    '"',
    "'''",
    "\\",
    "(",
    "\n",
    "#",
    "1",
  );
  fc.assert(fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
    assert(readNbgraderConfig(`c = get_config()\n${pieces.join("")}`).unread.length >= 0);
  }));
});

Deno.test("stubs are those of the notebook's language", () => {
  const notebook = (metadata: unknown) =>
    parseNotebook(JSON.stringify({ nbformat: 4, nbformat_minor: 0, cells: [], metadata }));
  const kernel = (name: string, language?: string) =>
    notebook({ kernelspec: { name, display_name: name, language } });
  assertEquals(stubsFor(kernel("deno", "typescript")).code, CODE_STUBS.typescript);
  assertEquals(stubsFor(kernel("deno")).code, CODE_STUBS.typescript);
  assertEquals(stubsFor(notebook({})).code, CODE_STUBS.typescript);
  assertEquals(stubsFor(kernel("python3")).code, CODE_STUBS.python);
  assertEquals(stubsFor(kernel("ir", "R")).code, CODE_STUBS.R);
  assertEquals(stubsFor(kernel("xsql", "sql"), { code: { sql: "-- HERE" }, text: "Hm" }), {
    code: "-- HERE",
    text: "Hm",
  });
  assertThrows(() => stubsFor(kernel("x", "constructor")), RangeError, 'in "constructor"');
});
