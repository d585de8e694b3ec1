// A course from its release to the gradebook, through the command: what is graded when, and what survives.

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { delay } from "@std/async/delay";
import { dirname, join } from "@std/path";
import { autograde } from "../../lib/grade/batch/autograde.ts";
import { openCourse } from "../../lib/grade/course.ts";
import { answerId, Gradebook } from "../../lib/grade/gradebook.ts";
import { sandboxFault } from "../../lib/runtime/sandbox/outer.ts";
import { start, tunebook } from "../cli/tunebook.ts";
import { type Answers, GOOD, SmallCourse, SOURCES } from "./small_course.ts";

const fault = await sandboxFault();
const needs = fault === undefined ? "" : `, without a sandbox (${fault})`;

const grade = (course: SmallCourse, sub: string, ...args: string[]) =>
  tunebook([
    ...["grade", sub, ...args, "--course", course.root],
    ...fault === undefined ? [] : ["--unsafe"],
  ]);

const WRONG: Answers = {
  ...GOOD,
  twice: "function twice(x) { throw new Error('no'); }",
  three: "const three = 4;",
};

/** Submissions of three students to both assignments. */
async function submitAll(course: SmallCourse): Promise<void> {
  for (const assignment of Object.keys(SOURCES)) {
    await course.submit("ada", assignment, GOOD);
    await course.submit("bob", assignment, WRONG);
    await course.submit("eve", assignment, {});
  }
}

/** The verdicts of the newest attempts, without times. */
function verdictsIn(course: SmallCourse): Record<string, string[]> {
  using book = Gradebook.open(course.path("tunebook.db"));
  const found: Record<string, string[]> = {};
  for (const { id } of book.assignments()) {
    for (const [student, verdicts] of book.newestVerdicts(id)) {
      found[`${student} ${id}`] = verdicts.map(({ gradeId, points, status }) =>
        `${gradeId} ${points} ${status}`
      );
    }
  }
  return found;
}

const EXPECTED = {
  "ada week1": ["test_twice 2 passed", "test_words 2 passed", "why 0 manual"],
  "bob week1": ["test_twice 0 failed", "test_words 2 passed", "why 0 manual"],
  "eve week1": ["test_twice 0 failed", "test_words 0 failed", "why 0 failed"],
  "ada week2": ["test_three 1 passed"],
  "bob week2": ["test_three 0 failed"],
  "eve week2": ["test_three 0 failed"],
};

Deno.test(`a course is released and graded; done work is not redone${needs}`, async () => {
  await using course = await SmallCourse.open();
  for (const assignment of Object.keys(SOURCES)) {
    const { code, stderr } = await grade(course, "release", assignment);
    assertEquals(code, 0, stderr);
  }
  await submitAll(course);
  const first = await grade(course, "autograde", "--jobs", "2");
  assertEquals(first.code, 0, first.stderr);
  assertMatch(first.stderr, /^Graded 6 submissions$/m);
  assertMatch(first.stderr, /^Grading \d\/6 week\d of \w+, about .* left$/m);
  assertStringIncludes(first.stdout, "ada, week1: 4 of 7 points; 1 answer waits for a person\n");
  assertEquals(verdictsIn(course), EXPECTED);
  const graded = await course.files("autograded");
  assertEquals(await course.files("backups").catch(() => ({})), {});

  const second = await grade(course, "autograde");
  assertMatch(second.stderr, /^Graded 0 submissions, 6 had been graded already$/m);
  assertEquals(Object.keys(await course.files("backups")).length, 1);
  assertEquals(await course.files("autograded"), graded);

  // New work of one student, and new limits of one assignment.
  await course.submit("bob", "week1", GOOD);
  await Deno.writeTextFile(
    course.path("course.yaml"),
    "assignments: { week2: { limits: { cellSeconds: 9 } } }",
  );
  const third = await grade(course, "autograde");
  assertMatch(third.stderr, /^Graded 4 submissions, 2 had been graded already$/m);
  assertEquals(verdictsIn(course), { ...EXPECTED, "bob week1": EXPECTED["ada week1"] });
  using book = Gradebook.open(course.path("tunebook.db"));
  assertEquals(
    book.submissions("week1").map(({ student, attempt }) => `${student} ${attempt}`),
    ["ada 1", "bob 1", "bob 2", "eve 1"],
  );

  // The same inputs give the same bytes.
  await Deno.remove(course.path("autograded/ada"), { recursive: true });
  await course.submit("bob", "week1", WRONG);
  await Deno.writeTextFile(course.path("course.yaml"), "timeZone: Europe/Berlin");
  const fourth = await grade(course, "autograde", "--jobs", "2");
  assertMatch(fourth.stderr, /^Graded 5 submissions, 1 had been graded already$/m);
  assertEquals(await course.files("autograded"), graded);
  assertEquals(await course.files(".grading").catch(() => ({})), {});

  // Notebooks that have changed since the release grade nobody.
  const changed = structuredClone(SOURCES.week2!);
  changed.cells[1]!.source = "three satisfies 3;";
  await course.source("week2", changed);
  const refused = await grade(course, "autograde");
  assertEquals(refused.code, 1);
  assertMatch(refused.stderr, /Cannot grade week2: .* has changed since it was released/);
});

