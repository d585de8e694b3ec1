/**
 * The grading of one notebook, cell by cell.
 *
 * @module
 */

import { resolve } from "@std/path/resolve";
import type { CodeCell, Notebook } from "../../runtime/notebook.ts";
import { hasTag } from "../../runtime/parameters.ts";
import { cellChecksum } from "../checksum.ts";
import {
  type Finding,
  type GradedCell,
  gradedCells,
  type GradeMetadata,
  readGradeMetadata,
  roleOf,
} from "../metadata.ts";
import type { Release } from "../release.ts";
import { Student } from "../standins/kernels.ts";
import { faultOf } from "../standins/relay.ts";
import {
  AFTER_HIDDEN,
  type CellVerdict,
  GRADE_LIMITS,
  type Graded,
  type GradeLimits,
  type GradeOptions,
} from "../verdict.ts";
import { GATE } from "./alone.ts";
import { gpuTests } from "./gpu.ts";
import { ProcessorClock } from "./processor_time.ts";
import { TestRunner } from "./test_runner.ts";

/** The tag of a test that runs in the student's process, where the student can change its result. */
export const SHARED_TAG = "shares-process";

/** How to grade a notebook that is ready to be graded. */
export interface GradingOptions extends GradeOptions {
  /** Whether to find what a test does that no submission can pass: so it is when an assignment is released. */
  readonly strict: boolean;
  /** Whether the types that tests assert are there, where that is known without the compiler. */
  readonly areTypesRight?: boolean;
  /** Cells that the submission lacks, by `grade_id`. */
  readonly missing: ReadonlySet<string>;
  /** What was found before. */
  readonly findings: readonly Finding[];
  /** The `grade_id` of the test to end with; all run by default. */
  readonly last?: string;
}

/**
 * Grades a notebook; if it meets a time limit, once more, while no other notebook is graded in this process.
 *
 * @param release The release.
 * @param notebook The notebook, which is not changed.
 * @param options How.
 */
export async function gradeNotebook(
  release: Release,
  notebook: Notebook,
  options: GradingOptions,
): Promise<Graded> {
  const once = async () => {
    await using grading = new Grading(release, structuredClone(notebook), options);
    const graded = await grading.run();
    return { graded, isLate: grading.isLate };
  };
  const { graded, isLate } = await GATE.share(once);
  if (!isLate) return graded;
  if (options.repeat === false) return { ...graded, late: true };
  return { ...(await GATE.alone(once)).graded, repeated: true };
}

class Grading implements AsyncDisposable {
  readonly #notebook: Notebook;
  readonly #options: GradingOptions;
  readonly #limits: GradeLimits;
  readonly #findings: Finding[];
  readonly #graded: readonly GradedCell[];
  readonly #hidden: ReadonlySet<string>;
  readonly #clock: ProcessorClock;
  readonly #student: Student;
  readonly #tests: TestRunner;
  readonly #gpuTests: ReadonlySet<string>;
  #isLate = false;
  /** Whether a hidden test has run, whose inputs the student's code may repeat from then on. */
  #afterHidden = false;

