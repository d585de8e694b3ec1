/**
 * Writes the pages that students get back, from the gradebook and the course folder.
 *
 * @module
 */

import { join } from "@std/path/join";
import { assertKnownOptions, type OptionNames } from "../options.ts";
import type { Notebook } from "../runtime/notebook.ts";
import { makeFolder, writeFileBeside } from "../write_beside.ts";
import { type Assignment, readAssignment } from "./assignment.ts";
import type { CellVerdict } from "./autograde.ts";
import { assignmentFolder, type Course } from "./course.ts";
import { type FeedbackQuestion, renderFeedback } from "./feedback.ts";
import type { Gradebook, Student } from "./gradebook.ts";
import { readSubmittedNotebook } from "./handed_in.ts";
import { gradedCells } from "./metadata.ts";
import { answerIn, questionTitle } from "./questions.ts";
import { releaseNotebook } from "./release.ts";
import { stubsFor } from "./stubs.ts";
import { markSchemeOf } from "./rubric.ts";
import { type AssignmentScore, assignmentScores, type QuestionScore } from "./scores.ts";

/** Whose pages to write. */
export interface FeedbackPagesOptions {
  /** One student's id; by default, all students'. */
  readonly student?: string;
  /** Called after each page with how many of how many are done. */
  readonly onProgress?: (done: number, of: number) => void;
  /** Stops the writing, which then throws. */
  readonly signal?: AbortSignal;
}

/** What {@linkcode writeFeedbackPages} wrote. */
export interface FeedbackPages {
  /** The pages by student. */
  readonly pages: ReadonlyMap<string, string>;
  /** How many of them say that an answer waits to be marked. */
  readonly unfinished: number;
  /** Students who have handed in nothing, and get no page. */
  readonly without: readonly string[];
}

const FEEDBACK_PAGES_OPTIONS: OptionNames<FeedbackPagesOptions> = {
  student: true,
  onProgress: true,
  signal: true,
};

/**
 * Writes a page for each student who has handed in an assignment, as `feedback/STUDENT/ASSIGNMENT/ASSIGNMENT.html`.
 *
 * @param course The course.
 * @param book Its gradebook.
 * @param id The assignment's id.
 * @param options Whose pages to write.
 * @returns The pages.
 * @throws {RangeError} If the gradebook has no such assignment, or the roster no such student.
 *
 * @example
 * ```ts
 * import { initCourse, openGradebook, writeFeedbackPages } from "tunebook/grade";
 * import { assertRejects } from "@std/assert";
 *
 * const course = await initCourse(await Deno.makeTempDir());
 * using book = openGradebook(course);
 * await assertRejects(() => writeFeedbackPages(course, book, "week1"), RangeError, "autograde week1");
 * ```
 */
export async function writeFeedbackPages(
  course: Course,
  book: Gradebook,
  id: string,
  options: FeedbackPagesOptions = {},
): Promise<FeedbackPages> {
  assertKnownOptions("write feedback", options, FEEDBACK_PAGES_OPTIONS);
  const { student: only, onProgress, signal } = options;
  const kept = book.assignments().find((one) => one.id === id);
  if (kept === undefined) {
    throw new RangeError(
      `Cannot write feedback for "${id}": it is not in the gradebook; run "tunebook grade autograde ${id}"`,
    );
  }
  const assignment = await readAssignment(course, id);
  const all = assignmentScores(book, kept, assignment.settings);
  const scores = all.filter(({ student }) => only === undefined || student.id === only);
  if (only !== undefined && scores.length === 0) {
    throw new RangeError(`Cannot write feedback for "${only}": the gradebook has no such student`);
  }
  const questions = new QuestionTexts(assignment);
  const pages = new Map<string, string>();
  const without: string[] = [];
  let unfinished = 0;
  for (const [i, score] of scores.entries()) {
    signal?.throwIfAborted();
    const { student, submission } = score;
    if (submission === undefined) without.push(student.id);
    else {
      if (score.waiting > 0) unfinished++;
      const folder = assignmentFolder(course, "feedback", id, student.id);
      await makeFolder(folder);
      const path = join(folder, `${id}.html`);
      await writeFileBeside(path, await renderPage(course, score, questions));
      pages.set(student.id, path);
    }
    onProgress?.(i + 1, scores.length);
  }
  return { pages, unfinished, without };
}

