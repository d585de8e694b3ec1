// Real nbgrader beside this library: it accepts the sources, makes the same releases, and gives the same scores with the
// configuration that "grade init --nbgrader" writes. Where scores differ, they do so on purpose: lib/grade/README.md.

import { assert, assertEquals } from "@std/assert";
import { parse } from "@std/csv";
import { fromFileUrl, join } from "@std/path";
import { gradeSubmission } from "../../lib/grade/autograde.ts";
import { initCourse } from "../../lib/grade/course.ts";
import { Gradebook } from "../../lib/grade/gradebook.ts";
import { scoreRows, scoresToCsv } from "../../lib/grade/gradebook_csv.ts";
import { openGrader } from "../../lib/grade/grader.ts";
import { gradedCells, METADATA_KEY, readGradeMetadata } from "../../lib/grade/metadata.ts";
import { NBGRADER_CONFIG, nbgraderConfig } from "../../lib/grade/nbgrader_config.ts";
import { releaseAssignment } from "../../lib/grade/release_assignment.ts";
import { releaseNotebook } from "../../lib/grade/release.ts";
import { restoreSubmission } from "../../lib/grade/restore.ts";
import { assignmentScores } from "../../lib/grade/scores.ts";
import { readSubmission, submitters } from "../../lib/grade/submission.ts";
import { libraryConfig } from "../../lib/runtime/library.ts";
import { formatNotebook, type Notebook, readNotebook } from "../../lib/runtime/notebook.ts";
import { sandboxFault } from "../../lib/runtime/sandbox/outer.ts";
import { AGREED, type Answers, CLASSIC, CLASSIC_ID, GOOD } from "./classic_notebook.ts";
import { nbgrader, type NbgraderRun, quickstartFolder, runNbgrader } from "./nbgrader.ts";
import { handIn, type Quality, type Submission } from "./submissions/submission.ts";

const fault = await sandboxFault();
const assignments = fromFileUrl(new URL("../../notebooks/assignments", import.meta.url));
const shipped = [...Deno.readDirSync(assignments)].filter(({ isDirectory }) => isDirectory)
  .map(({ name }) => name).sort();

/** Submissions for which they differ, or would on Deno's own kernel. */
const DIFFERENT: Readonly<Record<string, Answers>> = {
  warning: {
    ...GOOD,
    sum:
      "const sum = (list: number[]) => { console.warn('slow'); return list.reduce((a, b) => a + b, 0); };",
  },
  hanging: { ...GOOD, sum: "function sum(list: number[]) { while (true) list; }" },
  crashing: { ...GOOD, squares: `${GOOD.squares}\nDeno.exit(0);` },
  colourful: AGREED.partly!,
};
/** The name under which one of them is graded on Deno's own kernel too. */
const onStock = (student: string) => `${student}-stock`;

/** A course with the configuration that `grade init --nbgrader` writes. */
async function openCourse() {
  const root = await Deno.makeTempDir({ prefix: "tunebook-course-" });
  await initCourse(root);
  await Deno.writeTextFile(join(root, NBGRADER_CONFIG), nbgraderConfig({ cellSeconds: 120 }));
  await Deno.writeTextFile(join(root, "deno.json"), JSON.stringify(libraryConfig()));
  return {
    root,
    async write(path: string, notebook: Notebook) {
      await Deno.mkdir(join(root, path, ".."), { recursive: true });
      await Deno.writeTextFile(join(root, path), formatNotebook(notebook));
    },
    [Symbol.asyncDispose]: () => Deno.remove(root, { recursive: true }),
  };
}

/** A submission's points by cell, as nbgrader's gradebook has them; null where a person has to mark. */
function pointsIn({ scores }: NbgraderRun, assignment: string, student: string) {
  return Object.fromEntries(
    scores.filter((score) => score.assignment === assignment && score.student === student)
      .map(({ gradeId, points }) => [gradeId, points]),
  );
}

