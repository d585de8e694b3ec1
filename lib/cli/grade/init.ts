// `tunebook grade init`: makes a course folder, also of one that nbgrader has kept.

import { join } from "@std/path/join";
import type { Command } from "commander";
import { initCourse } from "../../grade/course.ts";
import { NBGRADER_CONFIG, nbgraderConfig } from "../../grade/nbgrader_config.ts";

interface Options {
  nbgrader: boolean;
}

/** Adds the subcommand. */
export function register(grade: Command): void {
  grade.command("init")
    .summary("make a course folder")
    .description(
      "Makes a course folder: course.yaml (due dates, extensions, late policy, groups, points, limits), roster.csv " +
        "(the students), and the folders source, release, submitted, autograded and feedback, with nbgrader's layout. " +
        "Files that are there stay as they are. In a folder of nbgrader's, students, assignments, due dates and " +
        "extensions are taken over.",
    )
    .argument("[folder]", "where to make it", ".")
    .option(
      "--nbgrader",
      `also write an ${NBGRADER_CONFIG}, with which nbgrader runs the course on this program's kernel`,
      false,
    )
    .addHelpText(
      "after",
      "\nExamples:\n  tunebook grade init my-course\n  tunebook grade init --nbgrader my-course",
    )
    .action(init);
}

async function init(folder: string, { nbgrader }: Options): Promise<void> {
  const { root, roster, settings } = await initCourse(folder);
  console.error(`Made the course in ${root}`);
  if (nbgrader) await writeConfig(root, settings.defaults.limits.cellSeconds);
  if (roster.length > 0 || settings.assignments.size > 0) {
    console.error(`Students: ${roster.length}, assignments: ${settings.assignments.size}`);
    console.error("Next: look at course.yaml and roster.csv, and run tunebook grade release.");
    return;
  }
  console.error(
    "Next: list the students in roster.csv and the assignments in course.yaml, put each",
  );
  console.error("assignment's notebook into source/<assignment>/, and run tunebook grade release.");
}

/** Writes nbgrader's configuration; one that is there stays. */
async function writeConfig(root: string, cellSeconds: number): Promise<void> {
  const path = join(root, NBGRADER_CONFIG);
  try {
    await Deno.writeTextFile(path, nbgraderConfig({ cellSeconds }), { createNew: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    console.error(`${path} stays as it is: make it say what a new one would`);
  }
}
