// `tunebook grade release`: makes the students' version of an assignment.

import type { Command } from "commander";
import { openCourse } from "../../grade/course.ts";
import { releaseAssignment } from "../../grade/release_assignment.ts";
import { readCount } from "../arguments.ts";
import { onInterrupt } from "../interrupt.ts";
import { type Progress, progress } from "../progress.ts";
import { CODECS, sandboxFor } from "./grading.ts";
import { courseOption, unsafeOption } from "./options.ts";

interface Options {
  course: string;
  prove: boolean;
  jobs: number;
  unsafe: boolean;
}

/** Adds the subcommand. */
export function register(grade: Command): void {
  grade.command("release")
    .summary("make the students' version of an assignment, after proving it")
    .description(
      "Writes release/<assignment> from source/<assignment>: without solutions, hidden tests and mark schemes, with " +
        "locked cells, checksums and the due date. Faults are named with their cells. First the assignment is proved: " +
        "graded as submissions are, the solution must get full marks, and the stub none. Where a cell tagged " +
        '"variants" declares a seed, each student of the roster gets another one, in release/<student>/<assignment>, ' +
        "and every variant is proved. Exit code 0: released; 1: there are faults, and nothing was written.",
    )
    .argument("<assignment>", "its folder in source")
    .addOption(courseOption())
    .option("--no-prove", "do not run the solution and the stub")
    .option("--jobs <n>", "how many variants to prove at a time", readCount, 1)
    .addOption(unsafeOption())
    .addHelpText("after", "\nExample:\n  tunebook grade release week1")
    .action(release);
}

async function release(assignment: string, options: Options): Promise<void> {
  using interrupt = onInterrupt(() => console.error("Stopping; press Ctrl-C again to end at once"));
  const course = await openCourse(options.course);
  let shown: Progress | undefined;
  const onVariant = (done: number, total: number) => {
    shown ??= progress("Proving variants", total);
    shown.update(done);
    if (done < total) return;
    shown.finish();
    shown = undefined;
  };
  const proof = options.prove
    ? {
      codecs: CODECS,
      sandbox: await sandboxFor(options),
      signal: interrupt.signal,
      jobs: options.jobs,
      onVariant,
    }
    : undefined;
  if (proof) console.error("Grading the solution and the stub");
  const { faults, notes, folder } = await releaseAssignment(course, assignment, { proof });
  for (const note of notes) console.error(`Note: ${note}`);
  for (const fault of faults) console.error(fault);
  if (folder === undefined) {
    const count = faults.length === 1 ? "1 fault" : `${faults.length} faults`;
    console.error(`Not released: ${count}`);
    Deno.exitCode = 1;
  } else console.error(`Released ${assignment} into ${folder}`);
}
