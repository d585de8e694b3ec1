// Runs a grading, and shows its progress and results.

import { openCourse } from "../../grade/course.ts";
import {
  autograde,
  type AutogradeEvent,
  type AutogradeOptions,
  type AutogradeSummary,
} from "../../grade/batch/autograde.ts";
import { describeFinding } from "../../grade/metadata.ts";
import { progress } from "../progress.ts";
import { CODECS, sandboxFor } from "./grading.ts";

/**
 * Grades submissions; sets the exit code.
 *
 * @param flags The course folder, and whether to do without a sandbox.
 * @param options What to grade.
 */
export async function gradeAndShow(
  flags: { course: string; unsafe: boolean },
  options: AutogradeOptions,
): Promise<void> {
  const course = await openCourse(flags.course);
  const sandbox = await sandboxFor(flags);
  const view = new GradingView();
  try {
    const summary = await autograde(course, {
      ...options,
      ...{ sandbox, codecs: CODECS },
      onStart: (total) => view.start(total),
      onProgress: (event) => view.show(event),
    });
    view.end();
    report(summary);
  } finally {
    view.end();
  }
}

/** The progress of a grading, with the time left. */
class GradingView {
  readonly #started = performance.now();
  #bar?: ReturnType<typeof progress>;

  start(total: number): void {
    if (total === 0) return;
    this.#bar = progress("Grading", total);
    this.#bar.update(0);
  }

  show(event: AutogradeEvent): void {
    const { done, total, assignment, student } = event;
    this.#bar?.finish();
    for (const line of describe(event)) console.log(line);
    const seconds = (performance.now() - this.#started) / 1000 / done * (total - done);
    const left = done === total ? "" : `, ${timeLeft(seconds)} left`;
    this.#bar?.update(done, `${assignment} of ${student}${left}`);
  }

  end(): void {
    this.#bar?.finish();
    this.#bar = undefined;
  }
}

/** A time for people, no more exact than it is known. */
export function timeLeft(seconds: number): string {
  if (seconds < 90) return `about ${Math.ceil(seconds)} s`;
  if (seconds < 5400) return `about ${Math.round(seconds / 60)} min`;
  return `about ${(seconds / 3600).toFixed(1)} h`;
}

/** A submission's result: a line, and what the instructor should see. */
function describe({ assignment, student, result, error }: AutogradeEvent): string[] {
  const name = `${student}, ${assignment}`;
  if (result === undefined) return [`${name}: not graded: ${error}`];
  const verdicts = result.notebooks.flatMap(({ verdicts }) => verdicts);
  const sum = (of: "points" | "maxPoints") =>
    Math.round(verdicts.reduce((total, verdict) => total + verdict[of], 0) * 100) / 100;
  const waiting = verdicts.filter(({ status }) => status === "manual").length;
  const answers = waiting === 1 ? "1 answer waits" : `${waiting} answers wait`;
  const marks = waiting === 0 ? "" : `; ${answers} for a person`;
  return [
    `${name}: ${sum("points")} of ${sum("maxPoints")} points${marks}`,
    ...result.notes.map((note) => `  ${note}`),
    ...result.notebooks.flatMap(({ notebook, findings }) =>
      findings.map((finding) => `  ${notebook}.ipynb: ${describeFinding(finding)}`)
    ),
  ];
}

function report({ graded, upToDate, failed, notes, backup }: AutogradeSummary): void {
  for (const note of notes) console.error(`Note: ${note}`);
  if (backup !== undefined) console.error(`The gradebook as it was before is in ${backup}`);
  const before = upToDate === 0 ? "" : `, ${upToDate} had been graded already`;
  const not = failed.length === 0 ? "" : `, ${failed.length} could not be graded`;
  console.error(`Graded ${graded} ${graded === 1 ? "submission" : "submissions"}${before}${not}`);
  if (failed.length > 0) Deno.exitCode = 1;
}