Deno.test(`parts of a course, merged twice, are the whole${needs}`, async () => {
  await using whole = await SmallCourse.open();
  await submitAll(whole);
  await using parts = await SmallCourse.open();
  await submitAll(parts);
  const [one, ...shards] = await Promise.all([
    grade(whole, "autograde"),
    grade(parts, "autograde", "--shard", "1/2"),
    grade(parts, "autograde", "--shard", "2/2"),
  ]);
  assertMatch(one.stderr, /^Graded 6 submissions$/m);
  const counts = shards.map(({ stderr }) => Number(/^Graded (\d+)/m.exec(stderr)![1]));
  assert(counts.every((count) => count > 0), String(counts));
  assertEquals(counts[0]! + counts[1]!, 6);
  assertEquals(await Deno.stat(parts.path("tunebook.db")).catch(() => "none"), "none");
  for (const _ of ["merged", "merged twice"]) {
    const { stderr } = await grade(parts, "autograde");
    assertMatch(stderr, /^Graded 0 submissions, 6 had been graded already$/m);
    assertEquals(verdictsIn(parts), verdictsIn(whole));
    assertEquals(await parts.files("autograded"), await whole.files("autograded"));
  }
});

Deno.test(`a submission that hangs, or cannot be read, stops no other${needs}`, async () => {
  await using course = await SmallCourse.open("limits: { callSeconds: 1, testSeconds: 3 }");
  await course.submit("ada", "week1", {
    ...GOOD,
    twice: "function twice(x: number) { while (true) x++; }",
  });
  await course.submit("bob", "week1", GOOD);
  await Deno.writeTextFile(course.path("submitted/bob/week1/main.ipynb"), "{");
  await course.submit("eve", "week1", GOOD);
  const eve = course.path("submitted/eve/week1");
  await Deno.rename(join(eve, "main.ipynb"), join(eve, "main (1).ipynb"));
  await Deno.writeTextFile(join(eve, "deno.json"), '{ "imports": { "@std/assert": "./mine.ts" } }');
  await Deno.symlink("/etc/passwd", join(eve, "passwd"));
  const { code, stdout, stderr } = await grade(course, "autograde", "week1", "--jobs", "3");
  assertEquals(code, 0, stderr);
  assertStringIncludes(
    stderr,
    'week1 of "ada" was graded once more, alone: it met a limit of time\n',
  );
  assertEquals(verdictsIn(course), {
    "ada week1": ["test_twice 0 timeout", "test_words 2 passed", "why 0 manual"],
    "bob week1": ["test_twice 0 missing", "test_words 0 missing", "why 0 missing"],
    "eve week1": EXPECTED["ada week1"],
  });
  assertMatch(stdout, /main\.ipynb: The notebook cannot be read/);
  assertMatch(stdout, /The notebook is called "main \(1\)\.ipynb", not "main\.ipynb"/);
  assertMatch(stdout, /"deno\.json" is left out: it says how code is run/);
  assertMatch(stdout, /"passwd" is left out: it is a link/);
});

