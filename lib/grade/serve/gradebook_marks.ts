// The marking page's store in a course folder: questions and mark schemes from `source`, answers from
// `autograded`, marks in the gradebook.

import { basename } from "@std/path/basename";
import { join } from "@std/path/join";
import type { Notebook } from "../../runtime/notebook.ts";
import { type Assignment, readAssignment } from "../assignment.ts";
import type { CellVerdict } from "../autograde.ts";
import { readResult } from "../batch/result.ts";
import { assignmentFolder, type Course } from "../course.ts";
import { answerId, type AnswerKey, type Gradebook, type GradebookCell } from "../gradebook.ts";
import { readSubmittedNotebook } from "../handed_in.ts";
import { type Finding, readGradeMetadata } from "../metadata.ts";
import { answerIn, markdownCell, promptOf, questionTitle } from "../questions.ts";
import { markSchemeOf } from "../rubric.ts";
import { countedSubmissions, withAge } from "../scores.ts";
import type {
  AnswerContent,
  AnswerFile,
  Appended,
  Mark,
  MarkedQuestion,
  MarkStore,
  NewMark,
  ReusableComment,
  WrittenAnswer,
} from "./store.ts";

/** A question, and where it is in the course. */
interface PlacedQuestion extends MarkedQuestion {
  readonly place: Omit<AnswerKey, "student">;
  /** Whether it is for people in each submission, and not only where one was handed in as a file. */
  readonly manual: boolean;
}

/** What to mark. */
export interface GradebookMarksOptions {
  /** The assignments; by default, all that the gradebook has. */
  readonly only?: readonly string[];
  /** Whether to show tests too: a mark then replaces the verdict, for example after an appeal. Default: false. */
  readonly tests?: boolean;
}

/** Marks of a course, in its gradebook. */
export class GradebookMarks implements MarkStore {
  readonly secret: string;
  readonly #course: Course;
  readonly #book: Gradebook;
  readonly #assignments: ReadonlyMap<string, Assignment>;
  readonly #questions: ReadonlyMap<string, PlacedQuestion>;
  /** Whether tests are shown too. */
  readonly #tests: boolean;
  /** The questions that have answers for people. */
  readonly #shown: readonly PlacedQuestion[];
  /** The place of each answer that the page knows. */
  readonly #places = new Map<string, AnswerKey>();

