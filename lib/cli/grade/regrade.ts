// `tunebook grade regrade`: grades one question again, after its test was repaired.

import type { Command } from "commander";
import { readCount } from "../arguments.ts";
import { onInterrupt } from "../interrupt.ts";
import { gradeAndShow } from "./grading_view.ts";
import { courseOption, unsafeOption } from "./options.ts";

interface Options {
  course: string;
  jobs: number;
  student?: string;
  unsafe: boolean;
}

/** Adds the subcommand. */
export function register(grade: Command): void {
  grade.command("regrade")
    .summary("grade one question again, after its test was repaired")
    .description(
      "Grades one test again in all submissions, and the tests that use what it declares; every other verdict and all " +
        "marks stay as they are. Repair the test in source, and release the assignment again before, which proves it. " +
        "Submissions in which more has changed are named, and left to autograde.",
    )
    .argument("<question>", "the test's grade_id, or assignment/grade_id")
    .addOption(courseOption())
    .option("--jobs <n>", "how many submissions to grade at a time", readCount, 1)
    .option("--student <id>", "only this student's submission")
    .addOption(unsafeOption())
    .addHelpText(
      "after",
      "\nExample:\n  tunebook grade release week1\n  tunebook grade regrade week1/test_loss",
    )
    .action(run);
}

async function run(question: string, options: Options): Promise<void> {
  using interrupt = onInterrupt(() =>
    console.error("\nStopping; what is graded is kept. Press Ctrl-C again to end at once")
  );
  const { jobs, student } = options;
  await gradeAndShow(options, { question, jobs, student, signal: interrupt.signal });
}
