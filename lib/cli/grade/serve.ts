// `tunebook grade serve`: the marking page.

import type { Command } from "commander";
import { openCourse } from "../../grade/course.ts";
import { openGradebook } from "../../grade/gradebook.ts";
import { GradebookMarks } from "../../grade/serve/gradebook_marks.ts";
import { serveMarking } from "../../grade/serve/server.ts";
import { readCount, readWhole } from "../arguments.ts";
import { onInterrupt } from "../interrupt.ts";
import { courseOption } from "./options.ts";
import { ollamaSuggestions } from "./suggestions.ts";

interface Options {
  course: string;
  port: number;
  names: boolean;
  tests: boolean;
  marker?: string;
  judge?: string;
  numCtx: number;
}

/** Adds the subcommand. */
export function register(grade: Command): void {
  grade.command("serve")
    .summary("mark written answers on a local web page")
    .description(
      "Serves a page on which people mark written answers, by keyboard alone if they like: rubrics, comments that are " +
        "used again, the student's report beside the answer. Only this machine reaches it, and only with the token " +
        "in the address that is printed. Several people may mark at once, each in a browser of this machine or through " +
        "an SSH tunnel; nobody overwrites what they have not seen. Every change is saved at once, in tunebook.db. " +
        "Ctrl-C ends it.",
    )
    .argument("[assignments...]", "the assignments to mark (default: all that were graded)")
    .addOption(courseOption())
    .option("--port <n>", "the port (default: any that is free)", readWhole, 0)
    .option("--names", "show the students' ids in place of pseudonyms", false)
    .option(
      "--tests",
      "list tests too: a mark then replaces the verdict, as after an appeal",
      false,
    )
    .option("--marker <name>", "the name that the page offers to its marker")
    .option(
      "--judge <name>",
      'offer suggestions by a language model: "ollama:MODEL", at OLLAMA_HOST or on this machine. They are shown with ' +
        "a reason, and never become a mark by themselves",
    )
    .option(
      "--num-ctx <tokens>",
      "the most tokens of the judge's prompt and reply",
      readCount,
      8192,
    )
    .addHelpText("after", "\nExample:\n  tunebook grade serve week3 --judge ollama:llama3")
    .action(serve);
}

async function serve(assignments: string[], options: Options): Promise<void> {
  const { port, names, tests, marker, judge, numCtx } = options;
  // An invalid judge is reported before anything is read.
  const suggest = judge === undefined ? undefined : ollamaSuggestions(judge, { numCtx });
  const course = await openCourse(options.course);
  using book = openGradebook(course);
  const only = assignments.length === 0 ? undefined : assignments;
  const marks = await GradebookMarks.open(course, book, { only, tests });
  if ((await marks.questions()).length === 0) {
    throw new Error("Nothing to mark: no graded assignment has a written answer");
  }
  using interrupt = onInterrupt(() => console.error("Ending; press Ctrl-C again to end at once"));
  const server = await serveMarking(marks, {
    port,
    anonymous: !names,
    marker,
    suggest,
    signal: interrupt.signal,
  });
  console.error("Open this address in a browser on this machine; Ctrl-C ends the page");
  console.log(server.url);
  await server.finished;
}
