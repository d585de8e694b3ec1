// Variants: other numbers for each student, which nobody can choose, and all of which are proved.

import { assertEquals, assertMatch, assertNotEquals, assertRejects } from "@std/assert";
import { gradeFolder } from "../../lib/grade/batch/grade_folder.ts";
import { cellChecksum } from "../../lib/grade/checksum.ts";
import { openCourse } from "../../lib/grade/course.ts";
import { openGrader } from "../../lib/grade/grader.ts";
import { describeFinding, readGradeMetadata } from "../../lib/grade/metadata.ts";
import { proveRelease } from "../../lib/grade/prove_release.ts";
import { checkRelease, releaseNotebook, variantOf } from "../../lib/grade/release.ts";
import { releaseAssignment } from "../../lib/grade/release_assignment.ts";
import { variantSeed, withSeed } from "../../lib/grade/variants.ts";
import { sandboxFault } from "../../lib/runtime/sandbox/outer.ts";
import { formatNotebook, type Notebook, readNotebook } from "../../lib/runtime/notebook.ts";
import { answer, book, locked, test } from "./book.ts";
import { SmallCourse } from "./small_course.ts";

const sandbox = await sandboxFault() === undefined;

const VARIANTS = "const seed = 1;\nconst slope = seed % 4;";
const lineOf = (body: string) =>
  `// BEGIN SOLUTION\nfunction line(x: number) { ${body} }\n// END SOLUTION`;

/** An assignment with variants, whose solution does this. */
const assignment = (body: string) =>
  book(
    ["markdown", "# Lines"],
    ["code", VARIANTS, locked("numbers"), ["variants"]],
    ["code", lineOf(body), answer("line")],
    [
      "code",
      "// BEGIN HIDDEN TESTS\nif (await line(3) !== 3 * slope + 1) throw new Error(`no: ${slope}`);\n// END HIDDEN TESTS",
      test("test_line"),
    ],
  );
const SOURCE = assignment("return slope * x + 1;");

const slopeOf = (seed: number) => seed % 4;

Deno.test("a seed follows from the key, the assignment and the student alone", () => {
  // By Python's hmac.
  assertEquals(variantSeed("key", "week1", "ada"), 7279139414697915);
  assertEquals(variantSeed("key", "week1", "bob"), 5405187518175745);
  assertNotEquals(variantSeed("other", "week1", "ada"), 7279139414697915);
  assertNotEquals(variantSeed("key", "week2", "ada"), 7279139414697915);
});

Deno.test("a variant has its seed and its checksum, and is otherwise the release", () => {
  const release = releaseNotebook(SOURCE);
  const { notebook, withHidden } = variantOf(release, 42);
  const [, cell] = notebook.cells;
  assertEquals(cell!.source, VARIANTS.replace("seed = 1", "seed = 42"));
  const metadata = readGradeMetadata(cell!)!;
  assertEquals(metadata.checksum, cellChecksum(cell!, metadata));
  assertEquals(withHidden.get("numbers"), { source: cell!.source, checksum: metadata.checksum! });
  assertEquals(
    notebook.cells.map(({ source }) => source).toSpliced(1, 1),
    release.notebook.cells.map(({ source }) => source).toSpliced(1, 1),
  );
  assertEquals(release, releaseNotebook(SOURCE));
  assertEquals(withSeed("let a = 1, seed = 0x10 /* x */;", 7), "let a = 1, seed = 7 /* x */;");
});

Deno.test("variants that students could change, or without a seed, are not released", () => {
  const faulty = book(
    ["code", VARIANTS, undefined, ["variants"]],
    ["code", VARIANTS, answer("open"), ["variants"]],
    ["markdown", VARIANTS, locked("text"), ["variants"]],
    ["code", "const seeds = 1;", locked("none"), ["variants"]],
    ["code", "const seed = Date.now();", locked("call"), ["variants"]],
    ["code", "const seed = ;", locked("syntax"), ["variants"]],
  );
  const open = "A variants cell can be changed by students: expected a locked code cell";
  const none = 'A variants cell declares no seed: expected a line "const seed = 0;"';
  assertEquals(checkRelease(faulty).map(describeFinding), [
    `Cell 1: ${open}`,
    `Cell 2 ("open"): ${open}`,
    `Cell 3 ("text"): ${open}`,
    `Cell 4 ("none"): ${none}`,
    `Cell 5 ("call"): ${none}`,
    'Cell 6 ("syntax"): Unexpected token',
  ]);
});

