// Real nbgrader beside this library: it accepts the sources, makes the same releases, and gives the same scores with the
// configuration that "grade init --nbgrader" writes. Where scores differ, they do so on purpose: lib/grade/README.md.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { gradeSubmission } from "../../lib/grade/autograde.ts";
import { initCourse } from "../../lib/grade/course.ts";
import { Gradebook } from "../../lib/grade/gradebook.ts";
import { METADATA_KEY, readGradeMetadata } from "../../lib/grade/metadata.ts";
import { NBGRADER_CONFIG, nbgraderConfig } from "../../lib/grade/nbgrader_config.ts";
import { releaseAssignment } from "../../lib/grade/release_assignment.ts";
import { releaseNotebook } from "../../lib/grade/release.ts";
import { restoreSubmission } from "../../lib/grade/restore.ts";
import { readSubmission, submitters } from "../../lib/grade/submission.ts";
import { libraryConfig } from "../../lib/runtime/library.ts";
import { formatNotebook, type Notebook, readNotebook } from "../../lib/runtime/notebook.ts";
import { sandboxFault } from "../../lib/runtime/sandbox/outer.ts";
import { answer, book, locked, test, written } from "./book.ts";
import { nbgrader, quickstartFolder, runNbgrader } from "./nbgrader.ts";
import { handIn, type Quality, type Submission } from "./submissions/submission.ts";

const fault = await sandboxFault();
const assignments = fromFileUrl(new URL("../../notebooks/assignments", import.meta.url));
const shipped = [...Deno.readDirSync(assignments)].filter(({ isDirectory }) => isDirectory)
  .map(({ name }) => name).sort();

const solution = (code: string) => `// BEGIN SOLUTION\n${code}\n// END SOLUTION`;
const hidden = (code: string) =>
  `### BEGIN HIDDEN TESTS\n${code}\n### END HIDDEN TESTS`
    .replaceAll("###", "///");

/** An assignment as classic courses have them: tests call functions and await nothing. */
const CLASSIC = book(
  ["markdown", "# Numbers"],
  ["code", 'import assert from "node:assert/strict";', locked("setup")],
  [
    "code",
    `function squares(n: number): number[] {\n  ${
      solution(
        'if (n < 1) throw new RangeError("n must be at least 1");\n' +
          "  return Array.from({ length: n }, (_, i) => (i + 1) ** 2);",
      ).replaceAll("\n", "\n  ")
    }\n}`,
    answer("squares"),
  ],
  ["code", "squares(5)"],
  [
    "code",
    `assert.deepEqual(squares(2), [1, 4]);\n${
      hidden("assert.deepEqual(squares(4), [1, 4, 9, 16]);")
    }`,
    test("squares_right", 2),
  ],
  ["code", "assert.throws(() => squares(0), RangeError);", test("squares_refuses", 1.5)],
  ["code", "const sum = (list: number[]) => list.reduce((a, b) => a + b, 0);", answer("sum")],
  [
    "code",
    "const lists = [[], [1], [1, 2], [3, 4, 5]];\n" +
    "lists.filter((list) => sum(list) === list.reduce((a, b) => a + b, 0)).length",
    test("sum_cases", 4),
  ],
  ["markdown", "It is linear.", written("why", 3)],
  [
    "markdown",
    "Draw it.\n\n<!-- BEGIN MARK SCHEME -->\n- 2 points: axes.\n<!-- END MARK SCHEME -->",
    { task: true, locked: true, grade_id: "draw", points: 2 },
  ],
);

const GOOD = {
  squares: 'function squares(n: number): number[] {\n  if (n < 1) throw new RangeError("no");\n' +
    "  const list = [];\n  for (let i = 1; i <= n; i++) list.push(i * i);\n  return list;\n}",
  sum: "function sum(list: number[]) { let s = 0; for (const x of list) s += x; return s; }",
  why: "Each number is added once.",
};

