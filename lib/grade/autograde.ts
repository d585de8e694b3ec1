/**
 * Grades a submission: the student's notebook runs in a sandbox, and its tests run outside, against
 * stand-ins that call into the sandbox. Nothing that the student's process sends becomes a score.
 *
 * @module
 */

import { resolve } from "@std/path";
import type { CodeCell, Notebook } from "../runtime/notebook.ts";
import { hasTag } from "../runtime/parameters.ts";
import type { ExecuteResult } from "../runtime/session/types.ts";
import { cellChecksum } from "./checksum.ts";
import {
  checkMetadata,
  type Finding,
  type GradedCell,
  gradedCells,
  type GradeMetadata,
  readGradeMetadata,
  roleOf,
} from "./metadata.ts";
import { withoutMarkers } from "./regions.ts";
import { type Release, releaseNotebook } from "./release.ts";
import { restoreSubmission } from "./restore.ts";
import { type Score, SCORE_MIME } from "./standins/examiner.ts";
import { ExaminerKernel, Student } from "./standins/kernels.ts";
import {
  AssignmentNames,
  declaredNames,
  lastValueRoot,
  type NamedCell,
  type TestNeeds,
} from "./standins/names.ts";
import { faultOf, Relay } from "./standins/relay.ts";

/** The tag of a test that runs in the student's process, where the student can change its result. */
export const SHARED_TAG = "shares-process";

/** What a submission may use. */
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
  /** Files and folders that the notebook may read beside the library's. */
  read?: readonly string[];
  /** Whether the notebook runs in a sandbox; without one, nothing holds it. */
  sandbox?: boolean;
}

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
}

/** The mark of cells whose outputs may reveal hidden tests. */
export const AFTER_HIDDEN = "tunebook_after_hidden";

/**
 * Grades a submission.
 *
 * @param release The release, with the hidden tests.
 * @param submission What the student handed in.
 * @param options Limits, codecs, where to run.
 * @returns Verdicts, the executed notebook, findings; a bad submission does not throw.
 * @throws {Error} If no sandbox can be built, or the signal stopped the grading.
 */
export async function gradeSubmission(
  release: Release,
  submission: Notebook,
  options: GradeOptions = {},
): Promise<Graded> {
  const graded = await gradeOnce(release, submission, options);
  const unsaid = graded.verdicts.filter(({ status, hidden }) => status === "failed" && hidden);
  if (unsaid.length === 0) return graded;
  // What students may read of their failures is found where nothing hidden has ever been.
  const last = unsaid.at(-1)!.gradeId;
  const { verdicts: said } = await gradeOnce(withoutHidden(release), submission, options, last);
  const verdicts = graded.verdicts.map((verdict) => {
    const { message, points, maxPoints } = said.find((one) => one.gradeId === verdict.gradeId) ??
      verdict;
    if (!unsaid.includes(verdict) || message === undefined || points === maxPoints) return verdict;
    const { hidden: _, ...rest } = verdict;
    return { ...rest, message };
  });
  return { ...graded, verdicts };
}

async function gradeOnce(
  release: Release,
  submission: Notebook,
  options: GradeOptions,
  last?: string,
): Promise<Graded> {
  const { notebook, findings, missing } = restoreSubmission(release, submission);
  return await grade(release, notebook, { ...options, strict: false, missing, findings, last });
}

/** A release whose hidden tests are gone. */
function withoutHidden({ notebook, withHidden }: Release): Release {
  const shown = new Map(withHidden);
  for (const { cell, metadata } of gradedCells(notebook)) {
    const known = withHidden.get(metadata.grade_id);
    if (known) shown.set(metadata.grade_id, { ...known, source: cell.source });
  }
  return { notebook, withHidden: shown };
}

/**
 * Proves an assignment before it is released: through the stand-ins, the instructor's solution must get
 * full marks and the stub none.
 *
 * @param source The instructor's notebook.
 * @param options As for {@linkcode gradeSubmission}.
 * @returns The faults; none if the assignment can be released.
 */
export async function checkThroughStandIns(
  source: Notebook,
  options: GradeOptions = {},
): Promise<Finding[]> {
  const faults = checkMetadata(source);
  if (faults.length > 0) return faults;
  const release = releaseNotebook(source);
  const tests = gradedCells(release.notebook).filter(({ role }) => role === "test");
  if (tests.length === 0) return [];
  const solution = structuredClone(source);
  for (const cell of solution.cells) cell.source = withoutMarkers(cell.source);
  const check = { ...options, strict: true, missing: new Set<string>(), findings: [] };
  const solved = await grade(release, solution, check);
  const stub = await gradeOnce(release, release.notebook, options);
  const findings = [...solved.findings];
  for (const { index, metadata: { grade_id: gradeId } } of tests) {
    const find = ({ verdicts }: Graded) => verdicts.find((one) => one.gradeId === gradeId)!;
    const [full, none] = [find(solved), find(stub)];
    const add = (message: string) => findings.push({ index, gradeId, message });
    if (full.points !== full.maxPoints) {
      const why = full.message === undefined ? "" : `: ${full.message}`;
      add(`The solution scores ${full.points} of ${full.maxPoints} points${why}`);
    }
    if (none.points > 0) {
      add(`The stub scores ${none.points} of ${none.maxPoints} points: expected none`);
    }
  }
  return findings.sort((a, b) => (a.index ?? -1) - (b.index ?? -1));
}

