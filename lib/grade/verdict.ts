/**
 * What grading is given, and what it gives: limits, verdicts, the graded notebook.
 *
 * @module
 */

import type { Notebook } from "../runtime/notebook.ts";
import type { OptionNames } from "../options.ts";
import type { Finding } from "./metadata.ts";

/**
 * What a submission may use. Time in which it could run, but had to wait for a processor, does not count,
 * up to ten times the limit.
 */
export interface GradeLimits {
  /** Seconds for a cell of the student's. */
  readonly cellSeconds: number;
  /** Seconds for one call of a test into the student's code. */
  readonly callSeconds: number;
  /** Seconds for a test. */
  readonly testSeconds: number;
  /** Seconds for the whole submission. */
  readonly totalSeconds: number;
  /** Output in bytes, values that tests fetch included. */
  readonly output: number;
  /** Memory beside Deno's own, in MiB. */
  readonly memory: number;
  /** Temporary files, in MiB. */
  readonly disk: number;
}

/** The limits where none are given. */
export const GRADE_LIMITS: GradeLimits = {
  cellSeconds: 30,
  callSeconds: 30,
  testSeconds: 60,
  totalSeconds: 600,
  output: 64 * 2 ** 20,
  memory: 4096,
  disk: 512,
};

/** How to grade. */
export interface GradeOptions {
  /** Limits; {@linkcode GRADE_LIMITS} where none is named. */
  limits?: Partial<GradeLimits>;
  /** URLs of modules that export `codecs`, by which values of more classes cross. */
  codecs?: readonly string[];
  /** Stops the grading, which then throws. */
  signal?: AbortSignal;
  /** The assignment's folder, in which the notebook runs; the current one by default. */
  cwd?: string;
  /**
   * The folder in which tests run; `cwd` by default. In one without files of the student's, nothing of the
   * student's can say how they run.
   */
  testsCwd?: string;
  /** Files and folders that the notebook may read beside the library's. */
  read?: readonly string[];
  /** Whether the notebook runs in a sandbox; without one, nothing holds it. */
  sandbox?: boolean;
  /**
   * The test, by its `grade_id`, that verdicts are wanted on, and on those that use what it declares; all
   * tests by default. Others are not run, unless these use what they declare.
   */
  only?: string;
  /**
   * Whether a submission that meets a time limit is graded once more, alone, which is the default. A
   * grader of several processes turns this off, and repeats it when the others are done.
   */
  repeat?: boolean;
}

/** The names of {@linkcode GradeOptions}. */
export const GRADE_OPTIONS: OptionNames<GradeOptions> = {
  limits: true,
  codecs: true,
  signal: true,
  cwd: true,
  testsCwd: true,
  read: true,
  sandbox: true,
  only: true,
  repeat: true,
};

/** The verdict on one graded cell. */
export interface CellVerdict {
  /** The cell's `grade_id`. */
  readonly gradeId: string;
  /** What it scored; 0 where a person has to mark. */
  readonly points: number;
  /** What it can score. */
  readonly maxPoints: number;
  /** How the points came about. */
  readonly status:
    | "passed"
    | "partial"
    | "failed"
    | "timeout"
    | "crashed"
    | "limit"
    | "missing"
    | "changed"
    | "manual";
  /** Why, in words. */
  readonly message?: string;
  /**
   * Whether the message may tell what hidden tests hold, since this test is hidden or the student's
   * process had met one before: it is not for students.
   */
  readonly hidden?: boolean;
  /** Whether the message is what the test's author wrote for the student, in `{ points, message }`. */
  readonly authored?: boolean;
  /** Whether the test shared the student's process: the verdict is weaker. */
  readonly shared?: boolean;
  /**
   * Where WebGPU code that the test reaches could run: a GPU's name, that of a driver that acts as one, or
   * `"cpu"`. Left out of tests that reach none.
   */
  readonly device?: string;
  /** Wall time. */
  readonly seconds: number;
}

/** The result of grading. */
export interface Graded {
  /** A verdict for each graded cell of the release, in its order. */
  readonly verdicts: readonly CellVerdict[];
  /**
   * The submission as it was graded, with its outputs; tests show none. The metadata of a cell that ran
   * after a hidden test has `tunebook_after_hidden`: its outputs may tell what that test passed.
   */
  readonly notebook: Notebook;
  /** What was changed in the submission, and what the instructor should see to. */
  readonly findings: readonly Finding[];
  /** Whether it met a time limit, and was not graded again. */
  readonly late?: boolean;
  /** Whether it was graded twice, the second time alone, because the first met a time limit. */
  readonly repeated?: boolean;
}

/** The mark of cells whose outputs may reveal hidden tests. */
export const AFTER_HIDDEN = "tunebook_after_hidden";
