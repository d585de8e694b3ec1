// The assignments that ship: each releases, its solution passes every test, its stub none, and made-up submissions get
// the points that they deserve.

import { assert, assertEquals, assertLess, assertMatch } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { gradeSubmission } from "../../lib/grade/autograde.ts";
import { describeFinding, gradedCells } from "../../lib/grade/metadata.ts";
import { proveRelease } from "../../lib/grade/prove_release.ts";
import { checkRelease, releaseNotebook } from "../../lib/grade/release.ts";
import { withoutMarkers } from "../../lib/grade/regions.ts";
import { markSchemeOf } from "../../lib/grade/rubric.ts";
import { type CodeCell, type Notebook, readNotebook, runNotebook } from "../../lib/runtime/mod.ts";
import { sandboxFault } from "../../lib/runtime/sandbox/outer.ts";
import { findPython } from "../support.ts";
import { handIn, type Quality, type Submission } from "./submissions/submission.ts";

const folder = fromFileUrl(new URL("../../notebooks/assignments", import.meta.url));
const names = [...Deno.readDirSync(folder)].filter(({ isDirectory }) => isDirectory)
  .map(({ name }) => name).sort();

const fault = await sandboxFault();
const needs = fault === undefined ? "" : `, without a sandbox (${fault})`;
const gradeOptions = (name: string) => ({
  cwd: join(folder, name),
  sandbox: fault === undefined,
});

/** A notebook with the full test cells, as the grader knows them, and without markers. */
function withFullTests(notebook: Notebook, source: Notebook): Notebook {
  const copy = structuredClone(notebook);
  const full = new Map(gradedCells(source).map(({ metadata, cell }) => [metadata.grade_id, cell]));
  for (const { cell, metadata, role } of gradedCells(copy)) {
    if (role === "test") cell.source = full.get(metadata.grade_id)!.source;
    if (cell.cell_type === "code") cell.source = withoutMarkers(cell.source);
  }
  return copy;
}

