// What the marking page needs of a gradebook. Marks are only ever added: a version follows the one
// that its marker saw, so that nobody overwrites what they have not read.

import type { Cell, Notebook } from "../../runtime/notebook.ts";

/** One item of a rubric. */
export interface RubricItem {
  /** Its name in marks; unique within the question. */
  readonly id: string;
  /** What it is for, in a few words. */
  readonly label: string;
  /** The points that it gives; negative if it deducts some. */
  readonly points: number;
}

/** A question that people mark. */
export interface MarkedQuestion {
  /** Its name in the store, such as assignment and `grade_id`. */
  readonly id: string;
  /** Its title for people. */
  readonly title: string;
  /** The most points. */
  readonly maxPoints: number;
  /** What was asked, in Markdown. */
  readonly prompt?: string;
  /** The mark scheme, in Markdown. */
  readonly scheme?: string;
  /** The rubric; none if points are typed. */
  readonly rubric: readonly RubricItem[];
}

/** A file that was handed in beside a notebook or in its place. */
export interface AnswerFile {
  /** Its kind; the page hands it to the browser as a download and never shows it by itself. */
  readonly type: "application/pdf" | "text/markdown";
  /** Reads it. */
  read(): Promise<Uint8Array<ArrayBuffer>>;
}

/** What a student answered. */
export interface AnswerContent {
  /** The answer's cell as it was handed in. */
  readonly cell: Cell;
  /** The file that it was handed in as, if the assignment allows one. */
  readonly file?: AnswerFile;
  /** What grading found in the submission and the marker should know, each as a sentence. */
  readonly findings?: readonly string[];
}

/** One student's answer to one question. */
export interface WrittenAnswer {
  /** Its name in the store. */
  readonly id: string;
  /** The {@linkcode MarkedQuestion.id}. */
  readonly question: string;
  /** The student's id; shown only if marking is not anonymous. */
  readonly student: string;
}

/** What a marker decides about an answer. */
export interface NewMark {
  /** The {@linkcode WrittenAnswer.id}. */
  readonly answer: string;
  /** The marker's name, chosen by the marker. */
  readonly marker: string;
  /** The page that the draft was begun in, so that what is sent again is known again. */
  readonly session: string;
  /** How often the draft had been changed, from 1: of one draft, the latest change counts. */
  readonly edit: number;
  /** The points; null as long as there are none. */
  readonly points: number | null;
  /** The ids of the rubric's items that apply. */
  readonly rubric: readonly string[];
  /** For the student, in Markdown; may be empty. */
  readonly comment: string;
}

/** A mark in the store. */
export interface Mark extends NewMark {
  /** From 1, counted for each answer. */
  readonly version: number;
  /** When it was saved, as ISO 8601. */
  readonly at: string;
  /** The attempt that was the newest one then; 0 if the store knew of none. */
  readonly attempt?: number;
  /** Whether the student has handed in again since: a person has to look at it once more. */
  readonly outdated?: boolean;
}

/** What {@linkcode MarkStore.append} did: there is the mark, or a later state of its draft; or another one stands. */
export type Appended =
  | { readonly saved: true; readonly mark: Mark }
  | { readonly saved: false; readonly current: Mark };

/**
 * What becomes of a mark. A page that is loaded again sends a draft once more, and perhaps its next change first: neither
 * is a conflict with itself.
 *
 * @param current The newest mark of the answer.
 * @param mark The mark that has come.
 * @param base The version that its marker saw.
 * @returns Whether it becomes the newest one, is known already or overtaken by a later change of its draft, or
 *   contradicts what its marker has not seen.
 */
export function judgeMark(
  current: Mark | undefined,
  mark: NewMark,
  base: number,
): "new" | "known" | "conflict" {
  if (current === undefined || current.version === base) return "new";
  if (current.session !== mark.session) return isSame(current, mark) ? "known" : "conflict";
  if (mark.edit > current.edit) return "new";
  return mark.edit < current.edit || isSame(current, mark) ? "known" : "conflict";
}

function isSame(a: NewMark, b: NewMark): boolean {
  return a.marker === b.marker && a.points === b.points && a.comment === b.comment &&
    a.rubric.join("\0") === b.rubric.join("\0");
}

/** A comment that markers use again. */
export interface ReusableComment {
  /** Its name in the store. */
  readonly id: string;
  /** In Markdown. */
  readonly text: string;
}

/** Where the marking page reads answers and keeps marks. */
export interface MarkStore {
  /** Constant for the course, and known to nobody else: pseudonyms are derived from it. */
  readonly secret: string;
  /** The questions that people mark, in their order. */
  questions(): Promise<readonly MarkedQuestion[]>;
  /** All answers to a question, of which there may be a thousand: their content is read one by one. */
  answers(question: string): Promise<readonly WrittenAnswer[]>;
  /** What an answer says. */
  content(answer: string): Promise<AnswerContent>;
  /** The notebook that an answer is part of, with outputs; undefined if there is none. */
  submission(answer: string): Promise<Notebook | undefined>;
  /** The newest mark of each answer to a question that has one. */
  marks(question: string): Promise<readonly Mark[]>;
  /**
   * Adds a mark in one transaction, if {@linkcode judgeMark} calls it new. A mark in conflict is kept too, set aside
   * where it never counts: nothing that a marker typed is lost.
   *
   * @param mark The mark.
   * @param base The version that the marker saw; 0 if there was none.
   */
  append(mark: NewMark, base: number): Promise<Appended>;
  /** The comments that are used again for a question. */
  comments(question: string): Promise<readonly ReusableComment[]>;
  /** Keeps a comment; one with the same text is not kept twice. */
  addComment(question: string, text: string): Promise<ReusableComment>;
}