Deno.test(`a grader that is killed at ten random moments loses nothing${needs}`, async () => {
  const submit = async (course: SmallCourse) => {
    await course.submit("ada", "week1", GOOD);
    await course.submit("ada", "week2", GOOD);
    await course.submit("bob", "week2", WRONG);
    await course.submit("eve", "week2", {});
  };
  await using whole = await SmallCourse.open();
  await submit(whole);
  const started = performance.now();
  await grade(whole, "autograde");
  const seconds = (performance.now() - started) / 1000;
  const expected = await whole.files("autograded");

  await using course = await SmallCourse.open();
  await submit(course);
  const answer = answerId({
    assignment: "week1",
    notebook: "main",
    gradeId: "why",
    student: "ada",
  });
  const moments: number[] = [];
  for (let round = 0; round < 10; round++) {
    moments.push(Math.random() * seconds);
    const child = start([
      ...["grade", "autograde", "--course", course.root, "--jobs", "2"],
      ...fault === undefined ? [] : ["--unsafe"],
    ]);
    await delay(moments.at(-1)! * 1000);
    // A person marks meanwhile.
    {
      using book = Gradebook.open(course.path("tunebook.db"));
      const mark = { answer, marker: "kim", session: "s", edit: round + 1, points: 2, rubric: [] };
      assert(book.appendMark({ ...mark, comment: `comment ${round}` }, round).saved);
    }
    try {
      child.kill("SIGKILL");
    } catch {
      // It was done.
    }
    await child.output();
    const said = `killed after ${moments.join(", ")} s`;
    using book = Gradebook.open(course.path("tunebook.db"));
    assertEquals(
      book.history(answer).map(({ comment }) => comment),
      Array.from({ length: round + 1 }, (_, i) => `comment ${i}`),
      said,
    );
    // What is there is whole.
    for (const [key, verdicts] of Object.entries(verdictsIn(course))) {
      assertEquals(verdicts, EXPECTED[key as keyof typeof EXPECTED], said);
    }
    for (const [path, text] of Object.entries(await course.files("autograded"))) {
      if (!/\/\.[^/]*\.(unfinished|before)\//.test(path)) assertEquals(text, expected[path], said);
    }
    // There is always work left.
    const [first] = Object.keys(await course.files("autograded")).sort(() => Math.random() - 0.5);
    if (first !== undefined) await Deno.remove(dirname(course.path(first)), { recursive: true });
  }
  const { code, stderr } = await grade(course, "autograde", "--jobs", "2");
  assertEquals(code, 0, stderr);
  assertEquals(await course.files("autograded"), expected);
  assertEquals(verdictsIn(course), verdictsIn(whole));
});

Deno.test(`a process that is lost costs only time${needs}`, async () => {
  await using course = await SmallCourse.open();
  await submitAll(course);
  let killed = 0;
  const summary = await autograde(await openCourse(course.root), {
    jobs: 2,
    sandbox: fault === undefined,
    onStart: () => {
      // The first process that grades is killed as soon as it is there.
      const look = async () => {
        while (killed === 0) {
          for (const pid of await childrenOf(Deno.pid, "batch/worker.ts")) {
            Deno.kill(pid, "SIGKILL");
            killed = pid;
            return;
          }
          await delay(20);
        }
      };
      look();
    },
  });
  assert(killed > 0);
  assertEquals([summary.graded, summary.failed], [6, []]);
  assertEquals(verdictsIn(course), EXPECTED);
});

/** The ids of a process's children whose command line holds a text. */
async function childrenOf(parent: number, text: string): Promise<number[]> {
  const found: number[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const read = (file: string) => Deno.readTextFile(`/proc/${name}/${file}`).catch(() => "");
    const [stat, command] = [await read("stat"), await read("cmdline")];
    const isChild = Number(stat.slice(stat.lastIndexOf(")") + 4).split(" ")[0]) === parent;
    if (isChild && command.includes(text)) found.push(Number(name));
  }
  return found;
}

Deno.test(`a repaired test is graded again alone, and marks stay${needs}`, async () => {
  await using course = await SmallCourse.open();
  await course.submit("ada", "week1", GOOD);
  await course.submit("bob", "week1", WRONG);
  await grade(course, "autograde", "week1");
  {
    using book = Gradebook.open(course.path("tunebook.db"));
    const answer = answerId({
      assignment: "week1",
      notebook: "main",
      gradeId: "why",
      student: "ada",
    });
    const mark = {
      answer,
      marker: "kim",
      session: "s",
      edit: 1,
      points: 2,
      rubric: [],
      comment: "Good",
    };
    assert(book.appendMark(mark, 0).saved);
  }
  const repaired = structuredClone(SOURCES.week1!);
  repaired.cells[3]!.source = "assertEquals(await twice(2), 5);";
  await course.source("week1", repaired);
  const { code, stderr, stdout } = await grade(course, "regrade", "test_twice");
  assertEquals(code, 0, stderr);
  assertMatch(stderr, /^Graded 2 submissions$/m);
  assertStringIncludes(stdout, "ada, week1: 2 of 7 points; 1 answer waits for a person\n");
  assertEquals(verdictsIn(course), {
    "ada week1": ["test_twice 0 failed", "test_words 2 passed", "why 0 manual"],
    "bob week1": EXPECTED["bob week1"],
  });
  using book = Gradebook.open(course.path("tunebook.db"));
  const marks = [...book.newestMarks({ assignment: "week1" }).values()];
  assertEquals(marks.map(({ points, comment }) => [points, comment]), [[2, "Good"]]);
  // As if all had been graded again.
  const regraded = await course.files("autograded");
  const none = await grade(course, "autograde", "week1");
  assertMatch(none.stderr, /^Graded 0 submissions, 2 had been graded already$/m);
  await Deno.remove(course.path("autograded"), { recursive: true });
  await grade(course, "autograde", "week1");
  assertEquals(await course.files("autograded"), regraded);

  const refused = await Promise.all(
    ["test_none", "why"].map((name) => grade(course, "regrade", name)),
  );
  for (const { code, stderr } of refused) {
    assertEquals(code, 1);
    assertMatch(stderr, /there is no test of that grade_id/);
  }
});
