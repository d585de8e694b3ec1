// `tunebook grade autograde`: grades submissions.

import { type Command, InvalidArgumentError } from "commander";
import { openCourse } from "../../grade/course.ts";
import {
  autograde,
  type AutogradeEvent,
  type AutogradeSummary,
} from "../../grade/batch/autograde.ts";
import { describeFinding } from "../../grade/metadata.ts";
import { readCount } from "../arguments.ts";
import { onInterrupt } from "../interrupt.ts";
import { progress } from "../progress.ts";
import { CODECS, sandboxFor } from "./grading.ts";
import { courseOption, unsafeOption } from "./options.ts";

interface Options {
  course: string;
  jobs: number;
  student?: string;
  shard?: { index: number; count: number };
  unsafe: boolean;
}

/** Adds the subcommand. */
export function register(grade: Command): void {
  grade.command("autograde")
    .summary("grade submissions in a sandbox")
    .description(
      "Grades what is in submitted and has not been graded yet, or whose inputs have changed: the submission, the " +
        "release, the limits, or the versions of Tunebook and Deno. Writes the graded notebooks and a result.json into " +
        "autograded, and the verdicts into the gradebook, which is copied into backups before. A submission that meets " +
        "a limit of time is graded once more, alone. Exit code 0: all are graded; 1: some could not be.",
    )
    .argument("[assignment]", "its folder in source (default: all assignments)")
    .addOption(courseOption())
    .option("--jobs <n>", "how many submissions to grade at a time", readCount, 1)
    .option("--student <id>", "grade only this student's submissions")
    .option(
      "--shard <i/n>",
      "grade only the i-th of n parts, for a scheduler; afterwards, a run without it fills the gradebook",
      readShard,
    )
    .addOption(unsafeOption())
    .addHelpText(
      "after",
      "\nExamples:\n  tunebook grade autograde week1 --jobs 4\n" +
        "  sbatch --array=1-8 --wrap 'tunebook grade autograde --shard $SLURM_ARRAY_TASK_ID/8'",
    )
    .action(run);
}

/** Reads `i/n`. */
export function readShard(text: string): { index: number; count: number } {
  const [index, count] = /^(\d{1,6})\/(\d{1,6})$/.exec(text)?.slice(1).map(Number) ?? [];
  if (index === undefined || count === undefined || index < 1 || index > count) {
    throw new InvalidArgumentError("Expected a part and a number of parts, such as 2/8.");
  }
  return { index, count };
}

async function run(assignment: string | undefined, options: Options): Promise<void> {
  using interrupt = onInterrupt(() =>
    console.error("\nStopping; what is graded is kept. Press Ctrl-C again to end at once")
  );
  const { jobs, student, shard } = options;
  const course = await openCourse(options.course);
  const sandbox = await sandboxFor(options);
  const view = new GradingView();
  try {
    const summary = await autograde(course, {
      ...assignment !== undefined && { assignments: [assignment] },
      ...{ jobs, student, shard, sandbox, codecs: CODECS, signal: interrupt.signal },
      onStart: (total) => view.start(total),
      onProgress: (event) => view.show(event),
    });
    view.end();
    report(summary, shard !== undefined);
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

function report(
  { graded, upToDate, failed, notes, backup }: AutogradeSummary,
  isPart: boolean,
): void {
  for (const note of notes) console.error(`Note: ${note}`);
  if (backup !== undefined) console.error(`The gradebook as it was before is in ${backup}`);
  const before = upToDate === 0 ? "" : `, ${upToDate} had been graded already`;
  const not = failed.length === 0 ? "" : `, ${failed.length} could not be graded`;
  console.error(`Graded ${graded} ${graded === 1 ? "submission" : "submissions"}${before}${not}`);
  if (isPart) {
    console.error("When all parts are done, run it without --shard to fill the gradebook");
  }
  if (failed.length > 0) Deno.exitCode = 1;
}
