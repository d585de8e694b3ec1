// `tunebook grade similar`: submissions that share more than the release explains.

import { join } from "@std/path/join";
import type { Command } from "commander";
import { readAssignment } from "../../grade/assignment.ts";
import { assignmentFolder, type Course, openCourse } from "../../grade/course.ts";
import { openGradebook } from "../../grade/gradebook.ts";
import { readGradeMetadata } from "../../grade/metadata.ts";
import { markdownCell } from "../../grade/questions.ts";
import { releaseNotebook } from "../../grade/release.ts";
import { countedSubmissions } from "../../grade/scores.ts";
import { type ComparedSubmission, findSimilar } from "../../grade/similar.ts";
import { renderSimilarities } from "../../grade/similar/page.ts";
import { type Cell, type Notebook, readNotebook } from "../../runtime/notebook.ts";
import { readSubmission } from "../../grade/submission.ts";
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
        "by side. Code of the release does not count, nor does code that a large part of the course has in common. The " +
        "page shows where to look; it is never a verdict.",
    )
    .argument("<assignment>", "the assignment")
    .addOption(courseOption())
    .option("-o, --output <file>", "the HTML file (default: similar-ASSIGNMENT.html)")
    .option("--threshold <share>", "the least share that a pair has in common", readShare, 0.1)
    .option("--given <notebooks...>", "notebooks that all may have used, such as lectures", [])
    .addHelpText("after", "\nExample:\n  tunebook grade similar week1 --given lecture1.ipynb")
    .action(similar);
}

/** The cells that a student handed in, and the texts of Markdown files that are the student's own. */
async function cellsOf(
  course: Course,
  assignment: string,
  student: string,
  released: readonly string[],
): Promise<Cell[]> {
  const { notebooks, files } = await readSubmission(course, assignment, student);
  const texts = files.filter(({ path }) => /\.md$/i.test(path) && !released.includes(path));
  return [
    ...[...notebooks.values()].flatMap((one) => one instanceof Error ? [] : one.cells),
    ...await Promise.all(
      texts.map(async ({ from }) => markdownCell(await Deno.readTextFile(from))),
    ),
  ];
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
  const { notebooks, settings, files } = await readAssignment(course, id);
  const given = await Promise.all(options.given.map((path) => readNotebook(path)));
  using book = openGradebook(course);
  // A group's work counts once.
  const counted = countedSubmissions(book, id, settings.groups, book.students());
  const students = new Set([...counted.values()].map(({ student }) => student));
  const submissions: ComparedSubmission[] = [];
  for (const student of students) {
    const cells = await cellsOf(course, id, student, files);
    if (cells.length === 0) continue;
    submissions.push({
      id: student,
      notebook: { nbformat: 4, nbformat_minor: 5, metadata: {}, cells },
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
