// An assignment in its course folder, and its release.

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { releaseAssignment } from "../../lib/grade/release_assignment.ts";
import { initCourse, openCourse } from "../../lib/grade/course.ts";
import { formatNotebook, type Notebook, readNotebook } from "../../lib/runtime/notebook.ts";
import { answer, book, test, written } from "./book.ts";

const GOOD = book(
  ["markdown", "# Week 1"],
  ["code", "// BEGIN SOLUTION\nconst two = 2;\n// END SOLUTION", answer("two")],
  ["code", 'if (two !== 2) throw new Error("no");', test("test_two", 2)],
  ["markdown", "Because.", written("why")],
);

/** A course with one assignment. */
async function inCourse(
  notebooks: Record<string, Notebook>,
  settings: string,
  work: (root: string) => Promise<void>,
) {
  const root = await Deno.makeTempDir({ prefix: "tunebook-course-" });
  try {
    await initCourse(root);
    await Deno.writeTextFile(join(root, "course.yaml"), settings);
    await Deno.mkdir(join(root, "source/week1/data"), { recursive: true });
    await Deno.writeTextFile(join(root, "source/week1/data/words.txt"), "a b");
    await Deno.writeTextFile(join(root, "source/week1/.secret"), "");
    for (const [name, notebook] of Object.entries(notebooks)) {
      await Deno.writeTextFile(
        join(root, `source/week1/${name}.ipynb`),
        formatNotebook(notebook),
      );
    }
    await work(root);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

const DUE =
  'timeZone: Europe/Berlin\nassignments: { week1: { due: "2026-10-01 23:59", points: 4 } }';

Deno.test("a release has the due date, the files, and no solutions", () =>
  inCourse({ main: GOOD }, DUE, async (root) => {
    const release = async () => await releaseAssignment(await openCourse(root), "week1");
    assertEquals(await release(), {
      folder: join(root, "release/week1"),
      faults: [],
      notes: [],
    });
    const released = await readNotebook(join(root, "release/week1/main.ipynb"));
    assertEquals(
      released.cells.map(({ source }) => source.split("\n")[0]),
      [
        "# Week 1",
        "**Due:** Thursday, 1 October 2026 at 23:59 (Europe/Berlin)",
        "// YOUR CODE HERE",
        'if (two !== 2) throw new Error("no");',
        "YOUR ANSWER HERE",
      ],
    );
    const names = async (folder: string) =>
      (await Array.fromAsync(Deno.readDir(join(root, folder)))).map(({ name }) => name).sort();
    assertEquals(await names("release/week1"), ["data", "main.ipynb"]);
    assertEquals(await names("release/week1/data"), ["words.txt"]);
    // A release replaces the one before, whatever a killed process has left beside it.
    await Deno.rename(join(root, "release/week1"), join(root, "release/.week1.before"));
    await Deno.mkdir(join(root, "release/.week1.unfinished"));
    await Deno.remove(join(root, "source/week1/data"), { recursive: true });
    assertEquals((await release()).faults, []);
    assertEquals(await names("release/week1"), ["main.ipynb"]);
    assertEquals(await names("release"), ["week1"]);
  }));

Deno.test("faults are named with their notebook and cell, and nothing is released", async () => {
  const faulty = book(
    ["code", "// BEGIN SOLUTION\nconst two = 2;", answer("two")],
    ["code", "1;", test("test_two", 2)],
    ["code", "2;", test("test_two", 2)],
    ["code", "// BEGIN HIDDEN TESTS\n3;\n// END HIDDEN TESTS"],
  );
  await inCourse({ main: GOOD, second: faulty }, DUE, async (root) => {
    const { folder, faults } = await releaseAssignment(await openCourse(root), "week1");
    assertEquals(folder, undefined);
    assertEquals(faults.map((fault) => fault.split(": ").slice(0, 2).join(": ")), [
      'second.ipynb: Cell 1 ("two")',
      'second.ipynb: Cell 3 ("test_two")',
      "second.ipynb: Cell 4",
    ]);
    assertMatch(faults[0]!, /"BEGIN SOLUTION" in line 1 has no "END SOLUTION"/);
  });
  await inCourse({ main: GOOD }, DUE.replace("points: 4", "points: 5"), async (root) => {
    const { faults } = await releaseAssignment(await openCourse(root), "week1");
    assertEquals(faults, ["The cells' points add up to 4: course.yaml says 5"]);
  });
  await inCourse({ main: GOOD }, "", async (root) => {
    const { notes } = await releaseAssignment(await openCourse(root), "week1");
    assertStringIncludes(notes[0]!, '"week1" is not in course.yaml');
  });
});
