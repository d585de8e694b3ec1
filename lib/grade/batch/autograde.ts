/**
 * Grades all submissions of a course that have not been graded yet, or whose inputs have changed: several at a time, each
 * in a process that it cannot take others down with.
 *
 * @module
 */

import { join } from "@std/path/join";
import { assertKnownOptions, type OptionNames } from "../../options.ts";
import type { Course } from "../course.ts";
import {
  type Gradebook,
  type GradebookAssignment,
  gradebookFile,
  type GradebookSubmission,
  type GradebookVerdict,
  openGradebook,
} from "../gradebook.ts";
import { hashOf } from "../hash.ts";
import { gradedCells } from "../metadata.ts";
import { checkReleased } from "../release_assignment.ts";
import { readSubmission, submitters } from "../submission.ts";
import type { GradeOptions } from "../verdict.ts";
import { inputsOf, type Question } from "./grade_folder.ts";
import { type Grader, openGrader } from "../grader.ts";
import { type GradingInputs, type GradingResult, readResult, verdictsOf } from "./result.ts";
import { GradingWorker } from "./workers.ts";

/** What to grade, and how. */
export interface AutogradeOptions extends Pick<GradeOptions, "codecs" | "sandbox" | "signal"> {
  /** The assignments' ids; by default, all that are in `source`. */
  assignments?: readonly string[];
  /** Only this student's submissions. */
  student?: string;
  /**
   * The only test to grade again, after it was repaired: `[assignment/][notebook/]grade_id`. Verdicts that it does not
   * touch are kept.
   */
  question?: string;
  /**
   * Only a part of the students, for a scheduler that spreads a course over machines. Results are written into
   * `autograded` alone; a run without a part enters them into the gradebook.
   */
  shard?: { readonly index: number; readonly count: number };
  /** How many submissions to grade at a time; 1 by default. */
  jobs?: number;
  /** Called with the number of submissions to grade, before the first one. */
  onStart?: (total: number) => void;
  /** Called after each submission. */
  onProgress?: (event: AutogradeEvent) => void;
}

/** A submission that is done, or could not be graded. */
export interface AutogradeEvent {
  /** The assignment's id. */
  readonly assignment: string;
  /** The student's id. */
  readonly student: string;
  /** How many are done of those that have to be graded. */
  readonly done: number;
  /** How many have to be graded. */
  readonly total: number;
  /** Its result; undefined if it could not be graded. */
  readonly result?: GradingResult;
  /** Why it could not be graded. */
  readonly error?: string;
}

/** What {@linkcode autograde} did. */
export interface AutogradeSummary {
  /** Submissions that were graded. */
  readonly graded: number;
  /** Submissions that had been graded already, with the same inputs. */
  readonly upToDate: number;
  /** Submissions that could not be graded, and why; the next run tries them again. */
  readonly failed: readonly { assignment: string; student: string; error: string }[];
  /** What the instructor may not have meant. */
  readonly notes: readonly string[];
  /** Where the gradebook as it was before has been copied to. */
  readonly backup?: string;
}

/** How long a process may take: on a busy machine, many times a submission's own seconds. */
const LONGEST = 10;
const GRACE = 300;

interface Work {
  readonly grader: Grader;
  readonly student: string;
  readonly question?: Question;
}

const AUTOGRADE_OPTIONS: OptionNames<AutogradeOptions> = {
  codecs: true,
  sandbox: true,
  signal: true,
  assignments: true,
  student: true,
  question: true,
  shard: true,
  jobs: true,
  onStart: true,
  onProgress: true,
};

/**
 * Grades submissions.
 *
 * @param course The course.
 * @param options What to grade, and how.
 * @returns What was done; a submission that cannot be graded does not stop the others.
 * @throws {Error} If an assignment cannot be read, no sandbox can be built, or the signal stopped the grading: what
 *   was graded so far is kept.
 *
 * @example
 * ```ts
 * import { autograde, initCourse } from "tunebook/grade";
 * import { assertEquals } from "@std/assert";
 *
 * const course = await initCourse(await Deno.makeTempDir());
 * const { graded, failed } = await autograde(course, {
 *   jobs: 4,
 *   onProgress: ({ student, done, total }) => console.log(`${student}: ${done} of ${total}`),
 * });
 * assertEquals([graded, failed], [0, []]); // nothing was handed in
 * ```
 */