interface GradeRun extends GradeOptions {
  readonly strict: boolean;
  readonly missing: ReadonlySet<string>;
  readonly findings: readonly Finding[];
  /** The test to end with; all run by default. */
  readonly last?: string;
}

async function grade(release: Release, given: Notebook, options: GradeRun): Promise<Graded> {
  const notebook = structuredClone(given);
  await using grading = new Grading(release, notebook, options);
  return await grading.run();
}

/** The grading of one notebook. */
class Grading implements AsyncDisposable {
  readonly #notebook: Notebook;
  readonly #options: GradeRun;
  readonly #limits: GradeLimits;
  readonly #findings: Finding[];
  readonly #graded: readonly GradedCell[];
  readonly #hidden: ReadonlySet<string>;
  readonly #names: AssignmentNames;
  /** The cells of {@linkcode AssignmentNames}, by their grade ids and with them. */
  readonly #named: readonly (NamedCell & { gradeId?: string })[];
  readonly #submitted: ReadonlySet<string>;
  readonly #deadline: number;
  readonly #student: Student;
  readonly #examiner: ExaminerKernel;
  readonly #relay: Relay;
  /** Whether a hidden test has run, whose inputs the student's code may repeat from then on. */
  #afterHidden = false;
  /** Names that tests have declared so far. */
  readonly #declared = new Set<string>();

