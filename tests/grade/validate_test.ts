// What a student is told before handing in, with real kernels; and that what is bundled is what collect takes.

import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { bundleFiles } from "../../lib/grade/bundle.ts";
import { listArchive } from "../../lib/grade/collect/archive.ts";
import { releaseNotebook } from "../../lib/grade/release.ts";
import { validateNotebook } from "../../lib/grade/validate.ts";
import type { Validation } from "../../lib/grade/validate/result.ts";
import { formatNotebook, type Notebook, readNotebook } from "../../lib/runtime/notebook.ts";
import { tunebook } from "../cli/tunebook.ts";
import { answer, book, locked, test, written } from "./book.ts";
import { handIn } from "./submissions/submission.ts";
import { submissions } from "./submissions/strategy-proposal.ts";

const SOURCE = book(
  ["markdown", "# Week 1"],
  ["code", 'import assert from "node:assert/strict";\nconst two = 2;', locked("setup")],
  ["markdown", "## 1. Doubling"],
  [
    "code",
    "function double(x: number): number {\n// BEGIN SOLUTION\nreturn 2 * x;\n// END SOLUTION\n}",
    answer("double"),
  ],
  [
    "code",
    "assert.equal(await double(two), 4);\n// BEGIN HIDDEN TESTS\nassert.equal(await double(0), 0);\n// END HIDDEN TESTS",
    test("test_double", 3),
  ],
  ["markdown", "## 2. Halving"],
  ["code", "const half = (x: number) => x / 2;", answer("half")],
  ["code", "assert.equal(await half(two), 1);", test("test_half", 2)],
  ["markdown", "## 3. <b>Why?"],
  ["markdown", "Because", written("why", 4)],
  ["code", '// await validateNotebook("week1.ipynb")'],
);
const RELEASED = releaseNotebook(SOURCE).notebook;