/** Submissions for which scores agree. */
const AGREED: Record<string, Record<string, string>> = {
  good: GOOD,
  stub: {},
  wrong: { ...GOOD, squares: "function squares(n: number) { return [n]; }" },
  raising: { ...GOOD, squares: "function squares(n: number) { throw new Error('no ' + n); }" },
  // The visible test passes, the hidden one does not; two of four sums are right.
  partly: {
    ...GOOD,
    squares: "const squares = (n: number) => n < 1 ? [] : [1, 4].slice(0, n);",
    sum: "const sum = (list: number[]) => list.length > 1 ? NaN : list[0] ?? 0;",
  },
  talking: { ...GOOD, sum: "console.log('hello'); " + GOOD.sum },
  broken: { ...GOOD, squares: "function squares(n: number) {" },
  async: { ...GOOD, squares: "async function squares(n: number) { return [n]; }" },
};

/** Submissions for which they differ, each by the line of the README that says so. */
const DIFFERENT: Record<string, Record<string, string>> = {
  // A warning does not fail a test.
  warning: {
    ...GOOD,
    sum:
      "function sum(list: number[]) { console.warn('slow'); let s = 0; for (const x of list) s += x; return s; }",
  },
  // A hung cell does not void a submission.
  hanging: { ...GOOD, squares: "function squares(n: number) { while (true) n++; }" },
  // A crash is still graded.
  crashing: { ...GOOD, squares: `${GOOD.squares}\nDeno.exit(0);` },
};

const all = { ...AGREED, ...DIFFERENT };
const CLASSIC_ID = "Problem Set 1";
const FAST = {
  limits: { cellSeconds: 4, callSeconds: 4, testSeconds: 4 },
  sandbox: fault === undefined,
};

/** A course with the configuration that `grade init --nbgrader` writes. */
async function openCourse() {
  const root = await Deno.makeTempDir({ prefix: "tunebook-course-" });
  const course = await initCourse(root);
  await Deno.writeTextFile(join(root, NBGRADER_CONFIG), nbgraderConfig({ cellSeconds: 4 }));
  await Deno.writeTextFile(join(root, "deno.json"), JSON.stringify(libraryConfig()));
  const write = async (path: string, notebook: Notebook) => {
    await Deno.mkdir(join(root, path, ".."), { recursive: true });
    await Deno.writeTextFile(join(root, path), formatNotebook(notebook));
  };
  return {
    root,
    course,
    write,
    [Symbol.asyncDispose]: () => Deno.remove(root, { recursive: true }),
  };
}

/** A submission's points by notebook and cell, as nbgrader's gradebook has them. */
function pointsOf(
  { scores }: Awaited<ReturnType<typeof runNbgrader>>,
  assignment: string,
  student: string,
): Record<string, number | null> {
  return Object.fromEntries(
    scores.filter((score) => score.assignment === assignment && score.student === student)
      .map(({ gradeId, points }) => [gradeId, points]),
  );
}

/** A submission's points by cell, as this library grades it; null where a person has to mark. */
async function ourPoints(source: Notebook, answers: Submission["answers"], cwd = Deno.cwd()) {
  const release = releaseNotebook(source);
  const handedIn = handIn(release.notebook, answers);
  const { verdicts } = await gradeSubmission(release, handedIn, { ...FAST, cwd });
  return Object.fromEntries(
    verdicts.map(({ gradeId, points, status }) => [gradeId, status === "manual" ? null : points]),
  );
}