export async function autograde(
  course: Course,
  options: AutogradeOptions = {},
): Promise<AutogradeSummary> {
  assertKnownOptions("grade", options, AUTOGRADE_OPTIONS);
  const { shard, signal } = options;
  const ids = options.assignments ?? await assignmentsIn(course);
  const all = await Promise.all(ids.map((id) => openGrader(course, id)));
  const placed = options.question === undefined ? undefined : findQuestion(all, options.question);
  const graders = placed === undefined ? all : [placed.grader];
  const question = placed?.question;
  const known = new Set(course.roster.map(({ id }) => id));
  const notes: string[] = [];
  for (const grader of graders) {
    const note = await checkReleased(grader);
    if (note !== undefined) notes.push(note);
  }
  using ledger = shard === undefined ? await Ledger.open(course) : undefined;
  ledger?.putAssignments(graders);
  const waiting: Work[] = [];
  let upToDate = 0;
  let handedIn = 0;
  for (const grader of graders) {
    const { id } = grader.assignment;
    for (const student of await studentsOf(course, id, options)) {
      handedIn++;
      if (known.size > 0 && !known.has(student)) {
        notes.push(`"${student}" handed in ${id}, but is not on the roster`);
      }
      const submission = await readSubmission(course, id, student);
      const found = await readResult(course, id, student);
      const inputs = inputsOf(grader, submission, options);
      if (found !== undefined && await isSame(found.result.inputs, inputs)) {
        upToDate++;
        await ledger?.enter(course, id, student);
      } else if (question === undefined) waiting.push({ grader, student });
      else {
        const changed = changedBeside(question, grader, inputs, found?.result);
        if (changed === undefined) waiting.push({ grader, student, question });
        else notes.push(`${id} of "${student}" was not graded again: ${changed}; run autograde`);
      }
      signal?.throwIfAborted();
    }
  }
  if (options.student !== undefined && handedIn === 0) {
    throw new RangeError(`Cannot grade "${options.student}": nothing was handed in`);
  }
  options.onStart?.(waiting.length);
  const run = new Run(course, options, waiting.length, ledger);
  await run.grade(waiting);
  await removeEmpty(join(course.root, ".grading"));
  const { failed, graded } = run;
  return {
    graded,
    upToDate,
    failed,
    notes: [...new Set(notes), ...run.notes],
    ...ledger?.backup !== undefined && { backup: ledger.backup },
  };
}

/** The gradings of one run. */
class Run {
  readonly failed: { assignment: string; student: string; error: string }[] = [];
  graded = 0;
  /** Submissions that needed a second try. */
  readonly notes: string[] = [];
  readonly #course: Course;
  readonly #options: AutogradeOptions;
  readonly #total: number;
  readonly #ledger?: Ledger;

  constructor(course: Course, options: AutogradeOptions, total: number, ledger?: Ledger) {
    this.#course = course;
    this.#options = options;
    this.#total = total;
    this.#ledger = ledger;
  }

  async grade(waiting: readonly Work[]): Promise<void> {
    const queue = [...waiting];
    // What met a limit of time, or could not be graded, while others ran is tried once more, alone.
    const again: { work: Work; why: string }[] = [];
    const grade = async () => {
      await using worker = new GradingWorker();
      for (let work; (work = queue.shift()) !== undefined;) {
        const why = await this.#gradeOne(worker, work, false);
        if (why !== undefined) again.push({ work, why });
      }
    };
    const jobs = Math.min(this.#options.jobs ?? 1, queue.length);
    const ended = await Promise.allSettled(Array.from({ length: jobs }, grade));
    for (const one of ended) if (one.status === "rejected") throw one.reason;
    await using alone = new GradingWorker();
    for (const { work, why } of again) {
      const at = { assignment: work.grader.assignment.id, student: work.student };
      const error = await this.#gradeOne(alone, work, true);
      if (error === undefined) {
        this.notes.push(`${at.assignment} of "${at.student}" was graded once more, alone: ${why}`);
        continue;
      }
      this.failed.push({ ...at, error });
      this.#tell({ ...at, error });
    }
  }

  /** Grades one submission; gives the reason if there is no result that can stand. */
  async #gradeOne(
    worker: GradingWorker,
    { grader: { assignment }, student, question }: Work,
    keepTimeouts: boolean,
  ): Promise<string | undefined> {
    const { codecs, sandbox, signal } = this.#options;
    const at = { assignment: assignment.id, student };
    const job = {
      ...at,
      root: this.#course.root,
      options: { codecs, sandbox },
      rules: { keepTimeouts, ...question && { question } },
    };
    const seconds = LONGEST * assignment.settings.limits.totalSeconds + GRACE;
    try {
      const reply = await worker.grade(job, seconds, signal);
      signal?.throwIfAborted();
      if ("error" in reply) return reply.error;
      if (reply.timedOut && !keepTimeouts) return "it met a limit of time";
      await this.#ledger?.enter(this.#course, assignment.id, student);
      this.graded++;
      this.#tell({ ...at, result: reply.result });
    } catch (lost) {
      signal?.throwIfAborted();
      return (lost as Error).message;
    }
  }