/** The points of the classic assignment, as this library grades it. */
async function ourPoints(answers: Answers) {
  const release = releaseNotebook(CLASSIC);
  const { verdicts } = await gradeSubmission(release, handIn(release.notebook, answers), {
    limits: { cellSeconds: 4, callSeconds: 4, testSeconds: 4 },
    sandbox: fault === undefined,
  });
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
    const submit = (student: string, answers: Answers) =>
      write(`submitted/${student}/${CLASSIC_ID}/Problem 1.ipynb`, handIn(release, answers));
    for (const [student, answers] of Object.entries(AGREED)) await submit(student, answers);
    for (const [student, answers] of Object.entries(DIFFERENT)) {
      await submit(student, answers);
      await submit(onStock(student), answers);
    }
    // Of the assignments that ship, the quick ones are graded too: assignments_test.ts expects the same points of us.
    const graded: [name: string, quality: string, points: Record<string, number | null>][] = [];
    for (const name of shipped) {
      await copyFolder(join(assignments, name), join(root, "source", name));
      if (name === "fine-tune-and-evaluate") continue;
      const source = await readNotebook(join(assignments, name, `${name}.ipynb`));
      const released = releaseNotebook(source).notebook;
      const { submissions } = await import(`./submissions/${name}.ts`) as {
        submissions: Record<Quality, Submission>;
      };
      for (const [quality, { answers, losses }] of Object.entries(submissions)) {
        const points = gradedCells(source).filter(({ role }) => role === "test")
          .map(({ metadata: { grade_id, points } }) => [grade_id, losses[grade_id] ?? points]);
        graded.push([name, quality, Object.fromEntries(points)]);
        await write(`submitted/${quality}/${name}/${name}.ipynb`, handIn(released, answers));
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

    const sources = [[CLASSIC_ID, "Problem 1"], ...shipped.map((name) => [name, name])] as const;
    const run = await runNbgrader(
      root,
      "update:old.ipynb",
      ...sources.map(([id, name]) => `validate:source/${id}/${name}.ipynb`),
      ...sources.map(([id]) => `generate_assignment:${id}`),
      ...Object.keys({ ...AGREED, ...DIFFERENT })
        .map((student) => `autograde:${CLASSIC_ID}:${student}:quick`),
      ...Object.keys(DIFFERENT)
        .map((student) => `autograde:${CLASSIC_ID}:${onStock(student)}:stock`),
      ...new Set(graded.map(([id]) => `autograde:${id}`)),
    );
    for (const [step, { success, log }] of Object.entries(run.said)) {
      const isVoided = /:(?:hanging|crashing)-stock:/.test(step);
      await t.step(isVoided ? `${step} fails` : step, () => assert(success !== isVoided, log));
    }

    await t.step("metadata of versions 0 to 2 is read as nbgrader updates it", async () => {
      const { cells } = await readNotebook(join(root, "old.ipynb"));
      assertEquals(old.cells.map(readGradeMetadata), cells.map(readGradeMetadata));
      assert(cells.some((cell) => readGradeMetadata(cell) !== undefined));
    });

    for (const [id, name] of sources) {
      await t.step(`${id}: the releases are equal, checksums too`, async () => {
        const theirs = await readNotebook(join(root, "release", id, `${name}.ipynb`));
        const source = await readNotebook(join(root, "source", id, `${name}.ipynb`));
        assertEquals(releaseNotebook(source).notebook.cells, theirs.cells);
      });
    }

    const theirs = (student: string) => pointsIn(run, CLASSIC_ID, student);
    for (const [student, answers] of Object.entries(AGREED)) {
      await t.step(`${CLASSIC_ID}: a ${student} submission scores the same`, async () => {
        assertEquals(await ourPoints(answers), theirs(student));
      });
    }
    for (const [name, quality, points] of graded) {
      await t.step(`${name}: a ${quality} submission scores the same`, () => {
        const got = pointsIn(run, name, quality);
        assertEquals(Object.fromEntries(Object.keys(points).map((id) => [id, got[id]])), points);
      });
    }
    await t.step("scores are not all alike", () => {
      const totals = Object.keys(AGREED).map((student) =>
        Object.values(theirs(student)).reduce<number>((sum, points) => sum + (points ?? 0), 0)
      );
      assert(new Set(totals).size >= 4, String(totals));
    });

    const full = { squares_right: 2, squares_refuses: 1.5, sum_cases: 4, why: null, draw: null };
    const nothing = Object.fromEntries(Object.keys(full).map((id) => [id, null]));
    await t.step("on purpose: a warning does not fail a test", async () => {
      assertEquals(await ourPoints(DIFFERENT.warning!), full);
      assertEquals(theirs("warning"), { ...full, sum_cases: 0 });
    });
    await t.step("on purpose: a hung cell does not void a submission", async () => {
      const rest = { ...full, sum_cases: 0 };
      assertEquals(await ourPoints(DIFFERENT.hanging!), rest);
      assertEquals(theirs("hanging"), rest);
      assertEquals(theirs(onStock("hanging")), nothing);
    });
    await t.step("on purpose: a crash is still graded", async () => {
      const rest = { ...full, squares_right: 0, squares_refuses: 0 };
      assertEquals(await ourPoints(DIFFERENT.crashing!), rest);
      assertEquals(theirs("crashing"), rest);
      assertEquals(theirs(onStock("crashing")), nothing);
    });
    await t.step("on purpose: coloured numbers are read right", async () => {
      assertEquals((await ourPoints(DIFFERENT.colourful!)).sum_cases, 2);
      assertEquals(theirs("colourful").sum_cases, 2);
      assertEquals(theirs(onStock("colourful")).sum_cases, 4);
    });
  },
});