async function validated<T>(notebook: Notebook, use: (path: string) => Promise<T>): Promise<T> {
  const folder = await Deno.makeTempDir({ prefix: "tunebook-validate-test-" });
  try {
    const path = join(folder, "week1.ipynb");
    await Deno.writeTextFile(path, formatNotebook(notebook));
    await Deno.writeTextFile(join(folder, "data.txt"), "6");
    return await use(path);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const statuses = ({ cells }: Validation) =>
  Object.fromEntries(
    cells.map((
      { gradeId, status, points },
    ) => [gradeId, points === undefined ? status : `${status} ${points}`]),
  );

Deno.test("an answered notebook passes, its files are there, and the call itself is not repeated", async () => {
  const notebook = structuredClone(RELEASED);
  notebook.cells[3]!.source =
    'function double(x: number): number {\nreturn 2 * x;\n}\nconst six = Number(await Deno.readTextFile("data.txt"));\nif (six !== 6) throw new Error("no data");';
  notebook.cells[6]!.source = "const half = (x: number) => x / 2;";
  notebook.cells[9]!.source = "Because.";
  notebook.cells[10]!.source = 'await validateNotebook("week1.ipynb"); throw new Error("was run")';
  const validation = await validated(notebook, (path) => validateNotebook(path));
  assertEquals(statuses(validation), {
    double: "answered",
    test_double: "passed 3",
    half: "answered",
    test_half: "passed 2",
    why: "answered",
  });
  assertEquals([validation.findings, validation.isReady, validation.points], [[], true, {
    given: 5,
    max: 5,
  }]);
  assertStringIncludes(validation.text, "✓ 1. Doubling (cell 5): test passes, 3 of 3 points");
});

Deno.test("validation names what is unanswered, fails, was changed, copied or taken away", async () => {
  const notebook = structuredClone(RELEASED);
  const { cells } = notebook;
  cells[1]!.source += "\nconst three = 3;";
  cells[3]!.source = "function double(x: number): number {\nreturn x;\n}";
  cells[6]!.source = 'const half = 1;\n// YOUR CODE HERE\nthrow new Error("Not implemented");';
  cells[7]!.source = "2";
  cells[10]!.source = "const oops = undefinedName;";
  cells.push({ ...structuredClone(cells[3]!), id: "copy" });
  const validation = await validated(notebook, (path) => validateNotebook(path));
  assertEquals(statuses(validation), {
    double: "answered",
    test_double: "failed 0",
    half: "partly",
    test_half: "changed 0",
    why: "unanswered",
  });
  assertEquals(validation.findings.map(({ index, message }) => [index, message.split(":")[0]]), [
    [3, "There is a copy of the cell"],
    [1, "The locked cell was changed, though it is locked"],
    [7, "The test cell was changed, though it is locked"],
    [10, "The cell fails"],
  ]);
  assertEquals(validation.isReady, false);
  const { html } = validation;
  assertStringIncludes(html, "3. &lt;b&gt;Why?");
  assertEquals(html.includes("<b>Why"), false);
});

Deno.test("with the released notebook at hand, what is missing is found too", async () => {
  const notebook = structuredClone(RELEASED);
  notebook.cells.splice(7, 3);
  notebook.cells[4]!.source = "100";
  const validation = await validated(
    notebook,
    (path) => validateNotebook(path, { released: RELEASED }),
  );
  assertEquals(statuses(validation), {
    double: "unanswered",
    test_double: "failed 0",
    half: "unanswered",
    test_half: "failed 0",
    why: "missing",
  });
  assertEquals(validation.findings.map(({ message }) => message), [
    "The cell was changed, though it is locked: the release's is used",
    'The test cell "test_half" is missing: it is put back',
    'The manual cell "why" is missing',
  ]);
});

Deno.test("tensors cross, as they do when the notebook is graded", async () => {
  const { notebook } = releaseNotebook(book(
    ["code", 'import { tensor } from "tunebook/tensor";', locked("imports")],
    ["code", "const ones = () => tensor([1, 1]);", answer("ones")],
    [
      "code",
      "const got = await ones();\nif ((await got.data())[1] !== 1) throw new Error('no');",
      test("t"),
    ],
  ));
  notebook.cells[1]!.source = "const ones = () => tensor([1, 1]);";
  const validation = await validated(notebook, (path) => validateNotebook(path));
  assertEquals(statuses(validation), { ones: "answered", t: "passed 1" });
});

Deno.test("a notebook that is not an assignment, or not named, is an error in words", async () => {
  await validated(
    book(["code", "1"]),
    (path) => assertRejects(() => validateNotebook(path), TypeError, "no cell that is graded"),
  );
  await assertRejects(() => validateNotebook(undefined), TypeError, "give its name");
});

Deno.test("grade validate exports a proposal, checks its structure and makes a bundle", async () => {
  const assignment = fromFileUrl(
    new URL("../../notebooks/assignments/strategy-proposal", import.meta.url),
  );
  const folder = await Deno.makeTempDir({ prefix: "tunebook-validate-test-" });
  try {
    for (const name of ["structure.json", "week4_assignment_yourname.md"]) {
      await Deno.copyFile(join(assignment, name), join(folder, name));
    }
    const source = await readNotebook(join(assignment, "strategy-proposal.ipynb"));
    const notebook = handIn(releaseNotebook(source).notebook, submissions.fair.answers);
    const path = join(folder, "strategy-proposal.ipynb");
    await Deno.writeTextFile(path, formatNotebook(notebook));
    const first = await tunebook(["grade", "validate", path, "--no-run", "--markdown", "ada"]);
    assertEquals(first.code, 1);
    assertStringIncludes(first.stdout, "✗ Dataset considerations: ");
    const markdown = join(folder, "week4_assignment_ada.md");
    const second = await tunebook(["grade", "validate", markdown, "--bundle"]);
    assertEquals(second.code, 1);
    assertStringIncludes(second.stdout, "2 checks of its structure fail");
    const bytes = await Deno.readFile(join(folder, "week4_assignment_ada.zip"));
    const [file, ...more] = await listArchive(bytes, "x.zip", 10);
    assertEquals([file!.path, more], [["week4_assignment_ada.md"], []]);
    assertEquals(await file!.read(1e6), await Deno.readFile(markdown));
    assertEquals(
      bytes,
      await bundleFiles(new Map([["week4_assignment_ada.md", await Deno.readFile(markdown)]])),
    );
    const third = await tunebook(["grade", "validate", path, "--no-run", "--markdown", "../ada"]);
    assertEquals(third.code, 1);
    assertStringIncludes(third.stderr, "expected a name of letters");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