  #tell(event: Omit<AutogradeEvent, "done" | "total">): void {
    const done = this.graded + this.failed.length;
    this.#options.onProgress?.({ ...event, done, total: this.#total });
  }
}

/** What the gradebook has of a student's newest attempt. */
interface Entry {
  readonly submission: GradebookSubmission;
  readonly verdicts: readonly GradebookVerdict[];
}

/** The gradebook of a run, copied before anything is written. */
class Ledger implements Disposable {
  /** The copy; undefined if there was no gradebook yet. */
  readonly backup?: string;
  readonly #book: Gradebook;
  readonly #students: Set<string>;
  /** What the gradebook has of each assignment, once it was asked. */
  readonly #kept = new Map<string, Map<string, Entry>>();

  private constructor(book: Gradebook, backup?: string) {
    this.#book = book;
    this.#students = new Set(book.students().map(({ id }) => id));
    this.backup = backup;
  }

  static async open(course: Course): Promise<Ledger> {
    const isThere = await Deno.stat(gradebookFile(course)).then(() => true, () => false);
    const book = openGradebook(course);
    if (!isThere) return new Ledger(book);
    try {
      const folder = join(course.root, "backups");
      await Deno.mkdir(folder, { recursive: true });
      const now = new Date().toISOString().replaceAll(":", "-");
      const backup = join(folder, `tunebook-${now}-${crypto.randomUUID().slice(0, 4)}.db`);
      book.backup(backup);
      return new Ledger(book, backup);
    } catch (error) {
      book.close();
      throw error;
    }
  }

  putAssignments(graders: readonly Grader[]): void {
    for (const grader of graders) this.#book.putAssignment(inGradebook(grader));
  }

  /** Enters the result of a submission that has been graded, if it is not there yet. */
  async enter(course: Course, assignment: string, student: string): Promise<void> {
    const found = await readResult(course, assignment, student);
    if (found === undefined) return;
    const { result, times } = found;
    const verdicts = verdictsOf(result, times);
    const { submission: hash } = result.inputs;
    const kept = this.#kept.getOrInsertComputed(assignment, () => this.#read(assignment));
    const { submission: newest, verdicts: before } = kept.get(student) ?? {};
    if (newest?.hash === hash && JSON.stringify(before) === JSON.stringify(verdicts)) return;
    const isNew = newest?.hash !== hash;
    const submission = {
      student,
      assignment,
      attempt: isNew ? (newest?.attempt ?? 0) + 1 : newest.attempt,
      ...result.submitted !== undefined && { submitted: new Date(result.submitted) },
      hash,
    };
    if (!this.#students.has(student)) {
      this.#book.putStudents([{ id: student }]);
      this.#students.add(student);
    }
    this.#book.putSubmission(submission, verdicts);
    kept.set(student, { submission, verdicts });
  }

  /** The newest attempts at an assignment. */
  #read(assignment: string): Map<string, Entry> {
    const entries = new Map<string, Entry>();
    const verdicts = this.#book.newestVerdicts(assignment);
    for (const submission of this.#book.submissions(assignment)) {
      const { student } = submission;
      entries.set(student, { submission, verdicts: verdicts.get(student) ?? [] });
    }
    return entries;
  }

  [Symbol.dispose](): void {
    this.#book.close();
  }
}

