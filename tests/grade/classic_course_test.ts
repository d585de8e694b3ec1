// A course in nbgrader's classic style goes from init to the gradebook as it is: nobody changes a file of it by hand.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { parse } from "@std/csv";
import { fromFileUrl, join } from "@std/path";
import { openCourse } from "../../lib/grade/course.ts";
import { Gradebook, gradebookFile } from "../../lib/grade/gradebook.ts";
import { sandboxFault } from "../../lib/runtime/sandbox/outer.ts";
import { ASSIGNMENT, EXPECTED, handInClassic, writeClassicCourse } from "./classic_course.ts";

const fault = await sandboxFault();
const needs = fault === undefined ? "" : ` (${fault})`;
const CLI = fromFileUrl(new URL("../../lib/cli.ts", import.meta.url));
const CONFIG = fromFileUrl(new URL("../../deno.json", import.meta.url));

/** Runs `tunebook grade`; gives what it says. */
async function grade(...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--allow-all",
      "--no-check",
      "--quiet",
      "--config",
      CONFIG,
      CLI,
      "grade",
      ...args,
    ],
  }).output();
  const said = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)).join("");
  assert(success, `grade ${args.join(" ")}: ${said}`);
  return said;
}

Deno.test({
  name:
    `a classic course goes through init, release, collect, autograde, feedback and gradebook${needs}`,
  ignore: fault !== undefined,
  async fn() {
    const folder = await Deno.makeTempDir({ prefix: "tunebook-classic-" });
    const root = join(folder, "course");
    const inbox = join(folder, "in box");
    try {
      await writeClassicCourse(root);
      await grade("init", "--nbgrader", root);
      await grade("release", ASSIGNMENT, "--course", root);
      const released = join(root, "release", ASSIGNMENT);
      const files = [...Deno.readDirSync(released)].map(({ name }) => name).sort();
      assertEquals(files, ["Problem 1.ipynb", "Problem 2.ipynb", "data", "images"]);
      const text = await Deno.readTextFile(join(released, "Problem 1.ipynb"));
      assertStringIncludes(text, "Before you turn this in");
      assertStringIncludes(text, "No Answer Given!");
      assertEquals(text.match(/BEGIN|END |RangeError\(|Two points for each|reduce/), null);

      await handInClassic(released, inbox);
      await grade("collect", ASSIGNMENT, inbox, "--course", root);
      await grade("autograde", "--course", root);
      const { roster } = await openCourse(root);
      assertEquals(roster.map(({ id }) => id), ["absent", "bit diddle", "hacker", "reasoner"]);
      {
        using book = Gradebook.open(gradebookFile({ root }));
        for (const [student, points] of Object.entries(EXPECTED)) {
          const verdicts = book.verdicts({ student, assignment: ASSIGNMENT, attempt: 1 });
          const got = Object.fromEntries(verdicts.map((one) => [one.gradeId, one.points]));
          for (const [gradeId, expected] of Object.entries(points)) {
            assertEquals(got[gradeId], expected, `${student}, ${gradeId}`);
          }
        }
      }
      await grade("feedback", ASSIGNMENT, "--course", root);
      const page = join(root, "feedback", "hacker", ASSIGNMENT, `${ASSIGNMENT}.html`);
      assertStringIncludes(await Deno.readTextFile(page), "Part A");

      const scores = join(folder, "scores.csv");
      await grade("gradebook", "export", "--course", root, "--output", scores);
      const rows = parse(await Deno.readTextFile(scores), { skipFirstRow: true }) as Record<
        string,
        string
      >[];
      assertEquals(rows.map((row) => [row.student_id, row.score, row.max_score]), [
        ["absent", "0", "13.5"],
        ["bit diddle", "6.5", "13.5"],
        ["hacker", "2.25", "13.5"],
        ["reasoner", "2", "13.5"],
      ]);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