  constructor(release: Release, notebook: Notebook, options: GradingOptions) {
    this.#notebook = notebook;
    this.#options = options;
    this.#limits = { ...GRADE_LIMITS, ...options.limits };
    this.#findings = [...options.findings];
    this.#graded = gradedCells(release.notebook);
    this.#hidden = new Set(
      this.#graded.filter(({ cell, metadata }) =>
        release.withHidden.get(metadata.grade_id)?.source !== cell.source
      ).map(({ metadata }) => metadata.grade_id),
    );
    const { cwd = Deno.cwd(), codecs = [], sandbox = true, read = [], signal, strict } = options;
    const { memory, disk, output } = this.#limits;
    const walls = sandbox ? { memory, disk, read: [...read] } : undefined;
    this.#gpuTests = gpuTests(notebook);
    this.#clock = new ProcessorClock(() => [...this.#student.processes, ...this.#tests.processes]);
    this.#student = new Student({
      cwd: resolve(cwd),
      codecs,
      output,
      signal,
      clock: this.#clock,
      sandbox: walls,
      onMessage: (message) => this.#tests.fromStudent(message),
      secondsLeft: () => this.#secondsLeft,
      asksForGpu: this.#gpuTests.size > 0,
    });
    this.#tests = new TestRunner(release, notebook, this.#student, {
      cwd: resolve(options.testsCwd ?? cwd),
      codecs,
      signal,
      strict,
      areTypesRight: options.areTypesRight,
      // Where types come from, as little as where tests run, are files of the student's.
      sandbox: walls && options.testsCwd !== undefined
        ? { ...walls, read: [options.testsCwd] }
        : walls,
      clock: this.#clock,
      limits: this.#limits,
    });
  }

  /** Whether a cell or a test has met a time limit. */
  get isLate(): boolean {
    return this.#isLate;
  }

  async run(): Promise<Graded> {
    const verdicts = new Map<string, CellVerdict>();
    const { counted, run } = this.#tests.select(this.#options.only);
    for (const [index, cell] of this.#notebook.cells.entries()) {
      const metadata = readGradeMetadata(cell);
      const role = roleOf(metadata);
      if (role === "test" && cell.cell_type === "code") {
        cell.outputs = [];
        cell.execution_count = null;
        const gradeId = metadata!.grade_id!;
        this.#afterHidden ||= this.#hidden.has(gradeId);
        if (run.has(gradeId)) {
          const verdict = await this.#test(index, cell, metadata!);
          if (counted.has(gradeId)) verdicts.set(gradeId, verdict);
          this.#isLate ||= verdict.status === "timeout";
        }
      } else {
        if (cell.cell_type === "code") {
          await this.#runCell(index, cell);
          if (this.#afterHidden) cell.metadata[AFTER_HIDDEN] = true;
        }
        if (role === "manual" || role === "task") {
          verdicts.set(metadata!.grade_id!, this.#wait(cell, metadata!));
        }
      }
      this.#options.signal?.throwIfAborted();
      if (this.#options.last !== undefined && verdicts.has(this.#options.last)) break;
    }
    if (this.#tests.forged > 0) {
      const message = "The submission sent messages that only the grader's own code sends: " +
        `${this.#tests.forged} were ignored`;
      this.#findings.push({ message });
    }
    return {
      verdicts: this.#graded.filter(({ metadata }) => metadata.grade || metadata.task)
        .flatMap(({ metadata }) => verdicts.get(metadata.grade_id) ?? []),
      notebook: this.#notebook,
      findings: this.#findings,
    };
  }

  /** Runs a cell of the student's. */
  async #runCell(index: number, cell: CodeCell): Promise<void> {
    cell.outputs = [];
    cell.execution_count = null;
    if (cell.source.trim() === "" || hasTag(cell, "skip")) return;
    const left = this.#secondsLeft;
    if (left <= 0) return;
    const timeout = Math.min(this.#limits.cellSeconds, left);
    const result = await this.#student.run(cell.source, `cell ${index + 1}`, timeout);
    this.#isLate ||= result.status === "timeout";
    cell.outputs = result.outputs;
    cell.execution_count = result.executionCount;
  }

  /** An answer that a person marks; one that was left as it was is worth nothing. */
  #wait(cell: Notebook["cells"][number], metadata: GradeMetadata): CellVerdict {
    const gradeId = metadata.grade_id!;
    const base = { gradeId, points: 0, maxPoints: metadata.points ?? 0, seconds: 0 };
    if (this.#options.missing.has(gradeId)) {
      return { ...base, status: "missing", message: "The answer's cell is missing" };
    }
    const isUnchanged = roleOf(metadata) === "manual" && metadata.checksum !== undefined &&
      cellChecksum(cell, metadata) === metadata.checksum;
    if (!isUnchanged) return { ...base, status: "manual" };
    return { ...base, status: "failed", message: "The cell is as it was released: no answer" };
  }

  async #test(index: number, cell: CodeCell, metadata: GradeMetadata): Promise<CellVerdict> {
    const started = performance.now();
    const gradeId = metadata.grade_id!;
    const maxPoints = metadata.points ?? 0;
    const shared = hasTag(cell, SHARED_TAG);
    const hidden = this.#afterHidden;
    const verdict = (
      status: CellVerdict["status"],
      points: number,
      message?: string,
    ): CellVerdict => ({
      gradeId,
      points,
      maxPoints,
      status,
      ...message !== undefined && { message: shorten(message) },
      ...message !== undefined && hidden && { hidden },
      ...shared && { shared },
      ...this.#gpuTests.has(gradeId) && { device: this.#student.gpu ?? "cpu" },
      seconds: (performance.now() - started) / 1000,
    });
    const left = this.#secondsLeft;
    const late = `The submission's ${this.#limits.totalSeconds} s were over before the test`;
    if (left <= 0) return verdict("timeout", 0, late);
    const { result, fault, notes, faults, score } = shared
      ? await this.#tests.runShared(cell, gradeId, `cell ${index + 1}`, left)
      : await this.#tests.run(cell, gradeId, left);
    for (const message of faults) this.#findings.push({ index, gradeId, message });
    if (fault !== undefined) return verdict(fault.status, 0, fault.message);
    if (result === undefined) return verdict("crashed", 0, "The test could not run");
    if (result.status !== "ok") {
      const status = result.status === "error" ? "failed" : faultOf(result).status;
      const { name, message } = result.error!;
      return verdict(status, 0, [`${name}: ${message}`, ...notes].join("; "));
    }
    if (score === undefined) return verdict("passed", maxPoints);
    const { points, message } = score;
    if (!(points >= 0 && points <= maxPoints)) {
      const wrong = `The test gave ${points} points: expected a number from 0 to ${maxPoints}`;
      this.#findings.push({ index, gradeId, message: wrong });
      return verdict("failed", 0, wrong);
    }
    const status = points === maxPoints ? "passed" : points === 0 ? "failed" : "partial";
    const { hidden: _, ...scored } = verdict(status, points, message);
    return message === undefined ? scored : { ...scored, authored: true };
  }

  get #secondsLeft(): number {
    return this.#limits.totalSeconds - this.#clock.now;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#student.close();
    await this.#tests.close();
  }
}

/** Longer messages are cut: they contain values of the student. */
const MAX_MESSAGE = 10_000;

function shorten(message: string): string {
  const text = message.length > MAX_MESSAGE ? `${message.slice(0, MAX_MESSAGE)} …` : message;
  return text.toWellFormed();
}
