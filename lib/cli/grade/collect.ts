// `tunebook grade collect`: takes what students handed in into the course folder.

import { type Command, Option } from "commander";
import { type Collected, collectSubmissions } from "../../grade/collect.ts";
import { type LayoutName, LAYOUTS, NAMED } from "../../grade/collect/layouts.ts";
import { type Course, openCourse } from "../../grade/course.ts";
import { onInterrupt } from "../interrupt.ts";
import { progress } from "../progress.ts";
import { courseOption } from "./options.ts";

interface Options {
  course: string;
  layout?: LayoutName;
  names?: string;
  worksheet?: string;
  fileTimes: boolean;
}

const LAYOUT_HELP = Object.entries(LAYOUTS).filter(([name]) => name !== NAMED)
  .map(([name, { example }]) => `  ${name.padEnd(13)} ${example}`).join("\n");

/** Adds the subcommand. */
export function register(grade: Command): void {
  grade.command("collect")
    .summary("take in what students handed in, from a folder or a course system's zip")
    .description(
      "Finds whose each file is by the roster, and puts the newest attempt of each student into " +
        "submitted/<student>/<assignment>, with its time in timestamp.txt; all attempts are kept in attempts/. Notebooks " +
        "are taken, and Markdown and PDF where course.yaml accepts them. Links, encrypted and foreign files, and what " +
        "unpacks to more than the limits are refused and listed, and never stop the rest. Collecting the same again " +
        "changes nothing.",
    )
    .argument("<assignment>", "its folder in release")
    .argument("<sources...>", "folders, or zips as Canvas, Moodle or Blackboard export them")
    .addOption(courseOption())
    .addOption(
      new Option("--layout <name>", "how the files are named, if it is not found")
        .choices(Object.keys(LAYOUTS).filter((name) => name !== NAMED)),
    )
    .option(
      "--names <regexp>",
      "read the paths by a regular expression with the named groups student_id, lms_user_id, or first_name and " +
        "last_name; and file_id and timestamp where they are there",
    )
    .option(
      "--worksheet <file>",
      "Moodle's offline grading worksheet (CSV): it says who is behind the numbers in its zip, and when they handed in",
    )
    .option(
      "--file-times",
      "take a file's time as when it was handed in, where nothing else says it; exports of Canvas and Moodle may have " +
        "the time of the export there",
      false,
    )
    .addHelpText("after", `\nLayouts:\n${LAYOUT_HELP}`)
    .addHelpText("after", "\nExample:\n  tunebook grade collect week1 submissions.zip")
    .action(collect);
}

async function collect(assignment: string, sources: string[], options: Options): Promise<void> {
  using interrupt = onInterrupt(() => console.error("Stopping after this submission"));
  const course = await openCourse(options.course);
  const { layout, fileTimes } = options;
  const names = options.names === undefined ? undefined : new RegExp(options.names, "su");
  const worksheet = options.worksheet && await Deno.readTextFile(options.worksheet);
  for (const source of sources) {
    const bar = progress(`Collecting ${source}`);
    const result = await collectSubmissions(course, assignment, source, {
      layout,
      names,
      ...worksheet !== undefined && { worksheet },
      fileTimes,
      signal: interrupt.signal,
      onProgress: (done, total) => bar.update(done, `of ${total} submissions`),
    }).finally(() => bar.finish());
    report(result, source);
    reportTimes(result, course, assignment);
    if (source === sources.at(-1)) reportMissing(result, course);
  }
}

function report({ layout, attempts, findings }: Collected, source: string): void {
  for (const refused of [false, true]) {
    const some = findings.filter((finding) => finding.refused === refused);
    if (some.length > 0) console.error(refused ? "Refused:" : "To know:");
    for (const { path, message } of some) console.error(`  ${path} ${message}`);
  }
  const count = (number: number, what: string) => `${number} ${what}${number === 1 ? "" : "s"}`;
  const added = attempts.filter(({ isNew }) => isNew).length;
  const students = new Set(attempts.map(({ student }) => student)).size;
  console.error(
    `${source} (${layout}): ${count(added, "new attempt")}, ${attempts.length - added} known, of ${
      count(students, "student")
    }`,
  );
}

/** Counts the submissions without a time, since they are never late. */
function reportTimes({ attempts }: Collected, course: Course, assignment: string): void {
  const unknown = attempts.filter(({ counts, submitted }) => counts && submitted === undefined);
  if (unknown.length === 0 || course.settings.assignments.get(assignment)?.due === undefined) {
    return;
  }
  console.error(
    unknown.length === 1
      ? "1 submission has no time: it counts as in time"
      : `${unknown.length} submissions have no time: they count as in time`,
  );
}

function reportMissing({ missing }: Collected, { roster }: Course): void {
  if (missing.length === 0) console.error("Everyone on the roster has handed in");
  else {console.error(
      `Without a submission: ${missing.length} of ${roster.length}: ${missing.join(", ")}`,
    );}
}
