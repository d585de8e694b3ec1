// The assignments that ship, graded outside of the student's process: each is proved before its release, and
// made-up submissions get the points that they get where test and answer share a process.

import { assertEquals } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { checkThroughStandIns, gradeSubmission } from "../../lib/grade/autograde.ts";
import { describeFinding, gradedCells } from "../../lib/grade/metadata.ts";
import { releaseNotebook } from "../../lib/grade/release.ts";
import { sandboxFault } from "../../lib/runtime/sandbox/outer.ts";
import { readNotebook } from "../../lib/runtime/notebook.ts";
import { handIn, type Quality, type Submission } from "./submissions/submission.ts";

const fault = await sandboxFault();
const needs = fault === undefined ? "" : ` (${fault})`;
const folder = fromFileUrl(new URL("../../notebooks/assignments", import.meta.url));
const names = [...Deno.readDirSync(folder)].filter(({ isDirectory }) => isDirectory)
  .map(({ name }) => name).sort();

for (const name of names) {
  const cwd = join(folder, name);
  const options = { cwd, limits: { cellSeconds: 120 } };
  const source = await readNotebook(join(cwd, `${name}.ipynb`));

  Deno.test({
    name: `${name}: through the stand-ins its solution gets full marks and its stub none${needs}`,
    ignore: fault !== undefined,
    async fn() {
      assertEquals((await checkThroughStandIns(source, options)).map(describeFinding), []);
    },
  });

  const { submissions } = await import(`./submissions/${name}.ts`) as {
    submissions: Record<Quality, Submission>;
  };
  for (const [quality, { answers, losses }] of Object.entries(submissions)) {
    Deno.test({
      name: `${name}: a ${quality} submission gets its points outside of its process${needs}`,
      ignore: fault !== undefined,
      async fn() {
        const release = releaseNotebook(source);
        const handedIn = handIn(release.notebook, answers);
        const { verdicts, findings } = await gradeSubmission(release, handedIn, options);
        assertEquals(findings, []);
        const tests = gradedCells(source).filter(({ role }) => role === "test")
          .map(({ metadata: { grade_id, points } }) => [grade_id, losses[grade_id] ?? points]);
        const got = Object.fromEntries(verdicts.map(({ gradeId, points }) => [gradeId, points]));
        assertEquals(tests.map(([id]) => [id, got[id!]]), tests);
      },
    });
  }
}
