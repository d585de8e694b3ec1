// `tunebook grade`: assignments, from the course folder to the gradebook. Each step is a subcommand in a file of its own.

import type { Command } from "commander";

/** A module of lib/cli/grade, which adds its subcommand with all options. */
export interface GradeCommandModule {
  /** Adds the subcommand to `tunebook grade`. */
  register(grade: Command): void;
}

/** The subcommands, in the order of the help, which is that of the work. */
const COMMANDS: Record<string, { summary: string; load: () => Promise<GradeCommandModule> }> = {
  init: {
    summary: "make a course folder",
    load: () => import("./grade/init.ts"),
  },
  release: {
    summary: "make the students' version of an assignment, after proving it",
    load: () => import("./grade/release.ts"),
  },
  validate: {
    summary: "check an assignment before handing it in, as the grader will",
    load: () => import("./grade/validate.ts"),
  },
  collect: {
    summary: "take in what students handed in, from a folder or a course system's zip",
    load: () => import("./grade/collect.ts"),
  },
  autograde: {
    summary: "grade submissions in a sandbox",
    load: () => import("./grade/autograde.ts"),
  },
  regrade: {
    summary: "grade one question again, after its test was repaired",
    load: () => import("./grade/regrade.ts"),
  },
  serve: {
    summary: "mark written answers on a local web page",
    load: () => import("./grade/serve.ts"),
  },
  feedback: {
    summary: "write the pages that students get back",
    load: () => import("./grade/feedback.ts"),
  },
  gradebook: {
    summary: "export scores, and describe them",
    load: () => import("./grade/gradebook.ts"),
  },
  similar: {
    summary: "show submissions that share more than the release explains",
    load: () => import("./grade/similar.ts"),
  },
  receipt: {
    summary: "sign grades, so that each can be checked and reached again",
    load: () => import("./grade/receipt.ts"),
  },
  verify: {
    summary: "grade the work of a receipt again, and say whether it is the same",
    load: () => import("./grade/verify.ts"),
  },
};

/** Adds the subcommand. */
export async function register(program: Command, args: readonly string[]): Promise<void> {
  const grade = program.command("grade")
    .summary("release assignments, grade submissions, return feedback")
    .description(
      "Grades assignments that are notebooks with nbgrader's metadata, in nbgrader's folders. Students' code runs in a " +
        "sandbox, and each verdict is reached outside of it.",
    )
    .helpCommand("help [command]", "show help for a command");
  const asked = args[0] === "help" ? args[1] : args[0];
  for (const [name, { summary, load }] of Object.entries(COMMANDS)) {
    if (name === asked) (await load()).register(grade);
    else grade.command(name).summary(summary).description(summary);
  }
}
