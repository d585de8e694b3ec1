// `tunebook grade similar`: submissions that share more than the release explains.

import { join } from "@std/path";
import type { Command } from "commander";
import { readAssignment } from "../../grade/assignment.ts";
import { assignmentFolder, type Course, openCourse } from "../../grade/course.ts";
import { openGradebook } from "../../grade/gradebook.ts";
import { readSubmittedNotebook } from "../../grade/handed_in.ts";
import { readGradeMetadata } from "../../grade/metadata.ts";
import { releaseNotebook } from "../../grade/release.ts";
import { countedSubmissions } from "../../grade/scores.ts";
import { type ComparedSubmission, findSimilar } from "../../grade/similar.ts";
import { renderSimilarities } from "../../grade/similar/page.ts";
import { type Notebook, readNotebook } from "../../runtime/notebook.ts";
import { writeFileBeside } from "../../write_beside.ts";
import { readShare } from "../arguments.ts";
import { courseOption } from "./options.ts";

interface Options {
  course: string;
  output?: string;
  threshold: number;
  given: string[];
}

/** Adds the subcommand. */
export function register(grade: Command): void {
  grade.command("similar")
    .summary("show submissions that share more than the release explains")
    .description(
      "Compares what students wrote, names and layout ignored, and writes a page with the pairs that share most, side " +
        "by side. What the release holds counts for nobody, and neither does what a large part of the course has in " +
        "common. It is a place to look, never a verdict.",
    )
    .argument("<assignment>", "the assignment")
    .addOption(courseOption())
    .option("-o, --output <file>", "the HTML file (default: similar-ASSIGNMENT.html)")
    .option("--threshold <share>", "the least share that a pair has in common", readShare, 0.1)
    .option("--given <notebooks...>", "notebooks that all may have used, such as lectures", [])
    .addHelpText("after", "\nExample:\n  tunebook grade similar week1 --given lecture1.ipynb")
    .action(similar);
}

/** What all students have of a notebook: the release as it was written, due date included, and the whole tests. */
function givenIn(
  course: Course,
  assignment: string,
  name: string,
  source: Notebook,
): Promise<Notebook>[] {
  const { notebook, withHidden } = releaseNotebook(source);
  const tested = structuredClone(notebook);
  for (const cell of tested.cells) {
    const gradeId = readGradeMetadata(cell)?.grade_id ?? "";
    cell.source = withHidden.get(gradeId)?.source ?? cell.source;
  }
  const path = join(assignmentFolder(course, "release", assignment), `${name}.ipynb`);
  const written = readNotebook(path).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return notebook;
    throw error;
  });
  return [Promise.resolve(tested), written];
}

async function similar(id: string, options: Options): Promise<void> {
  const course = await openCourse(options.course);
  const { notebooks, settings } = await readAssignment(course, id);
  const given = await Promise.all(options.given.map((path) => readNotebook(path)));
  using book = openGradebook(course);
  // A group's work counts once.
  const counted = countedSubmissions(book, id, settings.groups, book.students());
  const students = new Set([...counted.values()].map(({ student }) => student));
  const submissions: ComparedSubmission[] = [];
  for (const student of students) {
    const cells = [];
    for (const name of notebooks.keys()) {
      // What was graded has the grader's own cells in it.
      const steps = ["submitted", "autograded"] as const;
      const notebook = await readSubmittedNotebook(course, id, student, name, steps);
      if (notebook !== undefined) cells.push({ notebook, cells: notebook.cells });
    }
    if (cells.length === 0) continue;
    submissions.push({
      id: student,
      notebook: { ...cells[0]!.notebook, cells: cells.flatMap(({ cells }) => cells) },
    });
  }
  if (submissions.length === 0) {
    throw new Error(`Nothing to compare: no submission to "${id}" has been graded`);
  }
  const released = [...notebooks].flatMap(([name, source]) => givenIn(course, id, name, source));
  const all = [...await Promise.all(released), ...given];
  const found = findSimilar(submissions, all, { threshold: options.threshold });
  const path = options.output ?? `similar-${id}.html`;
  await writeFileBeside(path, renderSimilarities(found, submissions, { assignment: id }));
  const pairs = found.pairs.length === 1 ? "1 pair" : `${found.pairs.length} pairs`;
  console.error(`Compared ${submissions.length} submissions: ${pairs}; wrote ${path}`);
}