/** The points of each test cell of an executed notebook: all, none, or the number that it ends with. */
function pointsOf(executed: Notebook): Record<string, number> {
  return Object.fromEntries(
    gradedCells(executed).filter(({ role }) => role === "test").map(({ cell, metadata }) => {
      const { outputs } = cell as CodeCell;
      const result = outputs.findLast(({ output_type }) => output_type === "execute_result");
      const value = result && "data" in result ? result.data["text/plain"] : undefined;
      const failed = outputs.some(({ output_type }) => output_type === "error");
      // deno-lint-ignore no-control-regex -- the kernel colours numbers
      const number = parseFloat(String(value).replace(/\x1b\[\d+m/g, ""));
      const points = failed ? 0 : Number.isNaN(number) ? metadata.points! : number;
      return [metadata.grade_id, points];
    }),
  );
}

async function run(name: string, notebook: Notebook) {
  const path = join(folder, name, `${name}.ipynb`);
  return await runNotebook(notebook, { path, allowErrors: true, timeout: 120 });
}

const fullPoints = (source: Notebook) =>
  Object.fromEntries(
    gradedCells(source).filter(({ role }) => role === "test")
      .map(({ metadata }) => [metadata.grade_id, metadata.points!]),
  );

const sumOf = (numbers: readonly number[]) => numbers.reduce((sum, n) => sum + n, 0);

for (const name of names) {
  const source = await readNotebook(join(folder, name, `${name}.ipynb`));

  Deno.test(`${name} can be released, and its release shows no solution, hidden test or rubric`, () => {
    assertEquals(checkRelease(source).map(describeFinding), []);
    const { notebook } = releaseNotebook(source);
    const text = notebook.cells.map((cell) => cell.source).join("\n");
    assertEquals(text.match(/(BEGIN|END) [A-Z]|\*\*Rubric\*\*|^- \d points?:/m), null);
    for (const { cell, role } of gradedCells(source)) {
      if (role === "manual") assertMatch(cell.source, /\*\*Rubric\*\*/);
      if (role === "test") assertMatch(cell.source, /BEGIN HIDDEN TESTS/);
    }
  });

  Deno.test(`${name} states its points, times and rubrics, and they add up`, () => {
    let total = 0;
    const stated: number[] = [];
    for (const cell of source.cells) {
      const [, points] = /^_(\d+) points?, \d+ minutes/m.exec(cell.source) ?? [];
      if (points) stated.push(Number(points));
    }
    for (const { metadata, cell, role } of gradedCells(source)) {
      total += metadata.points ?? 0;
      if (role !== "manual" && role !== "task") continue;
      const { scheme, rubric } = markSchemeOf(cell);
      assertEquals(sumOf(rubric.map(({ points }) => points)), metadata.points, metadata.grade_id);
      if (role === "manual") assert(scheme.length > 100, metadata.grade_id);
    }
    assertEquals(sumOf(stated), total);
    assertMatch(source.cells[0].source, new RegExp(`\\*\\*Points:\\*\\* ${total}\\b`));
    assertMatch(source.cells[0].source, /\*\*Time:\*\* about \d+ minutes/);
  });

  Deno.test(`${name} runs with its solution and passes every test`, async () => {
    // As the file stands, with its markers.
    const result = await run(name, source);
    assert(result.ok, result.failure?.summary);
    assertEquals(pointsOf(result.notebook), fullPoints(source));
  });

  Deno.test(`${name} gets full marks through the stand-ins, and its stub none${needs}`, async () => {
    assertEquals(await proveRelease(source, gradeOptions(name)), []);
  });

  Deno.test(`${name} fails every test as it is released`, async () => {
    const { notebook } = releaseNotebook(source);
    const result = await run(name, withFullTests(notebook, source));
    const failed = new Set(result.failures?.map(({ id }) => id));
    for (const { cell, metadata, role } of gradedCells(notebook)) {
      if (role === "test") assert(failed.has(cell.id!), `"${metadata.grade_id}" passes`);
      if (role === "locked") assert(!failed.has(cell.id!), `"${metadata.grade_id}" fails`);
    }
  });

  const { submissions } = await import(`./submissions/${name}.ts`) as {
    submissions: Record<Quality, Submission>;
  };
  for (const [quality, { answers, losses }] of Object.entries(submissions)) {
    Deno.test(`${name} gives a ${quality} submission its points${needs}`, async () => {
      const release = releaseNotebook(source);
      const handedIn = handIn(release.notebook, answers);
      const { verdicts, findings } = await gradeSubmission(release, handedIn, gradeOptions(name));
      const tests = new Set(Object.keys(fullPoints(source)));
      const points = verdicts.filter(({ gradeId }) => tests.has(gradeId))
        .map(({ gradeId, points }) => [gradeId, points]);
      assertEquals(Object.fromEntries(points), { ...fullPoints(source), ...losses });
      assertEquals(findings, []);
      const onGpu = verdicts.filter(({ device }) => device !== undefined);
      assertEquals(
        onGpu.map(({ gradeId }) => gradeId),
        name === "gradients" ? ["kernel-test"] : [],
      );
      for (const { device } of onGpu) assertMatch(device!, /^cpu$|\w{3}/);
      if (quality !== "good") assertLess(0, Object.keys(losses).length);
    });
  }
}

Deno.test("gradients: without WebGPU the kernel's work is done on the CPU, for the same points", async () => {
  const source = await readNotebook(join(folder, "gradients", "gradients.ipynb"));
  const without = (notebook: Notebook) => {
    const full = withFullTests(notebook, source);
    const setup = full.cells.find(({ id }) => id === "setup")!;
    setup.source += '\nObject.defineProperty(navigator, "gpu", { value: undefined });';
    return full;
  };
  const { notebook } = await run("gradients", without(source));
  assertEquals(pointsOf(notebook), fullPoints(source));
  const test = notebook.cells.find(({ id }) => id === "kernel-test") as CodeCell;
  assert(JSON.stringify(test.outputs).includes("The kernel ran on: cpu"));
  // A kernel that was not begun gets no points, although the fallback does not need it.
  const { submissions } = await import("./submissions/gradients.ts");
  const { kernel: _, ...answers } = submissions.good.answers;
  const released = releaseNotebook(source).notebook;
  const result = await run("gradients", without(handIn(released, answers)));
  assertEquals(pointsOf(result.notebook), { ...fullPoints(source), "kernel-test": 0 });
});

const nbgrader = findPython("nbgrader");

Deno.test({
  name: `nbgrader's generate_assignment makes the same releases${nbgrader.needs}`,
  ignore: !nbgrader.found,
  async fn() {
    const course = await Deno.makeTempDir({ prefix: "tunebook-course-" });
    try {
      for (const name of names) {
        const from = join(course, "source", name);
        await Deno.mkdir(from, { recursive: true });
        for (const { name: file } of Deno.readDirSync(join(folder, name))) {
          await Deno.copyFile(join(folder, name, file), join(from, file));
        }
        await nbgrader.run(new URL("nbgrader_release.py", import.meta.url).pathname, course, name);
        const theirs = await readNotebook(join(course, "release", name, `${name}.ipynb`));
        const ours = releaseNotebook(await readNotebook(join(from, `${name}.ipynb`))).notebook;
        assertEquals(ours.cells, theirs.cells, name);
      }
    } finally {
      await Deno.remove(course, { recursive: true });
    }
  },
});