Deno.test({
  name:
    `nbgrader accepts our sources, makes the same releases and gives the same scores${nbgrader.needs}`,
  ignore: !nbgrader.found,
  async fn(t) {
    await using place = await openCourse();
    const { root, write } = place;
    await write(`source/${CLASSIC_ID}/Problem 1.ipynb`, CLASSIC);
    const release = releaseNotebook(CLASSIC).notebook;
    for (const [student, answers] of Object.entries(all)) {
      const path = `submitted/${student}/${CLASSIC_ID}/Problem 1.ipynb`;
      await write(path, handIn(release, answers));
    }
    // Of the assignments that ship, the quick ones are graded too.
    const graded: [name: string, quality: Quality, submission: Submission][] = [];
    for (const name of shipped) {
      await Deno.mkdir(join(root, "source", name));
      for (const { name: file } of Deno.readDirSync(join(assignments, name))) {
        await Deno.copyFile(join(assignments, name, file), join(root, "source", name, file));
      }
      if (name === "fine-tune-and-evaluate") continue;
      const released = releaseNotebook(
        await readNotebook(join(assignments, name, `${name}.ipynb`)),
      ).notebook;
      const { submissions } = await import(`./submissions/${name}.ts`) as {
        submissions: Record<Quality, Submission>;
      };
      for (const [quality, submission] of Object.entries(submissions)) {
        graded.push([name, quality as Quality, submission]);
        await write(
          `submitted/${quality}/${name}/${name}.ipynb`,
          handIn(released, submission.answers),
        );
      }
    }
    // As an older nbgrader wrote it.
    const old = structuredClone(CLASSIC);
    for (const [at, cell] of old.cells.entries()) {
      const given = cell.metadata[METADATA_KEY] as Record<string, unknown> | undefined;
      if (given === undefined || given.task) continue;
      cell.metadata[METADATA_KEY] = { ...given, schema_version: at % 3, other: "x" };
    }
    await write("old.ipynb", old);
    const sources = [
      [CLASSIC_ID, "Problem 1"] as const,
      ...shipped.map((name) => [name, name] as const),
    ];
    const run = await runNbgrader(
      root,
      "update:old.ipynb",
      ...sources.map(([id, name]) => `validate:source/${id}/${name}.ipynb`),
      ...sources.map(([id]) => `generate_assignment:${id}`),
      ...[...new Set([CLASSIC_ID, ...graded.map(([id]) => id)])].map((id) => `autograde:${id}`),
    );

    for (const [step, { success, log }] of Object.entries(run.said)) {
      await t.step(step, () => assert(success, log));
    }

    await t.step("metadata of versions 0 to 2 is read as nbgrader updates it", async () => {
      const { cells } = await readNotebook(join(root, "old.ipynb"));
      assertEquals(
        old.cells.map((cell) => readGradeMetadata(cell)),
        cells.map((cell) => readGradeMetadata(cell)),
      );
      assert(cells.some((cell) => readGradeMetadata(cell)?.schema_version === 3));
    });

    for (const [id, name] of sources) {
      await t.step(`${id}: the releases are equal, checksums too`, async () => {
        const theirs = await readNotebook(join(root, "release", id, `${name}.ipynb`));
        const ours = releaseNotebook(await readNotebook(join(root, "source", id, `${name}.ipynb`)));
        assertEquals(ours.notebook.cells, theirs.cells);
      });
    }

    for (const [student, answers] of Object.entries(AGREED)) {
      await t.step(`${CLASSIC_ID}: a ${student} submission scores the same`, async () => {
        assertEquals(await ourPoints(CLASSIC, answers), pointsOf(run, CLASSIC_ID, student));
      });
    }
    for (const [name, quality, { answers }] of graded) {
      await t.step(`${name}: a ${quality} submission scores the same`, async () => {
        const cwd = join(root, "source", name);
        const source = await readNotebook(join(cwd, `${name}.ipynb`));
        assertEquals(await ourPoints(source, answers, cwd), pointsOf(run, name, quality));
      });
    }
    await t.step("scores are not all alike", () => {
      const totals = Object.keys(AGREED).map((student) =>
        Object.values(pointsOf(run, CLASSIC_ID, student)).reduce<number>((a, b) => a + (b ?? 0), 0)
      );
      assertEquals(new Set(totals).size >= 4, true, String(totals));
    });

    const full = { squares_right: 2, squares_refuses: 1.5, sum_cases: 4, why: null, draw: null };
    await t.step("different on purpose: a warning does not fail a test", async () => {
      assertEquals(await ourPoints(CLASSIC, DIFFERENT.warning!), full);
      assertEquals(pointsOf(run, CLASSIC_ID, "warning"), { ...full, sum_cases: 0 });
    });
    await t.step("with our configuration nbgrader grades the cells after a hung one", async () => {
      const expected = { ...full, squares_right: 0, squares_refuses: 0 };
      assertEquals(await ourPoints(CLASSIC, DIFFERENT.hanging!), expected);
      assertEquals(pointsOf(run, CLASSIC_ID, "hanging"), expected);
    });
    await t.step("different on purpose: a crash is still graded", async () => {
      assertEquals(await ourPoints(CLASSIC, DIFFERENT.crashing!), {
        ...full,
        squares_right: 0,
        squares_refuses: 0,
      });
      console.log(pointsOf(run, CLASSIC_ID, "crashing"));
    });
  },
});
