/** The graders' side of the benchmarks: a course whose submissions are graded by `tunebook grade autograde`, or by nbgrader. */

import { fromFileUrl, join } from "@std/path";
import { initCourse } from "../../lib/grade/course.ts";
import { Gradebook, gradebookFile } from "../../lib/grade/gradebook.ts";
import { NBGRADER_CONFIG, nbgraderConfig } from "../../lib/grade/nbgrader_config.ts";
import { releaseAssignment } from "../../lib/grade/release_assignment.ts";
import { releaseNotebook } from "../../lib/grade/release.ts";
import { formatNotebook } from "../../lib/runtime/notebook.ts";
import { AGREED, CLASSIC, CLASSIC_ID } from "../grade/classic_notebook.ts";
import { runNbgrader } from "../grade/nbgrader.ts";
import { handIn } from "../grade/submissions/submission.ts";
import { type Prepare, serve } from "./serve.ts";

/** Points by student and cell, as one text. */
export type Grades = Readonly<Record<string, string>>;

const NAME = "Problem 1";

/** Writes a course with submissions of all kinds, in turn. */
async function openCourse(submissions: number) {
  const root = await Deno.makeTempDir({ prefix: "tunebook-grading-" });
  const course = await initCourse(root);
  const write = async (folder: string, text: string) => {
    await Deno.mkdir(join(root, folder, CLASSIC_ID), { recursive: true });
    await Deno.writeTextFile(join(root, folder, CLASSIC_ID, `${NAME}.ipynb`), text);
  };
  await Deno.writeTextFile(join(root, NBGRADER_CONFIG), nbgraderConfig());
  await write("source", formatNotebook(CLASSIC));
  const { notebook } = releaseNotebook(CLASSIC);
  const kinds = Object.values(AGREED);
  for (let i = 0; i < submissions; i++) {
    const student = `student-${String(i).padStart(4, "0")}`;
    const handedIn = handIn(notebook, kinds[i % kinds.length]!);
    await write(join("submitted", student), formatNotebook(handedIn));
  }
  return course;
}

function textOf(points: readonly (readonly [gradeId: string, points: number])[]): string {
  return points.map(([gradeId, points]) => `${gradeId}: ${points}`).sort().join(", ");
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

/** The command, in a process of its own. */
const ours: Prepare = async ({ submissions, jobs }) => {
  const course = await openCourse(submissions);
  const { faults } = await releaseAssignment(course, CLASSIC_ID);
  if (faults.length > 0) throw new Error(faults.join("; "));
  const cli = fromFileUrl(new URL("../../lib/cli.ts", import.meta.url));
  const config = fromFileUrl(new URL("../../deno.json", import.meta.url));
  return {
    about: `tunebook grade autograde --jobs ${jobs}, in sandboxes`,
    run: async () => {
      const taken = await seconds(async () => {
        const { success, stderr } = await new Deno.Command(Deno.execPath(), {
          args: [
            ...["run", "--allow-all", "--no-check", "--quiet", "--config", config, cli],
            ...["grade", "autograde", "--course", course.root, "--jobs", String(jobs)],
          ],
          stdout: "null",
        }).output();
        if (!success) throw new Error(new TextDecoder().decode(stderr));
      });
      using book = Gradebook.open(gradebookFile(course));
      const grades = Object.fromEntries(
        book.submissions(CLASSIC_ID).map((submission) => [
          submission.student,
          textOf(book.verdicts(submission).map(({ gradeId, points }) => [gradeId, points])),
        ]),
      );
      await Deno.remove(course.root, { recursive: true });
      return { seconds: taken, grades };
    },
  };
};

/** nbgrader's own, on the kernel of this checkout. */
const nbgrader: Prepare = async ({ submissions }) => {
  const { root } = await openCourse(submissions);
  const released = await runNbgrader(root, `generate_assignment:${CLASSIC_ID}`);
  const [step] = Object.values(released.said);
  if (!step!.success) throw new Error(step!.log);
  return {
    about: "nbgrader 0.9.6 on the kernel Deno (Tunebook)",
    run: async () => {
      const { said, scores } = await runNbgrader(root, `autograde:${CLASSIC_ID}`);
      const [{ success, log, seconds }] = Object.values(said) as [typeof step & object];
      if (!success) throw new Error(log);
      const students = Map.groupBy(scores, ({ student }) => student);
      const grades = Object.fromEntries(
        [...students].map(([student, cells]) => [
          student,
          textOf(cells.map(({ gradeId, points }) => [gradeId, points ?? 0])),
        ]),
      );
      await Deno.remove(root, { recursive: true });
      return { seconds, grades };
    },
  };
};

if (import.meta.main) await serve({ ours, nbgrader });
