// A course in a temporary folder: two assignments, a few students, nothing that takes long.

import { join } from "@std/path";
import { initCourse } from "../../lib/grade/course.ts";
import { releaseNotebook } from "../../lib/grade/release.ts";
import { formatNotebook, type Notebook } from "../../lib/runtime/notebook.ts";
import { answer, book, locked, test, written } from "./book.ts";

const solution = (code: string) => `// BEGIN SOLUTION\n${code}\n// END SOLUTION`;

/** The instructors' notebooks by assignment. */
export const SOURCES: Readonly<Record<string, Notebook>> = {
  week1: book(
    ["markdown", "# Week 1"],
    ["code", 'import { assertEquals } from "@std/assert";', locked("setup")],
    ["code", solution("function twice(x: number) { return 2 * x; }"), answer("twice")],
    [
      "code",
      "assertEquals(await twice(2), 4);\n// BEGIN HIDDEN TESTS\nassertEquals(await twice(-3), -6);\n" +
      "// END HIDDEN TESTS",
      test("test_twice", 2),
    ],
    ["code", solution("const words = ['a', 'b'];"), answer("words")],
    [
      "code",
      "['a', 'b'].filter((word) => words.includes(word)).length;",
      test("test_words", 2),
    ],
    ["markdown", "Because.", written("why", 3)],
  ),
  week2: book(
    ["code", solution("const three = 3;"), answer("three")],
    ["code", 'if (three !== 3) throw new Error("no");', test("test_three", 1)],
  ),
};

/** Answers by `grade_id`. */
export type Answers = Readonly<Record<string, string>>;

/** Answers that get full marks. */
export const GOOD: Answers = {
  twice: "function twice(x: number) { return 2 * x; }",
  words: "const words = ['a', 'b'];",
  why: "It is so.",
  three: "const three = 3;",
};

/** A course in a temporary folder. */
export class SmallCourse implements AsyncDisposable {
  private constructor(
    /** Its folder. */
    readonly root: string,
  ) {}

  /**
   * Makes it.
   *
   * @param settings What course.yaml says.
   */
  static async open(settings = "timeZone: Europe/Berlin"): Promise<SmallCourse> {
    const course = new SmallCourse(await Deno.makeTempDir({ prefix: "tunebook-course-" }));
    await initCourse(course.root);
    await Deno.writeTextFile(course.path("course.yaml"), settings);
    await Deno.writeTextFile(
      course.path("roster.csv"),
      "id,first_name\nada,Ada\nbob,Bob\neve,Eve\n",
    );
    for (const [id, notebook] of Object.entries(SOURCES)) await course.source(id, notebook);
    return course;
  }

  /** A path in its folder. */
  path(...parts: string[]): string {
    return join(this.root, ...parts);
  }

  /** Writes an instructor's notebook. */
  async source(assignment: string, notebook: Notebook): Promise<void> {
    await Deno.mkdir(this.path("source", assignment), { recursive: true });
    const path = this.path("source", assignment, "main.ipynb");
    await Deno.writeTextFile(path, formatNotebook(notebook));
  }

  /** Hands in answers to an assignment. */
  async submit(student: string, assignment: string, answers: Answers): Promise<void> {
    const { notebook } = releaseNotebook(SOURCES[assignment]!);
    for (const cell of notebook.cells) {
      const { grade_id } = (cell.metadata.nbgrader ?? {}) as { grade_id?: string };
      if (grade_id !== undefined && grade_id in answers) cell.source = answers[grade_id]!;
    }
    const folder = this.path("submitted", student, assignment);
    await Deno.mkdir(folder, { recursive: true });
    await Deno.writeTextFile(join(folder, "main.ipynb"), formatNotebook(notebook));
    await Deno.writeTextFile(join(folder, "timestamp.txt"), "2026-10-01 10:00:00 UTC\n");
  }

  /** Everything below a folder of the course, by path; times are left out. */
  async files(folder: string): Promise<Record<string, string>> {
    const found: Record<string, string> = {};
    const visit = async (at: string) => {
      for await (const { name, isDirectory } of Deno.readDir(this.path(at))) {
        const path = join(at, name);
        if (isDirectory) await visit(path);
        else if (name !== "times.json") found[path] = await Deno.readTextFile(this.path(path));
      }
    };
    await visit(folder);
    return Object.fromEntries(Object.entries(found).sort(([a], [b]) => a < b ? -1 : 1));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.root, { recursive: true });
  }
}
