/**
 * Types as an item of a rubric: whether what a submission declares has the types that a test asserts. The compiler
 * answers, over the notebook's cells and without running them; nothing of it can be answered by the submission.
 *
 * @module
 */

import type { Notebook } from "../../runtime/notebook.ts";
import { readGradeMetadata, roleOf } from "../metadata.ts";
import { withoutMarkers } from "../regions.ts";
import type { Release } from "../release.ts";
import { readTypeAssertions, type TypeAssertions } from "./assertions.ts";
import { compile, type Compiled, type CompileOptions } from "./compiler.ts";
import { type CellModule, LINES_BEFORE, TypeProgram, withNeeds } from "./program.ts";

/** Why a test's types are not as asserted. */
export interface TypeFault {
  readonly status: "failed" | "timeout";
  readonly message: string;
}

/** The type assertions of a notebook's tests. */
export class TypeTests {
  readonly #options: CompileOptions;
  /** The tests' assertions by `grade_id`, each with its module. */
  readonly #tests = new Map<string, CellModule>();
  #all?: Promise<Compiled>;

  /**
   * @param release The release, with hidden tests.
   * @param notebook The submission, restored from the release.
   * @param options How to compile.
   */
  constructor(release: Release, notebook: Notebook, options: CompileOptions) {
    this.#options = options;
    const asserted: [string, TypeAssertions][] = [];
    for (const cell of release.notebook.cells) {
      const metadata = readGradeMetadata(cell);
      if (roleOf(metadata) !== "test") continue;
      const known = release.withHidden.get(metadata!.grade_id!);
      const source = withoutMarkers(known?.source ?? cell.source);
      const assertions = readTypeAssertions(source);
      if (assertions !== undefined) asserted.push([metadata!.grade_id!, assertions]);
    }
    if (asserted.length === 0) return;
    const cells = notebook.cells.flatMap((cell, index) => {
      const role = roleOf(readGradeMetadata(cell));
      if (cell.cell_type !== "code" || role === "test") return [];
      return [{ index, source: cell.source, isLocked: role === "locked" }];
    });
    const program = new TypeProgram(cells, release.answered, options.cwd);
    for (const [at, [gradeId, assertions]] of asserted.entries()) {
      const index = notebook.cells.findIndex((cell) =>
        readGradeMetadata(cell)?.grade_id === gradeId
      );
      this.#tests.set(gradeId, program.test(`test_${at + 1}.ts`, assertions, index));
    }
  }

  /** Whether a test asserts types. */
  has(gradeId: string): boolean {
    return this.#tests.has(gradeId);
  }

  /**
   * Checks the types that a test asserts.
   *
   * @param gradeId The test's `grade_id`.
   * @returns Why it fails; undefined if it passes, or asserts no types.
   */
  async faultOf(gradeId: string): Promise<TypeFault | undefined> {
    const test = this.#tests.get(gradeId);
    if (test === undefined) return undefined;
    const modules = withNeeds(test);
    for (const { cell, escapes: [escape] } of modules) {
      if (escape === undefined) continue;
      const message =
        `Cell ${cell!.index + 1}, line ${escape.line}: ${quote(escape.what)} makes the ` +
        "compiler take a type on trust, so the type cannot be checked";
      return { status: "failed", message };
    }
    // Mostly all is well, and one run of the compiler says so.
    const isSound = (one: CellModule) =>
      withNeeds(one).every(({ escapes }) => escapes.length === 0);
    this.#all ??= this.#compile([...this.#tests.values()].filter(isSound));
    let compiled = await this.#all;
    if (compiled.status !== "ok" && this.#tests.size > 1) compiled = await this.#compile([test]);
    if (compiled.status === "ok") return undefined;
    if (compiled.status === "timeout") {
      const message = `The compiler did not finish within ${this.#options.seconds} s`;
      return { status: "timeout", message };
    }
    return { status: "failed", message: explain(compiled.errors, modules) };
  }

  #compile(tests: readonly CellModule[]): Promise<Compiled> {
    const files = new Map(tests.flatMap(withNeeds).map(({ file, text }) => [file, text]));
    return compile(files, tests.map(({ file }) => file), this.#options);
  }
}

const quote = (what: string) => /["]/.test(what) ? what : `"${what}"`;

/** The compiler's first error, in words for a reader of cells. */
function explain(errors: string, modules: readonly CellModule[]): string {
  const [, code, said, file, line] =
    /^TS(\d+) \[ERROR\]: ([^]*?)\n[^]*?^ *at file:\/\/\S*\/(\w+\.tsx?):(\d+):\d+$/m.exec(errors) ??
      [];
  if (code === undefined) {
    const first = errors.split("\n").find((one) => one.trim() !== "");
    return `The types cannot be checked: ${first?.replace(/^error: /, "") ?? "the compiler ended"}`;
  }
  const difference = /is not assignable to type '\{ expected: ([^]*); got: ([^]*); \}'\.$/.exec(
    said!,
  );
  if (difference !== null) return `The type is ${difference[2]}: expected ${difference[1]}`;
  const { cell } = modules.find((one) => one.file === file) ?? {};
  const where = cell === undefined
    ? ""
    : `Cell ${cell.index + 1}, line ${Number(line) - LINES_BEFORE}: `;
  return `${where}TS${code}: ${said!.replace(/\.$/, "")}`;
}
