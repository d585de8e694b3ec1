// The student's version of an assignment: what our release makes, against what nbgrader makes of the same source.

import { assertEquals, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { cellChecksum } from "../../lib/grade/checksum.ts";
import { checkMetadata, describeFinding, gradedCells } from "../../lib/grade/metadata.ts";
import { replaceRegions, withoutMarkers } from "../../lib/grade/regions.ts";
import { checkRelease, releaseNotebook } from "../../lib/grade/release.ts";
import { type Notebook, readNotebook } from "../../lib/runtime/notebook.ts";
import { findPython } from "../support.ts";
import { answer, book, test, written } from "./book.ts";

const nbgrader = findPython("nbgrader");

const ASSIGNMENT = book(
  ["markdown", "# Exercise\n\nGrüße 😀"],
  ["code", "const given = 1;", { locked: true, grade_id: "given" }],
  [
    "code",
    "function twice(x: number) {\n  // BEGIN SOLUTION\n  return 2 * x;\n  // END SOLUTION\n}",
    answer("twice"),
  ],
  [
    "code",
    "assert(twice(1) === 2);\n// BEGIN HIDDEN TESTS\nassert(twice(-3) === -6);\n// END HIDDEN TESTS",
    test("test_twice", 2.5),
  ],
  ["code", "const whole = 'solution';", answer("whole")],
  ["code", "assert(whole);", test("test_whole", 0)],
  ["markdown", "It is so, because…", written("why")],
  [
    "markdown",
    "Plot something.\n\n### BEGIN MARK SCHEME\n2 points for axes\n### END MARK SCHEME",
    { task: true, grade_id: "plot", points: 3 },
  ],
  ["code", "console.log('free');"],
);

Deno.test("releaseNotebook() takes out solutions, hidden tests and mark schemes", () => {
  const { notebook, withHidden } = releaseNotebook(ASSIGNMENT);
  const sources = notebook.cells.map(({ source }) => source);
  assertEquals(
    sources[2],
    'function twice(x: number) {\n  // YOUR CODE HERE\n  throw new Error("Not implemented");\n}',
  );
  assertEquals(sources[3], "assert(twice(1) === 2);");
  assertEquals(sources[4], '// YOUR CODE HERE\nthrow new Error("Not implemented");');
  assertEquals(sources[6], "YOUR ANSWER HERE");
  assertEquals(sources[7], "Plot something.\n");
  assertEquals(
    JSON.stringify(notebook).match(/2 \* x|-6|solution';|2 points for|BEGIN|END /),
    null,
  );
  assertEquals(withHidden.get("test_twice")!.source, ASSIGNMENT.cells[3].source);
  assertEquals(notebook.cells.map((cell) => "execution_count" in cell && cell.execution_count), [
    ...[false, null, null, null, null, null, false, false, null],
  ]);
});

Deno.test("releaseNotebook() locks what is graded or given, and lets answers be edited", () => {
  const flags = releaseNotebook(ASSIGNMENT).notebook.cells.map(({ metadata }) =>
    [metadata.deletable, metadata.editable].map((flag) => flag ?? true)
  );
  assertEquals(flags, [
    ...[[true, true], [false, false], [false, true], [false, false], [false, true]],
    ...[[false, false], [false, true], [true, true], [true, true]],
  ]);
});

Deno.test("releaseNotebook() leaves the instructor's notebook as it was", () => {
  const before = structuredClone(ASSIGNMENT);
  releaseNotebook(ASSIGNMENT);
  assertEquals(ASSIGNMENT, before);
});

Deno.test("checkRelease() names each fault with its cell", () => {
  const faulty = book(
    ["code", "// BEGIN SOLUTION\n1", answer("open")],
    ["code", "// BEGIN SOLUTION\n// BEGIN SOLUTION\n// END SOLUTION", answer("nested")],
    ["code", "// END HIDDEN TESTS", test("end")],
    ["code", "// BEGIN SOLUTION\n// END SOLUTION", test("wrong")],
    ["code", "// BEGIN HIDDEN TESTS\n// END HIDDEN TESTS"],
    ["code", "1", { grade: true, locked: true, grade_id: "pointless" }],
    ["code", "1", answer("open")],
    ["code", "1", { solution: true }],
    ["markdown", "1", test("text")],
    ["code", "1", { task: true, grade_id: "task", points: 1 }],
    ["code", "1", { grade: "yes" }],
    ["code", "1", { grade: true, grade_id: "a b", points: 1 }],
    [
      "markdown",
      "BEGIN MARK SCHEME\n![x](attachment:a.png)\nEND MARK SCHEME",
      { task: true, grade_id: "leak", points: 1 },
    ],
  );
  assertEquals(checkRelease(faulty).map(describeFinding), [
    'Cell 1 ("open"): Cannot read the markers: "BEGIN SOLUTION" in line 1 has no "END SOLUTION"',
    'Cell 2 ("nested"): Cannot read the markers: "BEGIN SOLUTION" in line 2 stands in the region that began in line 1',
    'Cell 3 ("end"): Cannot read the markers: "END HIDDEN TESTS" in line 1 ends no region; expected "BEGIN HIDDEN TESTS" before it',
    'Cell 4 ("wrong"): A solution stands in a cell that is not an answer',
    "Cell 5: A hidden test stands in a cell that is not graded",
    'Cell 6 ("pointless"): A graded cell has no points',
    'Cell 7 ("open"): The grade_id is also that of cell 1: rename one',
    "Cell 8: A solution cell has no grade_id: give it one",
    'Cell 9 ("text"): A markdown cell is only graded or only answered: expected both, for a person to mark',
    'Cell 10 ("task"): A task cell is a code cell: expected markdown',
    'Cell 11: Cannot read nbgrader metadata at "grade": invalid input: expected boolean, received string',
    'Cell 12: Cannot read nbgrader metadata at "grade_id": invalid string: must match pattern /^[a-zA-Z0-9_-]*$/',
    'Cell 13 ("leak"): A mark scheme shows an attachment, which students would receive: embed the image',
  ]);
  assertThrows(
    () => releaseNotebook(faulty),
    SyntaxError,
    'Cannot release the assignment: Cell 1 ("open")',
  );
});

Deno.test("checkMetadata() finds nothing in a release, and its checksums hold", () => {
  const { notebook } = releaseNotebook(ASSIGNMENT);
  assertEquals(checkMetadata(notebook), []);
  for (const { cell, metadata, role } of gradedCells(notebook)) {
    assertEquals(metadata.checksum, role === "task" ? undefined : cellChecksum(cell, metadata));
  }
  assertEquals(gradedCells(notebook).map(({ role }) => role), [
    ...["locked", "solution", "test", "solution", "test", "manual", "task"],
  ]);
});

Deno.test("replaceRegions() and withoutMarkers() divide a source in two", () => {
  const source = "a\n  # BEGIN SOLUTION x\n  b\n  # END SOLUTION\nc";
  assertEquals(replaceRegions(source, "solution", ["stub"]), {
    source: "a\n  stub\nc",
    regions: ["  b"],
  });
  assertEquals(withoutMarkers(source), "a\n  b\nc");
});

/** What nbgrader makes of the notebooks of a folder, by name. */
async function releasedByNbgrader(notebooks: Record<string, Notebook>): Promise<
  Record<string, Notebook>
> {
  const course = await Deno.makeTempDir();
  try {
    const source = join(course, "source", "a1");
    await Deno.mkdir(source, { recursive: true });
    for (const [name, notebook] of Object.entries(notebooks)) {
      await Deno.writeTextFile(join(source, `${name}.ipynb`), JSON.stringify(notebook));
    }
    const script = new URL("nbgrader_release.py", import.meta.url).pathname;
    await nbgrader.run(script, course, "a1");
    const released = await Promise.all(
      Object.keys(notebooks).map(async (name) => [
        name,
        await readNotebook(join(course, "release", "a1", `${name}.ipynb`)),
      ]),
    );
    return Object.fromEntries(released);
  } finally {
    await Deno.remove(course, { recursive: true });
  }
}

Deno.test({
  name: `releaseNotebook() equals nbgrader's generate_assignment, checksums too${nbgrader.needs}`,
  ignore: !nbgrader.found,
  async fn() {
    const notebooks = { ours: ASSIGNMENT };
    const theirs = await releasedByNbgrader(notebooks);
    const { notebook } = releaseNotebook(ASSIGNMENT);
    assertEquals(notebook.cells, theirs.ours.cells);
  },
});