  private constructor(
    course: Course,
    book: Gradebook,
    assignments: ReadonlyMap<string, Assignment>,
    questions: ReadonlyMap<string, PlacedQuestion>,
    tests: boolean,
  ) {
    this.#course = course;
    this.#book = book;
    this.#assignments = assignments;
    this.#questions = questions;
    this.secret = book.secret;
    this.#tests = tests;
    this.#shown = [...questions.values()].filter((question) =>
      question.manual || this.#answersTo(question).length > 0
    );
  }

  /**
   * Opens the marks of a course.
   *
   * @param course The course.
   * @param book Its gradebook, which stays open as long as the marks are used.
   * @param options What to mark.
   * @returns The store.
   * @throws {RangeError} If the gradebook does not have an assignment.
   * @throws {Error} If an assignment's source cannot be read.
   */
  static async open(
    course: Course,
    book: Gradebook,
    { only, tests = false }: GradebookMarksOptions = {},
  ): Promise<GradebookMarks> {
    const kept = book.assignments();
    const ids = only ?? kept.map(({ id }) => id);
    const assignments = new Map<string, Assignment>();
    const questions = new Map<string, PlacedQuestion>();
    for (const id of ids) {
      const found = kept.find((one) => one.id === id);
      if (found === undefined) {
        throw new RangeError(
          `Cannot mark "${id}": it is not in the gradebook; run "tunebook grade autograde ${id}"`,
        );
      }
      const assignment = await readAssignment(course, id);
      assignments.set(id, assignment);
      for (const cell of found.cells) {
        const question = questionOf(id, cell, assignment.notebooks.get(cell.notebook));
        questions.set(question.id, question);
      }
    }
    return new GradebookMarks(course, book, assignments, questions, tests);
  }

  questions(): Promise<MarkedQuestion[]> {
    return Promise.resolve([...this.#shown]);
  }

  answers(question: string): Promise<WrittenAnswer[]> {
    return Promise.resolve(this.#answersTo(this.#question(question)));
  }

  /** The answers that wait for a person, or are marked; one that was left as released is worth nothing by itself. */
  #answersTo({ id: question, place, manual }: PlacedQuestion): WrittenAnswer[] {
    const { assignment, notebook, gradeId } = place;
    const { settings } = this.#assignments.get(assignment)!;
    const counted = countedSubmissions(
      this.#book,
      assignment,
      settings.groups,
      this.#book.students(),
    );
    const students = new Set([...counted.values()].map(({ student }) => student));
    const status = this.#book.statuses(place);
    const marked = this.#book.newestMarks(place);
    return [...students].flatMap((student) => {
      const id = answerId({ ...place, student });
      const found = status.get(student);
      const waits = !manual && this.#tests ||
        (manual
          ? found === undefined || found === "manual" || found === "missing"
          : found === undefined || found === "manual");
      if (!waits && !marked.has(id)) return [];
      this.#places.set(id, { assignment, notebook, gradeId, student });
      return [{ id, question, student }];
    });
  }

  async content(answer: string): Promise<AnswerContent> {
    const place = this.#place(answer);
    const notebook = await this.submission(answer);
    const file = await this.#file(place);
    const findings = await this.#findings(place);
    // Of a Markdown file, markers read the whole text for each question.
    const cell = notebook === undefined && file?.type === "text/markdown"
      ? markdownCell(new TextDecoder().decode(await file.read()))
      : answerIn(notebook, place.gradeId);
    return {
      cell,
      ...file !== undefined && { file },
      ...findings.length > 0 && { findings },
    };
  }

  async submission(answer: string): Promise<Notebook | undefined> {
    const { assignment, notebook, student } = this.#place(answer);
    return await readSubmittedNotebook(this.#course, assignment, student, notebook);
  }

  marks(question: string): Promise<Mark[]> {
    const { place } = this.#question(question);
    const newest = this.#book.newestMarks(place);
    const attempts = new Map(
      this.#book.submissions(place.assignment).map((one) => [one.student, one]),
    );
    return Promise.resolve([...newest.values()].map((mark) => {
      const submission = attempts.get(mark.answer.split("/").at(-1)!);
      return submission === undefined ? mark : withAge(mark, submission);
    }));
  }

  append(mark: NewMark, base: number): Promise<Appended> {
    return Promise.resolve(this.#book.appendMark(mark, base));
  }

  comments(question: string): Promise<ReusableComment[]> {
    return Promise.resolve(this.#book.comments(question));
  }

  addComment(question: string, text: string): Promise<ReusableComment> {
    return Promise.resolve(this.#book.addComment(question, text));
  }

  /** Findings about this answer, and about the structure; others may name the student, as a file's name does. */
  async #findings({ assignment, notebook, gradeId, student }: AnswerKey): Promise<string[]> {
    const graded = await readResult(this.#course, assignment, student);
    const own = (graded?.result.notebooks ?? []).filter((one) => one.notebook === notebook);
    const verdict = own.flatMap(({ verdicts }) => verdicts)
      .find((one) => one.gradeId === gradeId && one.status !== "manual");
    return [
      ...verdict === undefined ? [] : [describeVerdict(verdict)],
      ...this.#ownFindings(own.flatMap(({ findings }) => findings), gradeId),
    ];
  }

  #ownFindings(findings: readonly Finding[], gradeId: string): string[] {
    return findings
      .filter((finding) => finding.structure || finding.gradeId === gradeId)
      .map(({ message }) => message);
  }

  /** What was handed in beside a notebook or in its place, if the assignment takes such files. */
  async #file({ assignment, student }: AnswerKey): Promise<AnswerFile | undefined> {
    const { settings, files } = this.#assignments.get(assignment)!;
    const folder = assignmentFolder(this.#course, "submitted", assignment, student);
    const names: string[] = [];
    try {
      for await (const { name, isFile } of Deno.readDir(folder)) {
        const type = TYPES[name.split(".").at(-1)!.toLowerCase()];
        if (!isFile || type === undefined || !settings.accepts.includes(type.ending)) continue;
        // The template that came with the release is nobody's answer.
        if (!files.includes(name)) names.push(name);
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    const [name] = names.sort();
    if (name === undefined) return undefined;
    const { type } = TYPES[name.split(".").at(-1)!.toLowerCase()]!;
    return { type, read: () => Deno.readFile(join(folder, basename(name))) };
  }

  #question(id: string): PlacedQuestion {
    const question = this.#questions.get(id);
    if (question === undefined) throw new RangeError(`There is no question "${id}"`);
    return question;
  }

  #place(answer: string): AnswerKey {
    const place = this.#places.get(answer);
    if (place === undefined) throw new RangeError(`There is no answer "${answer}"`);
    return place;
  }
}

function describeVerdict(
  { points, maxPoints, status, message }: Omit<CellVerdict, "seconds">,
): string {
  const why = message === undefined ? "" : `: ${message}`;
  return `Grading gave ${points} of ${maxPoints} points (${status})${why}`;
}

const TYPES: Readonly<
  Record<string, { type: AnswerFile["type"]; ending: "md" | "pdf" } | undefined>
> = {
  md: { type: "text/markdown", ending: "md" },
  pdf: { type: "application/pdf", ending: "pdf" },
};

/** A question as its marker needs it; without a source notebook, only its name and points are known. */
function questionOf(
  assignment: string,
  { notebook: name, gradeId, maxPoints, manual }: GradebookCell,
  notebook: Notebook | undefined,
): PlacedQuestion {
  const found = notebook?.cells.find((cell) => readGradeMetadata(cell)?.grade_id === gradeId);
  const id = [assignment, name, gradeId].join("/");
  const place = { assignment, notebook: name, gradeId };
  const base = { id, place, maxPoints, manual, title: `${assignment}: ${gradeId}`, rubric: [] };
  if (found === undefined || notebook === undefined) return base;
  const prompt = promptOf(notebook, gradeId);
  const title = questionTitle(notebook, gradeId);
  const { scheme, rubric } = manual ? markSchemeOf(found) : { scheme: "", rubric: [] };
  return {
    ...base,
    title: `${assignment}: ${title}`,
    rubric,
    ...prompt !== "" && { prompt },
    ...scheme !== "" && { scheme },
  };
}
