// `tunebook grade init`: makes a course folder.

import type { Command } from "commander";
import { initCourse } from "../../grade/course.ts";

/** Adds the subcommand. */
export function register(grade: Command): void {
  grade.command("init")
    .summary("make a course folder")
    .description(
      "Makes a course folder: course.yaml (due dates, extensions, late policy, groups, points, limits), roster.csv " +
        "(the students), and the folders source, release, submitted, autograded and feedback, with nbgrader's layout. " +
        "Files that are there stay as they are.",
    )
    .argument("[folder]", "where to make it", ".")
    .addHelpText("after", "\nExample:\n  tunebook grade init my-course")
    .action(init);
}

async function init(folder: string): Promise<void> {
  const { root } = await initCourse(folder);
  console.error(`Made the course in ${root}`);
  console.error(
    "Next: list the students in roster.csv and the assignments in course.yaml, put each",
  );
  console.error("assignment's notebook into source/<assignment>/, and run tunebook grade release.");
}
