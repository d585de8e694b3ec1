/**
 * The result of grading one submission, as a file beside the graded notebooks: what was graded by what, and the verdicts.
 * The same inputs give the same bytes; times stand in a file of their own.
 *
 * @module
 */

import { join } from "@std/path/join";
import { writeFileBeside } from "../../write_beside.ts";
import type { CellVerdict, GradeLimits } from "../autograde.ts";
import { assignmentFolder, type Course } from "../course.ts";
import type { GradebookVerdict } from "../gradebook.ts";
import type { Finding } from "../metadata.ts";

const VERSION = 1;

/** What decides a result. */
export interface GradingInputs {
  /** The hash of all that was handed in. */
  readonly submission: string;
  /** The hash of the release with its hidden tests. */
  readonly release: string;
  /** The seed of the student's variant, if the assignment has variants. */
  readonly variant?: number;
  /** The versions of Tunebook, Deno and the system. */
  readonly runtime: string;
  /** What the submission might use. */
  readonly limits: GradeLimits;
  /** Whether the submission ran in a sandbox. */
  readonly sandbox: boolean;
}

/** What was found in one notebook. */
export interface NotebookResult {
  /** The assignment's name for it, without `.ipynb`. */
  readonly notebook: string;
  /** The verdicts, in the order of cells. */
  readonly verdicts: readonly Omit<CellVerdict, "seconds">[];
  /** What was changed in it, and what the instructor should see to. */
  readonly findings: readonly Finding[];
}

/** The result of grading one submission. */
export interface GradingResult {
  /** What it depends on. */
  readonly inputs: GradingInputs;
  /** When it was handed in, as ISO 8601. */
  readonly submitted?: string;
  /** The hash of each test, by notebook and `grade_id`. */
  readonly tests: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** The hash of the release without its tests. */
  readonly untested: string;
  /** What was found, by notebook. */
  readonly notebooks: readonly NotebookResult[];
  /** What was left out of the submission. */
  readonly notes: readonly string[];
}

/** Wall times in seconds, by notebook and `grade_id`. */
export type GradingTimes = Readonly<Record<string, Readonly<Record<string, number>>>>;

const RESULT = "result.json";
const TIMES = "times.json";

/**
 * Writes a result into a folder.
 *
 * @param folder The folder.
 * @param result The result.
 * @param times How long the tests took.
 */
export async function writeResult(
  folder: string,
  result: GradingResult,
  times: GradingTimes,
): Promise<void> {
  const write = (name: string, value: unknown) =>
    writeFileBeside(join(folder, name), `${JSON.stringify(value, null, 1)}\n`);
  await write(TIMES, times);
  await write(RESULT, { version: VERSION, ...result });
}

/**
 * Reads the result of an earlier grading.
 *
 * @param course The course.
 * @param assignment The assignment's id.
 * @param student The student's id.
 * @returns The result and its times; undefined if there is none that this version can read.
 */
export async function readResult(
  course: Course,
  assignment: string,
  student: string,
): Promise<{ result: GradingResult; times: GradingTimes } | undefined> {
  const folder = assignmentFolder(course, "autograded", assignment, student);
  const read = async (name: string) => {
    try {
      return JSON.parse(await Deno.readTextFile(join(folder, name)));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound || error instanceof SyntaxError) return undefined;
      throw error;
    }
  };
  const { version, ...result } = await read(RESULT) ?? {};
  if (version !== VERSION) return undefined;
  return { result, times: await read(TIMES) ?? {} };
}

/**
 * The verdicts of a result as the gradebook keeps them.
 *
 * @param result The result.
 * @param times Its times.
 * @returns The verdicts, in the order of notebooks and cells.
 */
export function verdictsOf(result: GradingResult, times: GradingTimes): GradebookVerdict[] {
  return result.notebooks.flatMap(({ notebook, verdicts }) =>
    verdicts.map((verdict) => ({
      notebook,
      ...verdict,
      seconds: times[notebook]?.[verdict.gradeId] ?? 0,
    }))
  );
}
