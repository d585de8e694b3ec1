/** A course's submissions graded in sandboxes, beside nbgrader, which has none. */

import { fromFileUrl } from "@std/path";
import type { Case, CaseOptions } from "../cases.ts";
import type { Grades } from "../grading.ts";

const SUBMISSIONS = 100;
const OURS = "Tunebook, sandboxed";
const THEIRS = "nbgrader";

/** Seconds per submission. The cells take milliseconds, so that nearly all of them are the graders' own. */
export function gradingCase({ python }: CaseOptions): Promise<Case> {
  const script = fromFileUrl(new URL("../grading.ts", import.meta.url));
  const contestant = (name: string, which: string) => ({
    name,
    command: [Deno.execPath(), "run", "-A", "--no-check", script],
    env: { ...python !== undefined && { TUNEBOOK_PYTHON: python } },
    prepare: { case: which },
  });
  return Promise.resolve({
    title: `Grading ${SUBMISSIONS} submissions`,
    prepare: { submissions: SUBMISSIONS, jobs: navigator.hardwareConcurrency },
    contestants: [
      contestant(OURS, "ours"),
      ...python === undefined ? [] : [contestant(THEIRS, "nbgrader")],
    ],
    rounds: 1,
    warmUps: 0,
    rate: ({ median }) => `${(median / SUBMISSIONS).toFixed(2)} s per submission`,
    bars: (of) => [
      {
        what: "Grading, beyond the cells' own time, per submission",
        value: of(OURS).median / SUBMISSIONS,
        kind: "at most",
        limit: 1.5,
        unit: "s",
      },
      {
        what: "The same, against nbgrader's",
        value: of(OURS).median / of(THEIRS).median,
        kind: "at most",
        limit: 0.1,
      },
    ],
    agreement: (of) => {
      const [mine, its] = [of(OURS), of(THEIRS)].map(({ runs }) => runs[0]!.grades as Grades);
      const students = Object.keys(its!);
      const differ = students.filter((student) => mine![student] !== its![student]);
      return {
        text: `${
          students.length - differ.length
        } of ${students.length} submissions with equal grades`,
        holds: students.length === SUBMISSIONS && differ.length === 0,
      };
    },
  });
}
