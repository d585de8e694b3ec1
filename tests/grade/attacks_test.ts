// Submissions that try to be graded better than they are: each keeps its honest grade, and what they try
// is reported where it can be seen. The rows are in attacks.ts; hostile texts in pages are tested with
// the pages, what is changed of a release with restore.ts.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { type Graded, gradeSubmission } from "../../lib/grade/autograde.ts";
import { renderFeedback } from "../../lib/grade/feedback.ts";
import { type Release, releaseNotebook } from "../../lib/grade/release.ts";
import type { GradeLimits } from "../../lib/grade/verdict.ts";
import { sandboxFault } from "../../lib/runtime/sandbox/outer.ts";
import { type Attack, ENDERS, HANGERS, QUIET, SECRET, TWICE, WRECKERS } from "./attacks.ts";
import { answer, book, type BookCell, locked, test } from "./book.ts";

const fault = await sandboxFault();
const needs = fault === undefined ? "" : ` (${fault})`;

const SETUP = 'import { assert, assertEquals, assertRejects } from "@std/assert";\n' +
  "const check = (ok: boolean) => { if (!ok) throw new Error('not so'); };";

/** An assignment with a question for each attack. */
function assignment(attacks: readonly Attack[]): Release {
  return releaseNotebook(book(
    ["code", SETUP, locked("setup")],
    ...attacks.flatMap((attack, i): BookCell[] => [
      ["code", `// BEGIN SOLUTION\nconst f${i} = 1;\n// END SOLUTION`, answer(`q${i}`)],
      ["code", named(attack.test ?? TWICE, i), test(`t${i}`, 2)],
    ]),
  ));
}

const named = (source: string, i: number) => source.replaceAll("$f", `f${i}`);

/** Hands in all attacks as one submission. */
async function handIn(
  attacks: readonly Attack[],
  limits: Partial<GradeLimits> = {},
): Promise<Graded> {
  const release = assignment(attacks);
  const notebook = structuredClone(release.notebook);
  for (const cell of notebook.cells) {
    const { grade_id = "" } = (cell.metadata.nbgrader ?? {}) as { grade_id?: string };
    const i = Number(/^q(\d+)$/.exec(grade_id)?.[1] ?? -1);
    if (i >= 0) cell.source = named(attacks[i]!.answer, i);
  }
  return await gradeSubmission(release, notebook, {
    limits: { cellSeconds: 5, callSeconds: 5, testSeconds: 8, memory: 512, disk: 64, ...limits },
  });
}

function assertReported(attacks: readonly Attack[], { findings }: Graded) {
  const said = findings.map(({ message }) => message);
  for (const { tries, reported } of attacks) {
    if (reported) assert(said.some((one) => reported.test(one)), `${tries}: ${said.join("; ")}`);
  }
}

async function keepsItsGrade(
  t: Deno.TestContext,
  attacks: readonly Attack[],
  limits?: Partial<GradeLimits>,
): Promise<Graded> {
  const graded = await handIn(attacks, limits);
  for (const [i, { tries, points = 0 }] of attacks.entries()) {
    await t.step(tries, () => {
      const verdict = graded.verdicts[i]!;
      assertEquals(verdict.points, points, JSON.stringify(verdict));
      assert((verdict.message?.length ?? 0) < 20_000);
    });
  }
  assertReported(attacks, graded);
  return graded;
}

function inSandbox(name: string, fn: (t: Deno.TestContext) => Promise<void>) {
  Deno.test({ name: `${name}${needs}`, ignore: fault !== undefined, fn });
}

inSandbox("a submission that attacks the verdict keeps its honest grade", async (t) => {
  const graded = await keepsItsGrade(t, QUIET, { memory: 2048 });
  const { findings, notebook, verdicts } = graded;
  await t.step("what is honest is not reported", () => {
    for (const [i, { tries }] of QUIET.entries()) {
      const own = findings.filter(({ gradeId }) => gradeId === `q${i}`);
      if (tries.startsWith("nothing")) assertEquals(own, []);
    }
  });
  await t.step("no page for the student tells a hidden input", () => {
    const page = renderFeedback({
      assignment: "a",
      student: "s",
      questions: verdicts.map((verdict) => ({ verdict })),
    });
    assert(!page.includes(SECRET));
    assertMatch(page, /leak/); // It still says what failed.
  });
  await t.step("no output of a cell from before the hidden tests tells one", () => {
    const shown = notebook.cells.filter(({ metadata }) => !metadata.tunebook_after_hidden)
      .map((cell) => cell.cell_type === "code" ? cell.outputs : []);
    assert(!JSON.stringify(shown).includes(SECRET));
  });
});

inSandbox("a submission that wrecks its own process gains nothing", async (t) => {
  for (const attack of WRECKERS) {
    await t.step(attack.tries, async () => {
      const graded = await handIn([attack], { cellSeconds: 2, callSeconds: 2 });
      assertEquals(graded.verdicts[0]!.points, attack.points ?? 0);
      assertReported([attack], graded);
    });
  }
});

inSandbox("a submission that ends its process costs its own tests only", async (t) => {
  await keepsItsGrade(t, ENDERS, { output: 2 ** 24 });
});

inSandbox("a submission that hangs costs its own tests only", async (t) => {
  const started = performance.now();
  const { verdicts } = await keepsItsGrade(t, HANGERS, { callSeconds: 1, testSeconds: 2 });
  const statuses = verdicts.map(({ status }) => status);
  assertEquals(statuses, ["timeout", "timeout", "timeout", "timeout", "timeout", "passed"]);
  assert(performance.now() - started < 300_000);
});