Deno.test("the solution must pass in every variant, and the stub in none", async () => {
  // The first has the example's slope.
  const variants = [5, 6, 7].map((seed) => ({ owner: `s${seed}`, seed }));
  const counts: number[] = [];
  const how = { sandbox, variants, jobs: 2, onVariant: (done: number) => counts.push(done) };
  assertEquals(await proveRelease(SOURCE, how), []);
  assertEquals(counts, [1, 2, 3]);
  // Right for the numbers of the example, and of the first student.
  const onlyHere = assignment(`return ${slopeOf(1)} * x + 1;`);
  const [finding, ...others] = await proveRelease(onlyHere, how);
  assertEquals(others, []);
  assertMatch(
    describeFinding(finding!),
    new RegExp(
      `^Cell 4 \\("test_line"\\): In 2 of 3 variants, first in that of "${variants[1]!.owner}": ` +
        `The solution scores 0 of 1 points: Error: no: ${slopeOf(variants[1]!.seed)}`,
    ),
  );
});

const path = (student: string) => ["release", student, "lines", "main.ipynb"];

Deno.test("each student gets a variant, and is graded with it", async () => {
  await using folder = await SmallCourse.open();
  await folder.source("lines", SOURCE);
  await assertRejects(
    async () => await openGrader(await openCourse(folder.root), "lines"),
    Deno.errors.NotFound,
    "Cannot find the students' variants",
  );
  // Two students with different numbers, whatever the key.
  const roster = Array.from({ length: 12 }, (_, i) => `s${i}`);
  await Deno.writeTextFile(folder.path("roster.csv"), `id\n${roster.join("\n")}\n`);
  const course = await openCourse(folder.root);
  const { faults, notes } = await releaseAssignment(course, "lines");
  assertEquals(faults, []);
  assertMatch(notes.join(), /Each student has a variant, in release\/<student>\/lines/);
  const copies = new Map<string, { notebook: Notebook; slope: number }>();
  for (const student of roster) {
    const notebook = await readNotebook(folder.path(...path(student)));
    const seed = Number(/seed = (\d+);/.exec(notebook.cells[1]!.source)![1]);
    copies.set(student, { notebook, slope: slopeOf(seed) });
  }
  assertEquals((await Deno.stat(folder.path("variants.key"))).mode! & 0o777, 0o600);
  // Releasing again changes nothing.
  const before = await folder.files("release");
  await releaseAssignment(course, "lines");
  assertEquals(await folder.files("release"), before);

  const [first, ...rest] = roster;
  const other = rest.find((student) => copies.get(student)!.slope !== copies.get(first!)!.slope)!;
  const handIn = async (
    student: string,
    { notebook, slope }: { notebook: Notebook; slope: number },
  ) => {
    const answered = structuredClone(notebook);
    answered.cells[2]!.source = `const line = (x: number) => ${slope} * x + 1;`;
    await Deno.mkdir(folder.path("submitted", student, "lines"), { recursive: true });
    const to = folder.path("submitted", student, "lines", "main.ipynb");
    await Deno.writeTextFile(to, formatNotebook(answered));
  };
  await handIn(first!, copies.get(first!)!);
  await handIn(other, copies.get(first!)!);
  const grader = await openGrader(course, "lines");
  const graded = async (student: string) => {
    const how = { sandbox };
    const { result } = await gradeFolder(course, grader, student, how, { keepTimeouts: true });
    const [{ verdicts, findings }] = result.notebooks as [typeof result.notebooks[number]];
    return [verdicts[0]!.status, ...findings.map(({ message }) => message)];
  };
  assertEquals(await graded(first!), ["passed"]);
  assertEquals(await graded(other), [
    "failed",
    "The variant is not the student's own: the notebook is graded with the student's",
  ]);
});

Deno.test("a group has one variant, and no student's folder is taken for an assignment", async () => {
  await using folder = await SmallCourse.open("assignments: { lines: { groups: true } }");
  await folder.source("lines", SOURCE);
  await Deno.writeTextFile(folder.path("roster.csv"), "id,group\nada,g\nbob,g\neve,\n");
  const course = await openCourse(folder.root);
  await releaseAssignment(course, "lines");
  const files = await folder.files("release");
  const of = (student: string) => files[path(student).join("/")];
  assertEquals(of("ada"), of("bob"));
  assertNotEquals(of("ada"), of("eve"));
  await Deno.writeTextFile(folder.path("roster.csv"), "id\nweek1\n");
  const { faults } = await releaseAssignment(await openCourse(folder.root), "lines");
  assertMatch(faults.join(), /The student "week1" has the name of an assignment/);
});
