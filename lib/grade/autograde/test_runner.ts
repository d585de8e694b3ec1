/**
 * Runs the tests of one notebook: outside of the student's process against stand-ins, or, where a test is
 * marked so, within.
 *
 * @module
 */

import type { CodeCell, Notebook } from "../../runtime/notebook.ts";
import type { SandboxOptions } from "../../runtime/sandbox/walls.ts";
import type { ExecuteResult, SessionMessage } from "../../runtime/session/types.ts";
import { type GradeMetadata, readGradeMetadata, roleOf } from "../metadata.ts";
import { withoutMarkers } from "../regions.ts";
import type { Release } from "../release.ts";
import type { Score } from "../standins/examiner.ts";
import { ExaminerKernel, type Student } from "../standins/kernels.ts";
import {
  AssignmentNames,
  declaredNames,
  lastValueRoot,
  type NamedCell,
  type TestNeeds,
} from "../standins/names.ts";
import { Relay, type RelayFault } from "../standins/relay.ts";
import { type TypeFault, TypeTests } from "../types/type_tests.ts";
import type { GradeLimits } from "../verdict.ts";
import type { ProcessorClock } from "./processor_time.ts";
import { plainScoreIn, scoreIn } from "./score.ts";

/** How tests run. */
export interface TestOptions {
  readonly cwd: string;
  readonly codecs: readonly string[];
  readonly clock: ProcessorClock;
  readonly limits: GradeLimits;
  readonly strict: boolean;
  readonly areTypesRight?: boolean;
  readonly sandbox?: SandboxOptions;
  readonly signal?: AbortSignal;
}

/** How a test ended. */
export interface TestOutcome {
  /** The result of the test's cell; undefined if the test could not begin. */
  readonly result?: ExecuteResult;
  /** Why the student's code failed the test, whatever the test made of it: its types, or its process. */
  readonly fault?: RelayFault | TypeFault;
  /** What a reader of a failed test should know. */
  readonly notes: readonly string[];
  /** What is wrong with the test itself; found only if the tests are strict. */
  readonly faults: readonly string[];
  /** The test's last value, if it is a score. */
  readonly score?: Score;
}

/** The tests of one notebook, run in its order. */
export class TestRunner {
  readonly #options: TestOptions;
  readonly #names: AssignmentNames;
  /** The cells of {@linkcode AssignmentNames}, by their grade ids and with them. */
  readonly #named: readonly (NamedCell & { gradeId?: string })[];
  readonly #submitted: ReadonlySet<string>;
  readonly #student: Student;
  readonly #examiner: ExaminerKernel;
  readonly #relay: Relay;
  readonly #types: TypeTests;
  /** Names that tests have declared so far. */
  readonly #declared = new Set<string>();

