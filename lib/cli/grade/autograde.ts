// `tunebook grade autograde`: grades submissions.

import { type Command, InvalidArgumentError } from "commander";
import { readCount } from "../arguments.ts";
import { onInterrupt } from "../interrupt.ts";
import { gradeAndShow } from "./grading_view.ts";
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
  await gradeAndShow(options, {
    ...assignment !== undefined && { assignments: [assignment] },
    ...{ jobs, student, shard, signal: interrupt.signal },
  });
  if (shard !== undefined) {
    console.error("When all parts are done, run it without --shard to fill the gradebook");
  }
}
