/**
 * Collects what students handed in: from a folder, a zip as course systems export it, or a folder of repositories. Each
 * student's attempts are kept, and the newest one is put where submissions are graded. Names that others chose never
 * become paths; what is refused is named, and never stops the rest.
 *
 * @module
 */

import { basename } from "@std/path/basename";
import { join } from "@std/path/join";
import { lockFolder } from "../folder_lock.ts";
import { type Notebook, parseNotebook } from "../runtime/notebook.ts";
import { Attempts, TIMESTAMP_FILE } from "./collect/attempts.ts";
import { commitTime } from "./collect/commit_time.ts";
import { openFolder } from "./collect/folder.ts";
import { findLayout, type LayoutName, LAYOUTS, NAMED } from "./collect/layouts.ts";
import { COLLECT_LIMITS, type CollectLimits } from "./collect/limits.ts";
import { isDropping, quoted } from "./collect/names.ts";
import { People } from "./collect/people.ts";
import { type CollectFinding, inSource, sortFiles, type Submission } from "./collect/sort_files.ts";
import { openSource } from "./collect/source.ts";
import { assertKnownOptions, type OptionNames } from "../options.ts";
import type { SourceFile } from "./collect/source_file.ts";
import { type Expected, takeSubmission } from "./collect/submission.ts";
import { parseWorksheet } from "./collect/worksheet.ts";
import { assignmentFolder, assignmentSettings, type Course } from "./course.ts";
import type { Student } from "./gradebook.ts";
import { dueFor } from "./scores.ts";
import { parseTimestamp } from "./timestamp.ts";

/** How to collect. */
export interface CollectOptions {
  /** How the source names its files; by default what fits most of them. */
  layout?: LayoutName;
  /**
   * What reads the paths of the source, where no layout fits, as nbgrader's `named_regexp`: its named groups are
   * `student_id`, or `lms_user_id`, or `first_name` and `last_name`; and `file_id` and `timestamp` where they are there.
   */
  names?: RegExp;
  /**
   * The text of Moodle's offline grading worksheet: it says who is behind the numbers in Moodle's zip, by e-mail address
   * or ID number, and when they handed in. Without it students are found by their names, and their times are not known.
   */
  worksheet?: string;
  /** Whether the time of a file is when it was handed in, where nothing else says it. */
  fileTimes?: boolean;
  /** How much is read; {@linkcode COLLECT_LIMITS} where none is named. */
  limits?: Partial<CollectLimits>;
  /** Stops after the current submission; what is collected stays. */
  signal?: AbortSignal;
  /** Called after each submission. */
  onProgress?: (done: number, total: number) => void;
}

/** One attempt in the source. */
export interface CollectedAttempt {
  /** The student's id. */
  readonly student: string;
  /** The attempt's number. */
  readonly attempt: number;
  /** When it was handed in; undefined if unknown. */
  readonly submitted?: Date;
  /** Whether it was not collected before. */
  readonly isNew: boolean;
  /** Whether it is the one that counts. */
  readonly counts: boolean;
  /** The names of its files. */
  readonly files: readonly string[];
}

/** What {@linkcode collectSubmissions} did. */
export interface Collected {
  /** The layout of the source. */
  readonly layout: LayoutName;
  /** The attempts in the source, by student and time. */
  readonly attempts: readonly CollectedAttempt[];
  /** What was refused or changed, in the order of paths. */
  readonly findings: readonly CollectFinding[];
  /** The students on the roster without a submission of the assignment, in this source or collected before. */
  readonly missing: readonly string[];
}

const COLLECT_OPTIONS: OptionNames<CollectOptions> = {
  layout: true,
  names: true,
  worksheet: true,
  fileTimes: true,
  limits: true,
  signal: true,
  onProgress: true,
};