/** An assignment as the gradebook keeps it. */
function inGradebook({ assignment, releases }: Grader): GradebookAssignment {
  const { id, settings } = assignment;
  const cells = [...releases].flatMap(([notebook, release]) =>
    gradedCells(release.notebook)
      .filter(({ metadata }) => metadata.grade || metadata.task)
      .map(({ metadata, role }) => ({
        notebook,
        gradeId: metadata.grade_id,
        maxPoints: metadata.points ?? 0,
        manual: role !== "test",
      }))
  );
  return { id, ...settings.due !== undefined && { due: settings.due }, cells };
}

/** Finds a test by its name. */
function findQuestion(
  graders: readonly Grader[],
  name: string,
): { grader: Grader; question: Question } {
  const fits = (full: string) => full === name || full.endsWith(`/${name}`);
  const found = graders.flatMap((grader) =>
    Object.entries(grader.tests).flatMap(([notebook, tests]) =>
      Object.keys(tests).map((gradeId) => ({ grader, question: { notebook, gradeId } }))
    )
  ).filter(({ grader: { assignment: { id } }, question: { notebook, gradeId } }) =>
    fits(`${id}/${notebook}/${gradeId}`) || `${id}/${gradeId}` === name
  );
  const [one, ...others] = found;
  if (one === undefined) {
    throw new RangeError(
      `Cannot grade "${name}" again: there is no test of that grade_id; what a person marks is marked again on its page`,
    );
  }
  if (others.length === 0) return one;
  const list = found.map(({ grader: { assignment: { id } }, question: { notebook, gradeId } }) =>
    `"${id}/${notebook}/${gradeId}"`
  );
  throw new RangeError(`Cannot grade "${name}" again: expected one of ${list.join(", ")}`);
}

/** What has changed since a submission was graded, beside one test; undefined if nothing has. */
function changedBeside(
  { notebook, gradeId }: Question,
  grader: Grader,
  inputs: GradingInputs,
  before?: GradingResult,
): string | undefined {
  if (before === undefined) return "it has not been graded";
  const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);
  if (inputs.submission !== before.inputs.submission) return "something else was handed in";
  if (!same(inputs.limits, before.inputs.limits)) return "its limits have changed";
  if (inputs.runtime !== before.inputs.runtime) return "it was graded by another version";
  if (inputs.variant !== before.inputs.variant) return "the student's variant has changed";
  if (inputs.sandbox !== before.inputs.sandbox) return "it was not graded in the same sandbox";
  const others = (tests: Grader["tests"]) => ({
    ...tests,
    [notebook]: { ...tests[notebook], [gradeId]: "" },
  });
  return grader.untested === before.untested && same(others(grader.tests), others(before.tests))
    ? undefined
    : "more than this test has changed";
}

async function studentsOf(
  course: Course,
  assignment: string,
  { student, shard }: AutogradeOptions,
): Promise<string[]> {
  const students = await submitters(course, assignment);
  if (student !== undefined) return students.filter((id) => id === student);
  if (shard === undefined) return students;
  const parts = await Promise.all(students.map((id) => partOf(id, shard.count)));
  return students.filter((_, i) => parts[i] === shard.index);
}

/** The part that a student belongs to, from 1. It does not depend on who else hands in. */
async function partOf(student: string, count: number): Promise<number> {
  return parseInt((await hashOf(student)).slice(0, 8), 16) % count + 1;
}

/** The assignments that are in `source`. */
async function assignmentsIn(course: Course): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(join(course.root, "source")));
  return entries.filter(({ name, isDirectory }) => isDirectory && !name.startsWith("."))
    .map(({ name }) => name).sort();
}

async function isSame(a: unknown, b: unknown): Promise<boolean> {
  return await hashOf(a) === await hashOf(b);
}

/** Removes a folder of empty folders; one that others still use stays. */
async function removeEmpty(folder: string): Promise<void> {
  try {
    for await (const { name } of Deno.readDir(folder)) await Deno.remove(join(folder, name));
    await Deno.remove(folder);
  } catch {
    // There is none, or another grading uses it.
  }
}
