// The marking page's store in a course folder: questions and mark schemes from `source`, answers from
// `autograded`, marks in the gradebook.

import { basename, join } from "@std/path";
import type { Cell, Notebook } from "../../runtime/notebook.ts";
import { type Assignment, readAssignment } from "../assignment.ts";
import { assignmentFolder, type Course } from "../course.ts";
import { answerId, type AnswerKey, type Gradebook, type GradebookCell } from "../gradebook.ts";
import { readSubmittedNotebook } from "../handed_in.ts";
import { type GradedCell, gradedCells, readGradeMetadata, roleOf } from "../metadata.ts";
import { replaceRegions } from "../regions.ts";
import { markSchemeOf } from "../rubric.ts";
import { countedSubmissions } from "../scores.ts";
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

/** Marks of a course, in its gradebook. */
export class GradebookMarks implements MarkStore {
  readonly secret: string;
  readonly #course: Course;
  readonly #book: Gradebook;
  readonly #assignments: ReadonlyMap<string, Assignment>;
  readonly #questions: ReadonlyMap<string, PlacedQuestion>;
  /** Where each answer is that the page has been told of. */
  readonly #places = new Map<string, AnswerKey>();

  private constructor(
    course: Course,
    book: Gradebook,
    assignments: ReadonlyMap<string, Assignment>,
    questions: ReadonlyMap<string, PlacedQuestion>,
  ) {
    this.#course = course;
    this.#book = book;
    this.#assignments = assignments;
    this.#questions = questions;
    this.secret = book.secret;
  }

  /**
   * Opens the marks of a course.
   *
   * @param course The course.
   * @param book Its gradebook, which stays open as long as the marks are used.
   * @param only The assignments to mark; by default, all that the gradebook has.
   * @returns The store.
   * @throws {RangeError} If the gradebook does not have an assignment.
   * @throws {Error} If an assignment's source cannot be read.
   */
  static async open(
    course: Course,
    book: Gradebook,
    only?: readonly string[],
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
    return new GradebookMarks(course, book, assignments, questions);
  }

  questions(): Promise<MarkedQuestion[]> {
    return Promise.resolve(
      [...this.#questions.values()].filter((question) =>
        question.manual || this.#answersTo(question).length > 0
      ),
    );
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
      const waits = manual
        ? found === undefined || found === "manual" || found === "missing"
        : found === undefined || found === "manual";
      if (!waits && !marked.has(id)) return [];
      this.#places.set(id, { assignment, notebook, gradeId, student });
      return [{ id, question, student }];
    });
  }

  async content(answer: string): Promise<AnswerContent> {
    const place = this.#place(answer);
    const notebook = await this.submission(answer);
    const file = await this.#file(place);
    return { cell: answerIn(notebook, place.gradeId), ...file !== undefined && { file } };
  }

  async submission(answer: string): Promise<Notebook | undefined> {
    const { assignment, notebook, student } = this.#place(answer);
    return await readSubmittedNotebook(this.#course, assignment, student, notebook);
  }

  marks(question: string): Promise<Mark[]> {
    const { place } = this.#question(question);
    return Promise.resolve([...this.#book.newestMarks(place).values()]);
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
  const graded = notebook === undefined ? [] : gradedCells(notebook);
  const found = graded.find(({ metadata }) => metadata.grade_id === gradeId);
  const id = [assignment, name, gradeId].join("/");
  const place = { assignment, notebook: name, gradeId };
  const base = { id, place, maxPoints, manual, title: `${assignment}: ${gradeId}`, rubric: [] };
  if (found === undefined || notebook === undefined) return base;
  const prompt = promptOf(notebook, graded, found);
  const title = questionTitle(notebook, gradeId);
  const { scheme, rubric } = manual ? markSchemeOf(found.cell) : { scheme: "", rubric: [] };
  return {
    ...base,
    title: `${assignment}: ${title}`,
    rubric,
    ...prompt !== "" && { prompt },
    ...scheme !== "" && { scheme },
  };
}

/**
 * What a question is called: the first heading of its cell, else the last one above it.
 *
 * @param notebook The instructor's notebook.
 * @param gradeId The question's cell.
 * @returns The heading's text; the id if there is none.
 */
export function questionTitle(notebook: Notebook, gradeId: string): string {
  const graded = gradedCells(notebook);
  const found = graded.find(({ metadata }) => metadata.grade_id === gradeId);
  if (found === undefined) return gradeId;
  const own = found.cell.cell_type === "markdown" ? headings(found.cell.source)[0] : undefined;
  return own ?? headings(promptOf(notebook, graded, found)).at(-1) ?? gradeId;
}

function headings(source: string): string[] {
  const text = source.replace(/^(`{3,}|~{3,})[^]*?^\1/gm, "");
  return [...text.matchAll(/^#{1,6} +(.+?)(?: +#+)? *$/gm)].map(([, heading]) => heading!.trim());
}

/** A task's own text, or the text between the question and the one before. */
function promptOf(notebook: Notebook, graded: readonly GradedCell[], found: GradedCell): string {
  if (found.role === "task") return replaceRegions(found.cell.source, "markScheme").source;
  const before = graded.filter(({ index, role }) => index < found.index && role !== "locked").at(
    -1,
  );
  return notebook.cells.slice((before?.index ?? -1) + 1, found.index)
    .filter(({ cell_type }) => cell_type === "markdown").map(({ source }) => source).join("\n\n");
}

const NO_CELL: Cell = { cell_type: "markdown", id: "none", metadata: {}, source: "" };

/** The cell that answers a question; for a task, what stands below its description. */
function answerIn(notebook: Notebook | undefined, gradeId: string): Cell {
  const cells = notebook?.cells ?? [];
  const at = cells.findIndex((cell) => metadataOf(cell)?.grade_id === gradeId);
  const cell = cells[at];
  if (cell === undefined) return NO_CELL;
  if (roleOf(metadataOf(cell)) !== "task") return cell;
  const below = cells.slice(at + 1);
  const end = below.findIndex((one) => roleOf(metadataOf(one)) !== "plain");
  const source = below.slice(0, end < 0 ? below.length : end).map(({ cell_type, source }) =>
    cell_type === "code" ? fence(source) : source
  ).join("\n\n");
  return { ...NO_CELL, source };
}

function fence(source: string): string {
  const ticks = "`".repeat(
    Math.max(3, ...[...source.matchAll(/`+/g)].map(([run]) => run.length + 1)),
  );
  return `${ticks}ts\n${source}\n${ticks}`;
}

/** Students' metadata may be anything. */
function metadataOf(cell: Cell) {
  try {
    return readGradeMetadata(cell);
  } catch {
    return undefined;
  }
}