/**
 * Collects an assignment's submissions.
 *
 * @param course The course.
 * @param assignment The assignment's id; it must have been released.
 * @param source A folder or a zip.
 * @param options How the source is laid out, and limits.
 * @returns What was collected and what was not. Collecting the same again changes nothing.
 * @throws {Error} If there is no release, the source cannot be opened, or nothing in it can be told to be a student's.
 *
 * @example
 * ```ts
 * import { collectSubmissions, initCourse, openCourse, releaseAssignment } from "tunebook/grade";
 * import { assertEquals } from "@std/assert";
 *
 * const course = await initCourse(await Deno.makeTempDir());
 * await Deno.writeTextFile(`${course.root}/roster.csv`, "id\nada\nbob\n");
 * await Deno.mkdir(`${course.root}/source/week1`);
 * const file = "gradients.ipynb";
 * await Deno.copyFile(`notebooks/assignments/gradients/${file}`, `${course.root}/source/week1/${file}`);
 * await releaseAssignment(course, "week1");
 *
 * const handedIn = await Deno.makeTempDir();
 * await Deno.mkdir(`${handedIn}/ada`);
 * await Deno.copyFile(`${course.root}/release/week1/${file}`, `${handedIn}/ada/${file}`);
 * const opened = await openCourse(course.root);
 * const { attempts, missing } = await collectSubmissions(opened, "week1", handedIn);
 * assertEquals([attempts.map(({ student }) => student), missing], [["ada"], ["bob"]]);
 * ```
 */
export async function collectSubmissions(
  course: Course,
  assignment: string,
  source: string,
  options: CollectOptions = {},
): Promise<Collected> {
  assertKnownOptions("collect", options, COLLECT_OPTIONS);
  const settings = assignmentSettings(course, assignment);
  const limits = { ...COLLECT_LIMITS, ...options.limits };
  const expected = { accepts: settings.accepts, ...await readReleased(course, assignment) };
  const people = new People(course.roster, settings.groups);
  await using _lock = await lockFolder(join(course.root, "attempts"), {
    verb: "collect",
    work: "collecting",
  });
  await using opened = await openSource(source, limits.sourceFiles);
  const { names, layout = names && NAMED } = options;
  const { timeZone } = course.settings;
  const worksheet = options.worksheet === undefined
    ? undefined
    : parseWorksheet(options.worksheet, course.roster, timeZone);
  const context = { assignment, people, timeZone, names, worksheet };
  const files = opened.files.filter(({ path }) => !isDropping(path));
  const fit = findLayout(files.map(({ path }) => path), context, layout);
  if (fit === undefined) throw unknownLayout(source, layout);
  const { submissions, findings } = sortFiles(files, fit, context);
  const attempts: CollectedAttempt[] = [];
  const reading: Reading = { layout: fit.layout, limits, fileTimes: options.fileTimes, source };
  for (const [done, submission] of submissions.entries()) {
    options.signal?.throwIfAborted();
    const { path, student: { id: student } } = submission;
    const remark = (message: string, refused: boolean, where = path) =>
      findings.push({ path: where, student, message, refused });
    try {
      const { taken, submitted } = await take(submission, expected, reading);
      for (const { path, message, refused } of taken.remarks) {
        remark(message, refused, inSource(submission, path));
      }
      if (taken.files.size === 0) remark("holds nothing that the assignment accepts", true);
      else {
        const collected = await keep(course, assignment, submission, taken.files, submitted);
        attempts.push(collected.attempt);
        for (const note of collected.notes) remark(note, false);
      }
    } catch (error) {
      // What goes wrong with one student's files does not stop the others'.
      remark(`cannot be collected: ${(error as Error).message}`, true);
    }
    options.onProgress?.(done + 1, submissions.length);
  }
  // A later attempt of the same source may count instead.
  const last = new Map(attempts.filter(({ counts }) => counts).map((one) => [one.student, one]));
  return {
    layout: fit.layout,
    attempts: attempts.map((one) => ({ ...one, counts: last.get(one.student) === one })),
    findings: findings.sort((a, b) => a.path < b.path ? -1 : a.path > b.path ? 1 : 0),
    missing: await whoIsMissing(course, assignment),
  };
}

/** Keeps an attempt, and puts the one that counts where it is graded. */
async function keep(
  course: Course,
  assignment: string,
  { student, late }: Submission,
  files: ReadonlyMap<string, Uint8Array>,
  submitted: Date | undefined,
): Promise<{ attempt: CollectedAttempt; notes: string[] }> {
  const kept = await Attempts.open(course, assignment, student.id);
  const { attempt, isNew } = await kept.add(files, submitted);
  const end = endOf(course, assignment, student);
  const counted = kept.counted(end)!;
  await kept.use(counted);
  const notes: string[] = [];
  if (late && counted.submitted === undefined) {
    notes.push(
      "came late, by the course system, which does not say when: write the time into " +
        `submitted/${student.id}/${assignment}/${TIMESTAMP_FILE}`,
    );
  }
  if (submitted !== undefined && end !== undefined && submitted > end) {
    const which = counted.number === attempt.number ? "it" : `attempt ${counted.number}`;
    notes.push(
      `came after ${end.toISOString()}, when nothing is accepted any more: it is kept, and ${which} counts`,
    );
  }
  return {
    attempt: {
      student: student.id,
      attempt: attempt.number,
      ...submitted && { submitted },
      isNew,
      counts: counted.number === attempt.number,
      files: [...files.keys()],
    },
    notes,
  };
}