  constructor(release: Release, notebook: Notebook, student: Student, options: TestOptions) {
    this.#options = options;
    this.#named = namedCells(release);
    this.#names = new AssignmentNames(this.#named);
    this.#submitted = declaredNames(
      notebook.cells.filter((cell) => isOpen(cell, readGradeMetadata(cell)))
        .map(({ source }) => source),
    );
    const { cwd, codecs, clock } = options;
    this.#student = student;
    this.#examiner = new ExaminerKernel({
      cwd,
      codecs,
      clock,
      onCall: (content) => this.#relay.fromExaminer(content),
    });
    this.#relay = new Relay(student, this.#examiner, clock);
    const { sandbox, signal, limits } = options;
    this.#types = new TypeTests(release, notebook, {
      cwd,
      sandbox,
      signal,
      seconds: limits.testSeconds,
    });
  }

  /** Takes what cells of the student's process broadcast. */
  fromStudent(message: SessionMessage): void {
    this.#relay.fromStudent(message);
  }

  /** How many messages only looked like the bridge's: the submission's own code sent them. */
  get forged(): number {
    return this.#relay.forged;
  }

  /**
   * Finds which tests have to run.
   *
   * @param only The `grade_id` of a test; without it, all count.
   * @returns The tests whose verdicts it changes, and with them those that must run before.
   */
  select(only?: string): { counted: ReadonlySet<string>; run: ReadonlySet<string> } {
    const ids = this.#named.map(({ gradeId }) => gradeId);
    const tests = this.#named.flatMap(({ kind }, at) => kind === "test" ? [at] : []);
    const named = (places: Iterable<number>) => new Set([...places].map((at) => ids[at]!));
    if (only === undefined) return { counted: named(tests), run: named(tests) };
    const before = new Map(tests.map((at) => [at, this.#names.testsBefore(at)]));
    const itself = ids.indexOf(only);
    const counted = tests.filter((at) => at === itself || before.get(at)!.has(itself));
    const run = [...counted, ...counted.flatMap((at) => [...before.get(at)!])];
    return { counted: named(counted), run: named(run) };
  }

  /** The examiner's process, while there is one. */
  get processes(): readonly number[] {
    return this.#examiner.processes;
  }

  /**
   * Runs a test outside of the student's process.
   *
   * @param cell The test. @param gradeId Its `grade_id`. @param left Seconds that are left for the submission.
   */
  async run(cell: CodeCell, gradeId: string, left: number): Promise<TestOutcome> {
    const fault = await this.#typeFaultOf(gradeId);
    if (fault !== undefined) return { fault, notes: [], faults: [] };
    const at = this.#named.findIndex((one) => one.gradeId === gradeId);
    const needs = this.#names.needsOf(at, this.#submitted);
    const { signal, strict, limits } = this.#options;
    // The bridge, and what was lost with an earlier kernel.
    if (needs.standIns.length > 0) await this.#student.ready();
    const { result, notes, refused, ...ended } = await this.#relay.run({
      source: cell.source,
      label: `the test "${gradeId}"`,
      names: needs.standIns,
      declared: needs.standIns.filter((name) => this.#declared.has(name)),
      before: await this.#examiner.prepare(this.#before(needs)),
      strict,
      callSeconds: Math.min(limits.callSeconds, left),
      testSeconds: Math.min(limits.testSeconds, left),
      signal,
    });
    if (ended.examinerLost) {
      await this.#examiner.close();
      this.#declared.clear();
    } else for (const name of this.#names.declaredBy(at)) this.#declared.add(name);
    // A last value that belongs to the student is not a score.
    const root = lastValueRoot(cell.source);
    const isForeign = root !== undefined && needs.standIns.includes(root);
    const faults: string[] = [];
    if (strict) {
      if (needs.unlocked.length > 0) {
        const list = needs.unlocked.map((name) => `"${name}"`).join(", ");
        faults.push(`The test uses ${list} of a cell that students may change: lock that cell`);
      }
      if (isForeign) {
        faults.push(
          `The test's last value is what "${root}" gives, which is not taken as a ` +
            "score: end it with a semicolon and a statement of the test's own",
        );
      }
      // A test that fails for this reason says so itself.
      if (result?.status === "ok") faults.push(...refused);
    }
    const score = isForeign ? undefined : scoreIn(result);
    return { result, notes, fault: ended.fault, faults, score };
  }

  /**
   * Runs a test that the instructor has put into the student's process.
   *
   * @param cell The test. @param gradeId Its `grade_id`. @param label Its name in errors.
   * @param left Seconds that are left for the submission.
   */
  async runShared(
    cell: CodeCell,
    gradeId: string,
    label: string,
    left: number,
  ): Promise<TestOutcome> {
    const fault = await this.#typeFaultOf(gradeId);
    if (fault !== undefined) return { fault, notes: [], faults: [] };
    const timeout = Math.min(this.#options.limits.testSeconds, left);
    const result = await this.#student.run(cell.source, label, timeout);
    return { result, notes: [], faults: [], score: plainScoreIn(result) };
  }

  async #typeFaultOf(gradeId: string): Promise<TypeFault | undefined> {
    const { areTypesRight } = this.#options;
    if (areTypesRight === undefined) return await this.#types.faultOf(gradeId);
    return areTypesRight || !this.#types.has(gradeId)
      ? undefined
      : { status: "failed", message: "The types are not those that the test asserts" };
  }

  /** Ends the examiner. */
  async close(): Promise<void> {
    await this.#examiner.close();
  }

  /** The instructor's cells that a test needs in the examiner. */
  #before({ imports, helpers }: TestNeeds): { source: string; label: string }[] {
    return [
      ...imports.map((source) => ({ source, label: "an import" })),
      ...helpers.map((at) => ({
        source: this.#named[at]!.source,
        label: this.#named[at]!.gradeId === undefined
          ? "a cell of the release"
          : `the locked cell "${this.#named[at]!.gradeId}"`,
      })),
    ];
  }
}

/** The release's code cells, as their names are concerned. */
function namedCells({ notebook, withHidden }: Release): (NamedCell & { gradeId?: string })[] {
  return notebook.cells.filter(({ cell_type }) => cell_type === "code").map((cell) => {
    const metadata = readGradeMetadata(cell);
    const role = roleOf(metadata);
    const gradeId = metadata?.grade_id;
    const source = withoutMarkers(withHidden.get(gradeId ?? "")?.source ?? cell.source);
    const kind = role === "test" || role === "locked" ? role : "open";
    return { kind, source, gradeId, isAnswer: metadata?.solution ?? false };
  });
}

function isOpen({ cell_type }: { cell_type: string }, metadata?: GradeMetadata): boolean {
  const role = roleOf(metadata);
  return cell_type === "code" && role !== "test" && role !== "locked";
}
