// `tunebook grade feedback`: the pages that students get back.

import type { Command } from "commander";
import { openCourse } from "../../grade/course.ts";
import { writeFeedbackPages } from "../../grade/feedback_pages.ts";
import { openGradebook } from "../../grade/gradebook.ts";
import { onInterrupt } from "../interrupt.ts";
import { type Progress, progress } from "../progress.ts";
import { courseOption } from "./options.ts";

interface Options {
  course: string;
  student?: string;
}

/** Adds the subcommand. */
export function register(grade: Command): void {
  grade.command("feedback")
    .summary("write the pages that students get back")
    .description(
      "Writes feedback/<student>/<assignment>/<assignment>.html for each student who has handed in: one page that " +
        "opens anywhere, with the score by question, what failed in words, rubrics and comments, and late days. It " +
        "reveals nothing about hidden tests, and names the answers that still have to be marked.",
    )
    .argument("<assignment>", "the assignment")
    .addOption(courseOption())
    .option("--student <id>", "write one student's page only")
    .addHelpText("after", "\nExample:\n  tunebook grade feedback week1")
    .action(feedback);
}

async function feedback(assignment: string, options: Options): Promise<void> {
  using interrupt = onInterrupt(() => console.error("Stopping; press Ctrl-C again to end at once"));
  const course = await openCourse(options.course);
  using book = openGradebook(course);
  let bar: Progress | undefined;
  const { pages, unfinished, without } = await writeFeedbackPages(course, book, assignment, {
    student: options.student,
    signal: interrupt.signal,
    onProgress: (done, of) => (bar ??= progress("Feedback", of)).update(done),
  });
  bar?.finish();
  console.error(`Wrote ${pages.size} pages into ${course.root}/feedback`);
  if (unfinished > 0) {
    console.error(`On ${unfinished} of them, answers wait to be marked: run this again then`);
  }
  if (without.length > 0) {
    console.error(`Nothing was handed in by ${without.length}: ${without.join(", ")}`);
  }
}