async function renderPage(
  course: Course,
  score: AssignmentScore,
  questions: QuestionTexts,
): Promise<string> {
  const { assignment, student, submission } = score;
  const notebooks = new Map<string, Notebook | undefined>();
  for (const { cell: { notebook } } of score.questions) {
    if (notebooks.has(notebook)) continue;
    notebooks.set(
      notebook,
      await readSubmittedNotebook(course, assignment, submission!.student, notebook),
    );
  }
  return renderFeedback({
    assignment,
    student: nameOf(student),
    questions: score.questions.map((question) => {
      const { notebook, gradeId, manual } = question.cell;
      const answer = manual ? answerIn(notebooks.get(notebook), gradeId) : undefined;
      return { ...questions.feedbackOn(question), ...answer !== undefined && { answer } };
    }),
    ...submission!.submitted !== undefined && { submitted: submission!.submitted },
    ...score.due !== undefined && { due: score.due },
    lateDays: score.lateDays,
    latePenalty: score.latePenalty,
    timeZone: course.settings.timeZone,
  });
}

function nameOf({ id, firstName, lastName }: Student): string {
  const name = [firstName, lastName].filter((part) => part !== undefined).join(" ");
  return name === "" ? id : `${name} (${id})`;
}

/** What the instructor's notebooks say of questions, read once for all students. */
class QuestionTexts {
  readonly #texts = new Map<string, {
    title: string;
    rubric: ReadonlyMap<string, { label: string; points: number }>;
    /** Whether a hidden test runs before the question's test has ended. */
    afterHidden: boolean;
    /** The test as students have it. */
    visible: string;
  }>();

  constructor({ notebooks, stubs }: Assignment) {
    for (const [name, notebook] of notebooks) {
      const { notebook: released, withHidden } = releaseNotebook(
        notebook,
        stubsFor(notebook, stubs),
      );
      const graded = new Map(
        gradedCells(notebook).map((one) => [one.metadata.grade_id, one.cell]),
      );
      let afterHidden = false;
      for (const { cell, role, metadata: { grade_id: gradeId } } of gradedCells(released)) {
        afterHidden ||= role === "test" && withHidden.get(gradeId)?.source !== cell.source;
        const { rubric } = markSchemeOf(graded.get(gradeId)!);
        this.#texts.set(`${name}/${gradeId}`, {
          title: questionTitle(notebook, gradeId),
          rubric: new Map(rubric.map((item) => [item.id, item])),
          afterHidden,
          visible: cell.source,
        });
      }
    }
  }

  /** What the page says of a question. */
  feedbackOn({ cell, verdict, mark, maxPoints }: QuestionScore): FeedbackQuestion {
    const { notebook, gradeId } = cell;
    const text = this.#texts.get(`${notebook}/${gradeId}`);
    const none = { gradeId, points: 0, maxPoints, status: "missing" as const, seconds: 0 };
    const found: CellVerdict = { ...none, ...verdict, maxPoints };
    const safe = tellable(found, text?.afterHidden ?? true, text?.visible ?? "");
    return {
      title: text?.title ?? gradeId,
      verdict: safe,
      ...mark !== undefined && {
        mark: {
          points: mark.points,
          ...mark.outdated !== undefined && { outdated: mark.outdated },
          rubric: mark.rubric.map((id) => text?.rubric.get(id) ?? { label: id, points: 0 }),
          comments: [mark.comment],
        },
      },
    };
  }
}

/**
 * A verdict without what hidden tests passed or got. Once one has run, the student's code knows its inputs, and may
 * throw them back in any later test: of a message, only what stands in the test as students have it is then told.
 */
function tellable(verdict: CellVerdict, afterHidden: boolean, visible: string): CellVerdict {
  const { message, ...rest } = verdict;
  if (message === undefined || verdict.authored) return verdict;
  if (!afterHidden && !verdict.hidden) return verdict;
  const { hidden: _, ...plain } = rest;
  const words = message.replace(/^\w*Error: /, "");
  const isVisible = words.length >= MIN_MESSAGE && isLiteral(words, visible);
  return isVisible ? { ...plain, message: words } : { ...plain };
}

/** Shorter messages could be chosen by the student's code to tell what it saw. */
const MIN_MESSAGE = 8;

function isLiteral(words: string, source: string): boolean {
  return ['"', "'", "`"].some((quote) => source.includes(`${quote}${words}${quote}`));
}
