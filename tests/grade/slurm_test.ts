// A course is graded by a real scheduler: an array job, of which each task grades a part.

import { assertEquals, assertMatch } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { Gradebook } from "../../lib/grade/gradebook.ts";
import { sandboxFault } from "../../lib/runtime/sandbox/outer.ts";
import { tunebook } from "../cli/tunebook.ts";
import { SlurmCluster, slurmFault } from "./slurm.ts";
import { GOOD, SmallCourse } from "./small_course.ts";

const fault = slurmFault() ?? await sandboxFault();
const CLI = fromFileUrl(import.meta.resolve("../../lib/cli.ts"));
const TASKS = 4;

Deno.test({
  name: "a course is graded by an array job on two nodes, and its parts are put together" +
    (fault === undefined ? "" : ` (${fault})`),
  ignore: fault !== undefined,
  async fn() {
    await using course = await SmallCourse.open();
    const points: Record<string, number> = {};
    for (const [i, student] of ["ada", "bob", "eve"].entries()) {
      const answers = { ...GOOD, words: `const words = ${JSON.stringify(["a", "b"].slice(i))};` };
      await course.submit(student, "week1", answers);
      await course.submit(student, "week2", i === 1 ? {} : GOOD);
      points[`${student} week1`] = 4 - i;
      points[`${student} week2`] = i === 1 ? 0 : 1;
    }
    const line = [
      ...[Deno.execPath(), "run", "-A", "--no-check", CLI, "grade", "autograde"],
      ...["--course", course.root, "--shard", `"$SLURM_ARRAY_TASK_ID/${TASKS}"`],
    ].join(" ");
    await using cluster = await SlurmCluster.start();
    const { code, tasks } = await cluster.array(TASKS, line);
    const outputs = tasks.map(({ output }) => output);
    assertEquals(code, 0, outputs.join("\n"));
    assertEquals(new Set(tasks.map(({ node }) => node)), new Set(["node1", "node2"]));
    const counts = outputs.map((text) => Number(/^Graded (\d+)/m.exec(text)?.[1]));
    assertEquals(counts.reduce((sum, count) => sum + count, 0), 6, outputs.join("\n"));

    for (const _ of [1, 2]) {
      const whole = await tunebook(["grade", "autograde", "--course", course.root]);
      assertEquals(whole.code, 0, whole.stderr);
      assertMatch(whole.stderr, /Graded 0 submissions, 6 had been graded already/);
      using book = Gradebook.open(course.path("tunebook.db"));
      const found: Record<string, number> = {};
      for (const { id } of book.assignments()) {
        for (const [student, verdicts] of book.newestVerdicts(id)) {
          found[`${student} ${id}`] = verdicts.reduce((sum, { points }) => sum + points, 0);
        }
      }
      assertEquals(found, points);
    }
  },
});
