// A folder that nbgrader has kept becomes a course: its students and dates, and its habits of writing notebooks.

import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { DatabaseSync } from "node:sqlite";
import { initCourse } from "../../lib/grade/course.ts";
import { readNbgraderCourse } from "../../lib/grade/nbgrader_course.ts";
import { releaseAssignment } from "../../lib/grade/release_assignment.ts";
import { formatNotebook, readNotebook } from "../../lib/runtime/notebook.ts";
import { answer, book, type BookCell, test } from "./book.ts";

/** A folder of some files. */
async function folderOf(files: Record<string, string>) {
  const root = await Deno.makeTempDir({ prefix: "tunebook-course-" });
  for (const [path, text] of Object.entries(files)) {
    await Deno.mkdir(join(root, path, ".."), { recursive: true });
    await Deno.writeTextFile(join(root, path), text);
  }
  return { root, [Symbol.asyncDispose]: () => Deno.remove(root, { recursive: true }) };
}

const notebook = (...cells: BookCell[]) => formatNotebook(book(...cells));

Deno.test("students, due dates and extensions come from nbgrader's gradebook", async () => {
  await using folder = await folderOf({
    "source/Problem Set 1/Problem 1.ipynb": notebook(["markdown", "# One"]),
    "source/header.ipynb": notebook(["markdown", "Read this first."]),
    "submitted/eve/Problem Set 1/Problem 1.ipynb": notebook(),
    "nbgrader_config.py": 'c = get_config()\nc.CourseDirectory.course_id = "course101"\n',
  });
  const db = new DatabaseSync(join(folder.root, "gradebook.db"));
  db.exec(`
    CREATE TABLE student (id TEXT, first_name TEXT, last_name TEXT, email TEXT, lms_user_id TEXT);
    CREATE TABLE assignment (id TEXT, name TEXT, duedate DATETIME, course_id TEXT);
    CREATE TABLE submitted_assignment (id TEXT, assignment_id TEXT, student_id TEXT, extension DATETIME);
    INSERT INTO student VALUES ('ada', 'Ada', '=HYPERLINK("x")', 'ada@example.org', '77'), ('bob', NULL, NULL, NULL, NULL);
    INSERT INTO assignment VALUES ('1', 'Problem Set 1', '2026-10-01 21:59:00.000000', 'c'), ('2', 'ps2', NULL, 'c');
    INSERT INTO submitted_assignment VALUES ('3', '1', 'ada', '1970-01-03 12:00:00.000000'), ('4', '1', 'bob', NULL);
  `);
  db.close();
  const { settings, roster } = await initCourse(folder.root);
  assertEquals(settings.name, "course101");
  assertEquals(roster, [
    { id: "ada", firstName: "Ada", email: "ada@example.org", lmsUserId: "77" },
    { id: "bob" },
    { id: "eve" },
  ]);
  assertEquals([...settings.assignments.keys()], ["Problem Set 1", "ps2"]);
  const { due, extensions } = settings.assignments.get("Problem Set 1")!;
  assertEquals(due, new Date("2026-10-01T21:59:00Z"));
  assertEquals([...extensions], [["ada", new Date("2026-10-04T09:59:00Z")]]);
  assertEquals(settings.assignments.get("ps2")!.due, undefined);
});

Deno.test("students and dates come from a file for import, and from an old configuration", async () => {
  await using folder = await folderOf({
    "students.csv": "\uFEFFid,last_name,first_name,cohort\r\nada,Lovelace,Ada,1\r\n",
    "nbgrader_config.py": `c = get_config()
c.CourseDirectory.db_students = [
    dict(id="bob", first_name="Bob"),  # since week 2
]
c.CourseDirectory.db_assignments = [dict(name="ps1", duedate="2026-10-01 17:00:00 America/New_York")]
`,
  });
  const { settings, roster } = await initCourse(folder.root);
  assertEquals(roster, [
    { id: "ada", firstName: "Ada", lastName: "Lovelace" },
    { id: "bob", firstName: "Bob" },
  ]);
  assertEquals(settings.assignments.get("ps1")!.due, new Date("2026-10-01T21:00:00Z"));
});

Deno.test("a database of somebody else's is named", async () => {
  await using folder = await folderOf({ "gradebook.db": "no database" });
  await assertRejects(() => readNbgraderCourse(folder.root), Error, "move it elsewhere");
});

Deno.test("a course's header, footer, markers and stubs make its releases", async () => {
  await using folder = await folderOf({
    "source/header.ipynb": notebook(["markdown", "Read this first."], ["code", 'const NAME = "";']),
    "source/footer.ipynb": notebook(["markdown", "Hand it in."]),
    "source/ps1/p1.ipynb": notebook(
      ["code", "function f() {\n  /* VVV */\n  return 1;\n  /* AAA */\n}", answer("f")],
      ["code", "f();\n// HIDE\nif (f() !== 1) throw 1;\n// SHOW", test("t")],
    ),
    "nbgrader_config.py": `c = get_config()
c.IncludeHeaderFooter.header = "source/header.ipynb"
c.IncludeHeaderFooter.footer = "source/footer.ipynb"
c.ClearSolutions.begin_solution_delimeter = "VVV"
c.ClearSolutions.end_solution_delimeter = "AAA"
c.ClearHiddenTests.begin_test_delimeter = "HIDE"
c.ClearHiddenTests.end_test_delimeter = "SHOW"
c.ClearSolutions.code_stub = {"typescript": "return NaN; // todo"}
`,
  });
  const course = await initCourse(folder.root);
  const { faults } = await releaseAssignment(course, "ps1");
  assertEquals(faults, []);
  const released = await readNotebook(join(folder.root, "release", "ps1", "p1.ipynb"));
  assertEquals(released.cells.map(({ source }) => source), [
    "Read this first.",
    'const NAME = "";',
    "function f() {\n  return NaN; // todo\n}",
    "f();",
    "Hand it in.",
  ]);
  assertEquals(new Set(released.cells.map(({ id }) => id)).size, 5);
});

Deno.test("a header that only Python could find is named", async () => {
  await using folder = await folderOf({
    "source/ps1/p1.ipynb": notebook(["markdown", "# One"]),
    "nbgrader_config.py":
      'c = get_config()\nc.IncludeHeaderFooter.header = os.path.join("source", "header.ipynb")\n',
  });
  const course = await initCourse(folder.root);
  const error = await assertRejects(() => releaseAssignment(course, "ps1"), SyntaxError);
  assertStringIncludes(error.message, '"IncludeHeaderFooter.header" is not a literal');
});