/** How submissions of a source are read. */
interface Reading {
  readonly layout: LayoutName;
  readonly limits: CollectLimits;
  readonly fileTimes?: boolean;
  readonly source: string;
}

/** Reads a submission, and when it was handed in. */
async function take(
  submission: Submission,
  expected: Omit<Expected, "owner">,
  { layout, limits, fileTimes = false, source }: Reading,
) {
  let { submitted } = submission;
  let files = submission.files;
  if ("hasTimestamp" in LAYOUTS[layout]) {
    const isTimestamp = ({ path }: SourceFile) => path.length === 1 && path[0] === TIMESTAMP_FILE;
    const file = files.find(isTimestamp);
    files = files.filter((one) => !isTimestamp(one));
    if (file !== undefined && file.fault === undefined) submitted ??= await timeIn(file);
  }
  if (layout === "repositories") {
    const { origin, path } = files[0]!;
    const repository = origin.slice(0, origin.length - path.length);
    submitted ??= await commitTime(join(source, ...repository));
  }
  if (fileTimes && submitted === undefined) {
    const times = files.flatMap(({ modified }) =>
      modified === undefined ? [] : [modified.getTime()]
    );
    if (times.length > 0) submitted = new Date(Math.max(...times));
  }
  const own = { ...expected, owner: submission.student.id };
  return { taken: await takeSubmission(files, own, limits), submitted };
}

async function timeIn(file: SourceFile): Promise<Date | undefined> {
  try {
    return parseTimestamp(new TextDecoder().decode(await file.read(1000)));
  } catch {
    return undefined;
  }
}

/** What students received. */
async function readReleased(
  course: Course,
  assignment: string,
): Promise<Pick<Expected, "notebooks" | "given">> {
  const folder = assignmentFolder(course, "release", assignment);
  const notebooks = new Map<string, Notebook>();
  const given = new Map<string, Uint8Array>();
  const refuse = (cause?: unknown) =>
    new Error(
      `Cannot collect "${assignment}": there is no release of it in "${folder}"; run tunebook grade release`,
      { cause },
    );
  try {
    await using source = await openFolder(folder, COLLECT_LIMITS.sourceFiles);
    for (const file of source.files) {
      const name = file.path.at(-1)!;
      const bytes = await file.read(file.size);
      if (file.path.length === 1 && name.endsWith(".ipynb")) {
        notebooks.set(name, parseNotebook(new TextDecoder().decode(bytes), name));
      } else given.set(name, bytes);
    }
  } catch (error) {
    throw error instanceof Deno.errors.NotFound ? refuse(error) : error;
  }
  if (notebooks.size === 0) throw refuse();
  return { notebooks, given };
}

/** When acceptance ends for a student; undefined if never. */
function endOf(course: Course, assignment: string, student: Student): Date | undefined {
  const { due, extensions, late: { maxDays } } = assignmentSettings(course, assignment);
  const own = dueFor(student, due, extensions);
  if (own === undefined || maxDays === undefined) return undefined;
  return new Date(own.getTime() + maxDays * 86_400_000);
}

async function whoIsMissing(course: Course, assignment: string): Promise<string[]> {
  const missing: string[] = [];
  for (const { id } of course.roster) {
    try {
      await Deno.stat(assignmentFolder(course, "submitted", assignment, id));
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      missing.push(id);
    }
  }
  return missing;
}

function unknownLayout(source: string, layout?: LayoutName): Error {
  const name = quoted(basename(source));
  if (layout !== undefined) {
    return new Error(
      `Cannot collect from ${name}: no file of a student on the roster is named as the layout "${layout}" has it, such as ${
        LAYOUTS[layout].example
      }`,
    );
  }
  return new Error(
    `Cannot collect from ${name}: no file name says which student on the roster it belongs to, in any of the layouts ${
      Object.keys(LAYOUTS).join(", ")
    }`,
  );
}
