// What a submission changed in the release's own cells is put back and reported.

import { assert, assertEquals } from "@std/assert";
import { releaseNotebook } from "../../lib/grade/release.ts";
import { restoreSubmission } from "../../lib/grade/restore.ts";
import type { Cell, Notebook } from "../../lib/runtime/notebook.ts";
import { answer, book, locked, test, written } from "./book.ts";

const RELEASE = releaseNotebook(book(
  ["code", "const data = 1;", locked("data")],
  ["code", "const f = 1;", answer("f")],
  ["code", "f;\n// BEGIN HIDDEN TESTS\nf + 1;\n// END HIDDEN TESTS", test("test_f", 3)],
  ["markdown", "Why?", written("why")],
));

type Mark = Record<string, unknown>;

/** What is found after a change, and the roles and sources of what is graded. */
function after(change: (notebook: Notebook, marks: Mark[]) => void) {
  const submission = structuredClone(RELEASE.notebook);
  change(submission, submission.cells.map(({ metadata }) => metadata.nbgrader as Mark));
  const { notebook, findings, missing } = restoreSubmission(RELEASE, submission);
  return {
    findings: findings.map(({ message }) => message),
    cells: notebook.cells.map(({ metadata, source }) => [
      (metadata.nbgrader as Mark | undefined)?.grade_id,
      source.split("\n")[0],
    ]),
    notebook,
    missing: [...missing],
  };
}

const WHOLE = [
  ["data", "const data = 1;"],
  ["f", "const f = 2;"],
  ["test_f", "f;"],
  ["why", "YOUR ANSWER HERE"],
];
const fill = (notebook: Notebook) => void (notebook.cells[1]!.source = "const f = 2;");
const extra = (cell: Cell): Cell => ({ ...structuredClone(cell), id: "extra" });

Deno.test("an honest submission is graded with the hidden tests", () => {
  const { findings, cells, notebook } = after(fill);
  assertEquals([findings, cells], [[], WHOLE]);
  assertEquals(notebook.cells[2]!.source.includes("f + 1;"), true);
});

Deno.test("locked and test cells, points, flags and checksums are put back", () => {
  const { findings, cells, notebook } = after((notebook, marks) => {
    fill(notebook);
    notebook.cells[0]!.source = "const data = 9;";
    notebook.cells[2]!.source = "100";
    Object.assign(marks[2]!, { points: 100, checksum: "0".repeat(32) });
    Object.assign(marks[3]!, { grade: false });
    marks[1]!.locked = true;
    notebook.metadata.kernelspec = { name: "python3", display_name: "Python" };
  });
  assertEquals(cells, WHOLE);
  assertEquals(findings.map((one) => one.replace(/"[0-9a-f]{32}"/g, "…")), [
    "The cell was changed, though it is locked: the release's is used",
    'The cell\'s "locked" was changed from false to true: it is put back',
    "The cell was changed, though it is locked: the release's is used",
    'The cell\'s "points" was changed from 3 to 100: it is put back',
    'The cell\'s "checksum" was changed from … to …: it is put back',
    'The cell\'s "grade" was changed from true to false: it is put back',
    "The notebook's kernelspec was changed: the release's is used",
  ]);
  assertEquals((notebook.cells[2]!.metadata.nbgrader as Mark).points, 3);
  assertEquals(notebook.metadata.kernelspec!.name, "tunebook");
});

Deno.test("deleted cells come back, or are missing", () => {
  const { findings, cells, missing } = after((notebook) => {
    notebook.cells = notebook.cells.slice(1, 2);
    notebook.cells[0]!.source = "const f = 2;";
  });
  assertEquals(cells, [["data", "const data = 1;"], ...WHOLE.slice(1, 3), ["why", ""]]);
  assertEquals(missing, ["data", "test_f", "why"]);
  assertEquals(findings, [
    'The locked cell "data" is missing: it is put back',
    'The test cell "test_f" is missing: it is put back',
    'The manual cell "why" is missing',
  ]);
});

Deno.test("of copied cells tests count once, and the last answer counts", () => {
  const { findings, cells } = after((notebook) => {
    fill(notebook);
    const copy = extra(notebook.cells[1]!);
    copy.source = "const f = 3;";
    notebook.cells.splice(2, 0, copy);
    notebook.cells.push(extra(notebook.cells[3]!));
  });
  assertEquals(cells, [
    ["data", "const data = 1;"],
    [undefined, "const f = 2;"],
    ["f", "const f = 3;"],
    ...WHOLE.slice(2),
  ]);
  assertEquals(findings, [
    "The cell is there more than once",
    "The cell is there more than once",
  ]);
});

Deno.test("ids, types and metadata that were changed are known by the cell", () => {
  const { findings, cells, notebook } = after((notebook, marks) => {
    fill(notebook);
    marks[2]!.grade_id = "mine";
    delete notebook.cells[0]!.metadata.nbgrader;
    notebook.cells[1] = {
      cell_type: "markdown",
      id: notebook.cells[1]!.id,
      metadata: notebook.cells[1]!.metadata,
      source: "const f = 2;",
    };
    const forged = extra(notebook.cells[2]!);
    notebook.cells.push(forged);
  });
  assertEquals(cells, [...WHOLE, [undefined, "f;"]]);
  assertEquals(notebook.cells[1]!.cell_type, "code");
  assertEquals(findings, [
    "The cell's grading metadata was removed: it is put back",
    "The cell is markdown: it was released as code",
    'The cell\'s grade_id was changed to "mine": it is put back',
    'The cell says that it is graded as "mine", which the release does not know',
  ]);
});

Deno.test("moved cells are reported, and run as handed in", () => {
  const { findings } = after((notebook) => void notebook.cells.reverse());
  assertEquals(findings, ['The cell "test_f" was moved: cells run as handed in']);
});

Deno.test("metadata that nobody can read does no harm", () => {
  for (const value of [null, 1, "x", [], { grade_id: 5 }, { schema_version: 99 }]) {
    const { cells } = after((notebook) => {
      fill(notebook);
      notebook.cells[2]!.metadata.nbgrader = value as unknown as Record<string, unknown>;
      notebook.cells.push({ ...extra(notebook.cells[2]!), source: "1" });
    });
    assertEquals(cells.slice(0, 4), WHOLE);
    assertEquals(cells[4]![0], undefined);
  }
});

Deno.test("what a student writes is short in findings, and moves no terminal's cursor", () => {
  const long = `\x1b[2J\x9b2J\u202e${"x".repeat(1e6)}`;
  const { findings } = after((notebook, marks) => {
    fill(notebook);
    marks[2]![long] = long;
    notebook.cells.push({
      ...extra(notebook.cells[2]!),
      metadata: { nbgrader: { ...marks[2], [long]: undefined, grade_id: long } },
    });
  });
  assertEquals(findings.length, 2);
  for (const message of findings) {
    assert(message.length < 400, `${message.length} characters`);
    // deno-lint-ignore no-control-regex -- these are what must not be there
    assert(!/[\0-\x1f\x7f-\x9f\u202e]/.test(message));
  }
});

Deno.test("of very many changes the first are listed, and the rest are counted", () => {
  const { findings, cells } = after((notebook) => {
    fill(notebook);
    const copy = notebook.cells[0]!;
    for (let i = 0; i < 5000; i++) notebook.cells.push({ ...copy, id: `copy${i}` });
  });
  assertEquals(cells, WHOLE);
  assertEquals([findings.length, findings.at(-1)], [201, "4800 more changes are not listed"]);
});
