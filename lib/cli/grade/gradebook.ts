// `tunebook grade gradebook export`: scores as CSV, filled into a course system's file, and their statistics.

import type { Command } from "commander";
import { basename } from "@std/path/basename";
import { dirname } from "@std/path/dirname";
import { join } from "@std/path/join";
import { readAssignment } from "../../grade/assignment.ts";
import { assignmentSettings, type Course, openCourse } from "../../grade/course.ts";
import { fillScores } from "../../grade/fill_csv.ts";
import { type Gradebook, openGradebook, type Student } from "../../grade/gradebook.ts";
import { scoreRows, scoresToCsv } from "../../grade/gradebook_csv.ts";
import { questionTitle } from "../../grade/questions.ts";
import { type AssignmentScore, assignmentScores } from "../../grade/scores.ts";
import { type BarChart, describeScores, renderStatistics } from "../../grade/statistics_page.ts";
import { renderSvg } from "../../show/svg/render.ts";
import { writeFileBeside } from "../../write_beside.ts";
import { courseOption } from "./options.ts";

interface Options {
  course: string;
  output?: string;
  fill?: string;
  studentColumn?: string;
  scoreColumn?: string;
  statistics?: string;
}

/** Adds the subcommand. */
export function register(grade: Command): void {
  const gradebook = grade.command("gradebook")
    .summary("export scores, and describe them")
    .description("Works on tunebook.db, in which scores and marks are kept.");
  gradebook.command("export")
    .summary("write scores as CSV, or fill them into a course system's file")
    .description(
      "Writes scores as CSV with nbgrader's columns, late penalties taken off; names that spreadsheets would compute " +
        "begin with an apostrophe. With --fill, writes the scores of one assignment into a copy of a CSV file that " +
        "Canvas or Moodle exported: only the fields of its score column change, and only for students who handed in.",
    )
    .argument("[assignments...]", "the assignments (default: all)")
    .addOption(courseOption())
    .option(
      "-o, --output <file>",
      'the CSV file (default: grades.csv; with --fill, FILE with ".filled")',
    )
    .option("--fill <file>", "the file of a course system to fill")
    .option(
      "--student-column <name>",
      "its column with ids, course system numbers or e-mail addresses (default: the one that knows most students)",
    )
    .option(
      "--score-column <name>",
      'its column to fill (default: the one called like the assignment, or "Grade")',
    )
    .option(
      "--statistics <file>",
      "also write an HTML page: distribution, points and discrimination of each question, times; it names no student",
    )
    .addHelpText(
      "after",
      "\nExamples:\n  tunebook grade gradebook export --statistics scores.html\n" +
        "  tunebook grade gradebook export week1 --fill canvas.csv",
    )
    .action(exportScores);
}

async function exportScores(assignments: string[], options: Options): Promise<void> {
  const course = await openCourse(options.course);
  using book = openGradebook(course);
  const scores = readScores(course, book, assignments);
  if (options.fill !== undefined) await fill(options.fill, scores, options);
  else await writeCsv(scores.flat(), options.output ?? "grades.csv");
  if (options.statistics !== undefined) {
    const statistics = await Promise.all(scores.map((one) => describe(course, one)));
    await writeFileBeside(
      options.statistics,
      renderStatistics(statistics, drawBars, course.settings.name),
    );
    console.error(`Wrote ${options.statistics}`);
  }
  const waiting = scores.flat().filter(({ waiting }) => waiting > 0).length;
  if (waiting > 0) {
    console.error(
      `${waiting} ${
        waiting === 1 ? "score is" : "scores are"
      } not final: answers wait to be marked`,
    );
  }
}

/** Scores by assignment, of the gradebook's students as the roster knows them now. */
function readScores(
  course: Course,
  book: Gradebook,
  assignments: readonly string[],
): AssignmentScore[][] {
  const kept = book.assignments();
  const onRoster = new Map(course.roster.map((student) => [student.id, student]));
  const students = book.students().map((student): Student => onRoster.get(student.id) ?? student);
  const ids = assignments.length > 0 ? assignments : kept.map(({ id }) => id);
  return ids.map((id) => {
    const found = kept.find((one) => one.id === id);
    if (found === undefined) {
      throw new RangeError(
        `Cannot export "${id}": it is not in the gradebook; run "tunebook grade autograde ${id}"`,
      );
    }
    return assignmentScores(book, found, assignmentSettings(course, id), students);
  });
}

async function writeCsv(scores: readonly AssignmentScore[], path: string): Promise<void> {
  await writeFileBeside(path, scoresToCsv(scoreRows(scores)));
  console.error(`Wrote ${scores.length} scores into ${path}`);
}

async function fill(
  path: string,
  scores: readonly AssignmentScore[][],
  { output, studentColumn, scoreColumn }: Options,
): Promise<void> {
  const [own, ...others] = scores;
  if (own === undefined || own.length === 0 || others.length > 0) {
    throw new RangeError(
      `Cannot fill scores into "${path}": name one assignment, whose scores they are`,
    );
  }
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(
      await Deno.readFile(path),
    );
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new SyntaxError(
      `Cannot fill scores into "${path}": it is not UTF-8 text; export it again as UTF-8`,
      { cause: error },
    );
  }
  const { assignment, max } = own[0]!;
  const handedIn = own.filter(({ submission }) => submission !== undefined);
  const filled = fillScores(
    text,
    assignment,
    handedIn.map(({ student, total }) => ({ student, score: total })),
    { student: studentColumn, score: scoreColumn },
  );
  const to = output ?? join(dirname(path), basename(path).replace(/(\.[^.]*)?$/, ".filled$1"));
  await writeFileBeside(to, filled.text);
  const { columns, count, missing, maxPoints } = filled;
  console.error(
    `Wrote ${count} scores into the column "${columns.score}" of ${to}, by the column "${columns.student}"`,
  );
  if (missing.length > 0) {
    console.error(`Not in the file, and so left out: ${missing.join(", ")}`);
  }
  if (maxPoints !== undefined && maxPoints !== max) {
    console.error(`The file says ${maxPoints} points at most: the assignment has ${max}`);
  }
}

async function describe(course: Course, scores: readonly AssignmentScore[]) {
  const id = scores[0]?.assignment;
  const notebooks = id === undefined ? undefined : (await readAssignment(course, id)).notebooks;
  return describeScores(scores, ({ notebook, gradeId }) => {
    const found = notebooks?.get(notebook);
    return found === undefined ? gradeId : questionTitle(found, gradeId);
  });
}

function drawBars({ alt, labels, values, labelTitle, valueTitle, lying }: BarChart): string {
  const label = { title: { text: labelTitle }, type: "category" as const };
  const value = { title: { text: valueTitle }, rangemode: "tozero" as const };
  const bars = lying
    ? { x: values, y: labels, orientation: "h" as const }
    : { x: labels, y: values };
  return renderSvg(
    [{ type: "bar", ...bars, showlegend: false }],
    lying
      ? {
        xaxis: value,
        yaxis: { ...label, autorange: "reversed" },
        height: 80 + 30 * labels.length,
      }
      : { xaxis: label, yaxis: value, height: 280 },
    { alt },
  );
}