  constructor(release: Release, notebook: Notebook, options: GradeRun) {
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
    this.#named = namedCells(release);
    this.#names = new AssignmentNames(this.#named);
    this.#submitted = declaredNames(
      notebook.cells.filter((cell) => isOpen(cell, readGradeMetadata(cell)))
        .map(({ source }) => source),
    );
    this.#deadline = performance.now() + this.#limits.totalSeconds * 1000;
    const { cwd = Deno.cwd(), codecs = [], sandbox = true, read = [], signal } = options;
    const { memory, disk, output } = this.#limits;
    this.#student = new Student({
      cwd: resolve(cwd),
      codecs,
      output,
      signal,
      sandbox: sandbox ? { memory, disk, read: [...read] } : undefined,
      onMessage: (message) => this.#relay.fromStudent(message),
      secondsLeft: () => (this.#deadline - performance.now()) / 1000,
    });
    this.#examiner = new ExaminerKernel(
      resolve(cwd),
      codecs,
      (message) => this.#relay.fromExaminer(message),
    );
    this.#relay = new Relay(this.#student, this.#examiner);
  }

  async run(): Promise<Graded> {
    const { signal } = this.#options;
    const verdicts = new Map<string, CellVerdict>();
    for (const [index, cell] of this.#notebook.cells.entries()) {
      const metadata = readGradeMetadata(cell);
      const role = roleOf(metadata);
      if (role === "test" && cell.cell_type === "code") {
        cell.outputs = [];
        cell.execution_count = null;
        const gradeId = metadata!.grade_id!;
        this.#afterHidden ||= this.#hidden.has(gradeId);
        verdicts.set(gradeId, await this.#test(index, cell, metadata!));
      } else {
        if (cell.cell_type === "code") {
          await this.#runCell(index, cell);
          if (this.#afterHidden) cell.metadata[AFTER_HIDDEN] = true;
        }
        if (role === "manual" || role === "task") {
          verdicts.set(metadata!.grade_id!, this.#wait(cell, metadata!));
        }
      }
      signal?.throwIfAborted();
      if (this.#options.last !== undefined && verdicts.has(this.#options.last)) break;
    }
    if (this.#relay.forged > 0) {
      const message = "The submission sent messages that only the grader's own code sends: " +
        `${this.#relay.forged} were ignored`;
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
    const left = this.#secondsLeft();
    if (left <= 0) return;
    const timeout = Math.min(this.#limits.cellSeconds, left);
    const result = await this.#student.run(cell.source, `cell ${index + 1}`, timeout);
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
      seconds: (performance.now() - started) / 1000,
    });
    const left = this.#secondsLeft();
    const late = `The submission's ${this.#limits.totalSeconds} s were over before the test`;
    if (left <= 0) return verdict("timeout", 0, late);
    const { result, fault, notes, score } = shared
      ? await this.#runShared(index, cell, left)
      : await this.#runOutside(index, cell, gradeId, left);
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

  /** A test outside of the student's process. */
  async #runOutside(index: number, cell: CodeCell, gradeId: string, left: number) {
    const at = this.#named.findIndex((one) => one.gradeId === gradeId);
    const needs = this.#names.needsOf(at, this.#submitted);
    const { signal, strict } = this.#options;
    if (strict && needs.unlocked.length > 0) {
      const list = needs.unlocked.map((name) => `"${name}"`).join(", ");
      const message = `The test uses ${list} of a cell that students may change: lock that cell`;
      this.#findings.push({ index, gradeId, message });
    }
    const label = `the test "${gradeId}"`;
    const { callSeconds, testSeconds } = this.#limits;
    // The bridge, and what was lost with an earlier kernel.
    if (needs.standIns.length > 0) await this.#student.ready();
    const { result, notes, ...ended } = await this.#relay.run({
      source: cell.source,
      label,
      names: needs.standIns,
      declared: needs.standIns.filter((name) => this.#declared.has(name)),
      before: await this.#examiner.prepare(this.#before(needs)),
      strict,
      callSeconds: Math.min(callSeconds, left),
      testSeconds: Math.min(testSeconds, left),
      signal,
    });
    if (ended.examinerLost) {
      await this.#examiner.close();
      this.#declared.clear();
    } else for (const name of this.#names.declaredBy(at)) this.#declared.add(name);
    // A last value that belongs to the student is not a score.
    const root = lastValueRoot(cell.source);
    const isForeign = root !== undefined && needs.standIns.includes(root);
    if (isForeign && strict) {
      const message = `The test's last value is what "${root}" gives, which is not taken as a ` +
        "score: end it with a semicolon and a statement of the test's own";
      this.#findings.push({ index, gradeId, message });
    }
    return { result, notes, fault: ended.fault, score: isForeign ? undefined : scoreIn(result) };
  }

  /** A test that the instructor has put into the student's process. */
  async #runShared(index: number, cell: CodeCell, left: number) {
    const timeout = Math.min(this.#limits.testSeconds, left);
    const result = await this.#student.run(cell.source, `cell ${index + 1}`, timeout);
    return { result, notes: [], score: plainScoreIn(result), fault: undefined };
  }

  /** The instructor's cells that a test needs in the examiner. */
  #before({ imports, helpers }: TestNeeds): { source: string; label: string }[] {
    return [
      ...imports.map((source) => ({ source, label: "an import" })),
      ...helpers.map((at) => ({
        source: this.#named[at]!.source,
        label: `the locked cell "${this.#named[at]!.gradeId}"`,
      })),
    ];
  }

  #secondsLeft(): number {
    return (this.#deadline - performance.now()) / 1000;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#student.close();
    await this.#examiner.close();
  }
}

/** The release's code cells, as their names are concerned. */
function namedCells({ notebook, withHidden }: Release): (NamedCell & { gradeId?: string })[] {
  return notebook.cells.filter(({ cell_type }) => cell_type === "code").map((cell) => {
    const metadata = readGradeMetadata(cell);
    const role = roleOf(metadata);
    const gradeId = metadata?.grade_id;
    const source = withHidden.get(gradeId ?? "")?.source ?? cell.source;
    const kind = role === "test" || role === "locked" ? role : "open";
    return { kind, source, gradeId, isAnswer: metadata?.solution ?? false };
  });
}

/** Messages are cut after so many characters: the student's values stand in them. */
const MAX_MESSAGE = 10_000;

function shorten(message: string): string {
  const text = message.length > MAX_MESSAGE ? `${message.slice(0, MAX_MESSAGE)} …` : message;
  return text.toWellFormed();
}

function isOpen({ cell_type }: { cell_type: string }, metadata?: GradeMetadata): boolean {
  const role = roleOf(metadata);
  return cell_type === "code" && role !== "test" && role !== "locked";
}

/** The score that the examiner has seen. */
function scoreIn(result?: ExecuteResult): Score | undefined {
  for (const output of result?.outputs ?? []) {
    if (output.output_type !== "execute_result") continue;
    const score = output.data[SCORE_MIME] as { points: unknown; message?: string } | undefined;
    return score && { ...score, points: Number(score.points) };
  }
}

/** The score that a test in the student's process prints as its value, as nbgrader reads it. */
function plainScoreIn(result: ExecuteResult): Score | undefined {
  for (const output of result.outputs) {
    if (output.output_type !== "execute_result") continue;
    const text = String(output.data["text/plain"] ?? "").trim();
    return text !== "" && Number.isFinite(Number(text)) ? { points: Number(text) } : undefined;
  }
}