Deno.test({
  name: `nbgrader's own quickstart course is read, released and exported${nbgrader.needs}`,
  ignore: !nbgrader.found,
  async fn() {
    const example = await quickstartFolder();
    const root = await Deno.makeTempDir({ prefix: "tunebook-course-" });
    try {
      for (const folder of ["source", "submitted"]) {
        await copyFolder(join(example, folder), join(root, folder));
      }
      // As "nbgrader quickstart" writes it.
      await Deno.writeTextFile(
        join(root, NBGRADER_CONFIG),
        'c = get_config()\n\nc.CourseDirectory.course_id = "course101"\n\n' +
          'c.IncludeHeaderFooter.header = "source/header.ipynb"\n',
      );
      const course = await initCourse(root);
      assertEquals(course.settings.name, "course101");
      assertEquals(course.roster.map(({ id }) => id), ["bitdiddle", "hacker"]);
      assert(course.settings.assignments.has("ps1"));

      const { said } = await runNbgrader(root, "generate_assignment:ps1");
      assert(said["generate_assignment:ps1"]!.success, said["generate_assignment:ps1"]!.log);
      const names = ["problem1", "problem2"];
      const released = (): Promise<unknown[]> =>
        Promise.all(names.map(async (name) => {
          const path = join(root, "release", "ps1", `${name}.ipynb`);
          return (await readNotebook(path)).cells.map(({ id: _, ...cell }) => cell);
        }));
      const theirs = await released();
      assertEquals((await releaseAssignment(course, "ps1")).faults, []);
      assertEquals(await released(), theirs);
      const files = [...Deno.readDirSync(join(root, "release", "ps1"))].map(({ name }) => name);
      assertEquals(files.sort(), ["jupyter.png", "problem1.ipynb", "problem2.ipynb"]);

      // Its submissions are read, though nothing runs them, and scores are exported with nbgrader's columns.
      const { releases } = await openGrader(course, "ps1");
      using gradebook = Gradebook.open(join(root, "scores.db"));
      gradebook.putStudents(course.roster);
      gradebook.putAssignment({
        id: "ps1",
        cells: [...releases].flatMap(([notebook, release]) =>
          gradedCells(release.notebook)
            .filter(({ metadata: { grade, task } }) => grade || task)
            .map(({ metadata, role }) => ({
              notebook,
              gradeId: metadata.grade_id,
              maxPoints: metadata.points ?? 0,
              manual: role !== "test",
            }))
        ),
      });
      assertEquals(await submitters(course, "ps1"), ["bitdiddle", "hacker"]);
      for (const student of ["bitdiddle", "hacker"]) {
        const { submitted, hash, notebooks } = await readSubmission(course, "ps1", student);
        assertEquals([...notebooks.keys()].sort(), names);
        for (const [name, notebook] of notebooks) {
          if (notebook instanceof Error) throw notebook;
          assertEquals([...restoreSubmission(releases.get(name)!, notebook).missing], []);
        }
        gradebook.putSubmission({ student, assignment: "ps1", attempt: 1, submitted, hash }, []);
      }
      const [kept] = gradebook.assignments();
      const rules = course.settings.assignments.get("ps1")!;
      const csv = scoresToCsv(scoreRows(assignmentScores(gradebook, kept!, rules)));
      const rows = parse(csv, { skipFirstRow: true }) as Record<string, string>[];
      const [theirColumns] = parse(await Deno.readTextFile(join(example, "grades.csv")));
      assertEquals(Object.keys(rows[0]!), theirColumns);
      assertEquals(
        rows.map((row) => [row.student_id, row.timestamp!.slice(0, 10), row.max_score]),
        [
          ["bitdiddle", "2015-02-02", "13"],
          ["hacker", "2015-02-01", "13"],
        ],
      );
    } finally {
      await Deno.remove(root, { recursive: true });
    }
  },
});

async function copyFolder(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (isDirectory) await copyFolder(join(from, name), join(to, name));
    else await Deno.copyFile(join(from, name), join(to, name));
  }
}
