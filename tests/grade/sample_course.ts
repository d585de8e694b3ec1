// A course folder that was graded already, without running anything: for tests of what comes after grading.

import { join } from "@std/path";
import { type Course, openCourse } from "../../lib/grade/course.ts";
import {
  Gradebook,
  gradebookFile,
  type GradebookVerdict,
  type Student,
} from "../../lib/grade/gradebook.ts";
import { type Cell, formatNotebook, type Notebook } from "../../lib/runtime/notebook.ts";
import { code, markdown, notebookOf } from "../runtime/report/sample.ts";
import { ANSWERS } from "./memory_marks.ts";

/** A sample course in a temporary folder, with its gradebook open. */
export interface SampleCourse extends AsyncDisposable {
  readonly folder: string;
  readonly course: Course;
  readonly book: Gradebook;
}

/** What a sample course may have. */
export interface SampleOptions {
  /** The students; ten by default. */
  readonly students?: readonly Student[];
  /** The ids of the assignments; "week3" by default. */
  readonly assignments?: readonly string[];
  /** The rest of each assignment's settings in the course file. */
  readonly settings?: Record<string, unknown>;
  /** What a student wrote to "why". */
  readonly answer?: (student: number) => string;
  /** How a student fared at the test. */
  readonly verdict?: (student: number) => Partial<GradebookVerdict>;
}

const graded = (more: Record<string, unknown>) =>
  ({
    metadata: { nbgrader: { schema_version: 3, grade: true, locked: false, ...more } },
  }) as Partial<Cell>;

/** The instructor's notebook: a test, an answer with a rubric, one without. */
export function sampleSource(): Notebook {
  return notebookOf(
    markdown("# Fine-tune and evaluate"),
    code(
      "function double(x: number): number {\n  // BEGIN SOLUTION\n  return 2 * x;\n  // END SOLUTION\n}",
      [],
      graded({ grade: false, solution: true, grade_id: "double" }),
    ),
    code(
      "if (await double(2) !== 4) throw new Error();\n// BEGIN HIDDEN TESTS\n" +
        'if (await double(8675309) !== 17350618) throw new Error("secret");\n// END HIDDEN TESTS',
      [],
      graded({ solution: false, locked: true, grade_id: "double-test", points: 4 }),
    ),
    markdown(
      "## Why does the validation loss rise?\n\nIt falls for three epochs and then **rises**, while the training loss keeps falling. Why, and what would you do?",
    ),
    markdown(
      "The loss rises because the model overfits: stop early.\n\n**Rubric**\n\n- 2 points: Names overfitting\n" +
        "- 2 points: Points to the gap between the curves\n- 1 point: Gives a remedy that fits\n" +
        "- -1 points: Says something false about the data",
      graded({ solution: true, grade_id: "why", points: 5 }),
    ),
    markdown("## What would you try next?"),
    markdown("More data.", graded({ solution: true, grade_id: "plan", points: 3 })),
  );
}

/** Ten students. */
export const TEN: readonly Student[] = ANSWERS.map((_, i) => ({
  id: `student${i + 1}`,
  firstName: `First${i + 1}`,
  lastName: `Last${i + 1}`,
  email: `s${i + 1}@example.org`,
}));

/** Makes a course that was graded. */
export async function sampleCourse(options: SampleOptions = {}): Promise<SampleCourse> {
  const { students = TEN, assignments = ["week3"], settings = {} } = options;
  const { answer = (i: number) => ANSWERS[i % ANSWERS.length]!, verdict = () => ({}) } = options;
  const folder = await Deno.makeTempDir({ prefix: "tunebook-course-" });
  const source = sampleSource();
  const column = (value = "") => `"${value.replaceAll('"', '""')}"`;
  await Deno.writeTextFile(
    join(folder, "roster.csv"),
    ["id,first_name,last_name,email,group"].concat(
      students.map(({ id, firstName, lastName, email, group }) =>
        [id, firstName, lastName, email, group].map(column).join(",")
      ),
    ).join("\n") + "\n",
  );
  await Deno.writeTextFile(
    join(folder, "course.yaml"),
    JSON.stringify({
      name: "Sample",
      assignments: Object.fromEntries(
        assignments.map((id) => [id, { due: "2026-03-01 12:00", ...settings }]),
      ),
    }),
  );
  const book = Gradebook.open(gradebookFile({ root: folder }));
  book.putStudents(students);
  const cells = source.cells.flatMap(({ metadata }) => {
    const found = metadata.nbgrader as Record<string, unknown> | undefined;
    return found?.grade
      ? [{
        notebook: "main",
        gradeId: found.grade_id as string,
        maxPoints: found.points as number,
        manual: found.solution as boolean,
      }]
      : [];
  });
  for (const assignment of assignments) {
    const at = async (...path: string[]) => {
      const place = join(folder, ...path);
      await Deno.mkdir(place, { recursive: true });
      return join(place, "main.ipynb");
    };
    await Deno.writeTextFile(await at("source", assignment), formatNotebook(source));
    book.putAssignment({ id: assignment, due: new Date("2026-03-01T12:00:00Z"), cells });
    for (const [i, { id: student }] of students.entries()) {
      const written = structuredClone(source);
      written.cells[1]!.source = "function double(x: number): number {\n  return x + x;\n}";
      written.cells[4]!.source = answer(i);
      written.cells[6]!.source = `Plan of number ${i + 1}`;
      // What was graded holds the hidden tests; what was handed in does not.
      await Deno.writeTextFile(
        await at("autograded", student, assignment),
        formatNotebook(written),
      );
      written.cells[2]!.source = "if (await double(2) !== 4) throw new Error();\n";
      await Deno.writeTextFile(
        await at("submitted", student, assignment),
        formatNotebook(written),
      );
      const tested = { notebook: "main", gradeId: "double-test", maxPoints: 4, seconds: 0.1 };
      book.putSubmission(
        { student, assignment, attempt: 1, submitted: new Date("2026-03-01T11:00:00Z"), hash: "h" },
        [
          { ...tested, points: i % 5, status: i % 5 === 4 ? "passed" : "failed", ...verdict(i) },
          ...["why", "plan"].map((gradeId) => ({
            ...{ notebook: "main", gradeId, points: 0, maxPoints: gradeId === "why" ? 5 : 3 },
            ...{ status: "manual" as const, seconds: 0 },
          })),
        ],
      );
    }
  }
  const course = await openCourse(folder);
  return {
    folder,
    course,
    book,
    async [Symbol.asyncDispose]() {
      book.close();
      await Deno.remove(folder, { recursive: true });
    },
  };
}
