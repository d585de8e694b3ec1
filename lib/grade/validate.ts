/**
 * What a student sees before handing in: the visible tests as the grader runs them, what is unanswered, what was changed
 * that should not be, and what will be handed in. The released notebook is enough; no course folder is needed.
 *
 * @module
 */

import { basename } from "@std/path/basename";
import { dirname } from "@std/path/dirname";
import { resolve } from "@std/path/resolve";
import { sandboxFault } from "../runtime/sandbox/outer.ts";
import { formatNotebook, type Notebook, readNotebook } from "../runtime/notebook.ts";
import { gradeSubmission } from "./autograde.ts";
import { codecsFor } from "./grader.ts";
import { cellChecksum } from "./checksum.ts";
import {
  checkMetadata,
  type Finding,
  type GradedCell,
  gradedCells,
  METADATA_KEY,
  readGradeMetadata,
  roleOf,
} from "./metadata.ts";
import { checkProposal, structureRulesIn } from "./proposal_file.ts";
import { questionTitle } from "./questions.ts";
import { answeredNames, type Release } from "./release.ts";
import { CODE_STUBS, STUBS } from "./stubs.ts";
import { proposalOf, type StructureRow } from "./structure.ts";
import { openPlace } from "./validate/place.ts";
import { type ValidatedCell, Validation } from "./validate/result.ts";
import { assertKnownOptions, type OptionNames } from "../options.ts";
import type { CellVerdict, GradeOptions } from "./verdict.ts";

/** How to validate. */
export interface ValidateOptions extends Pick<GradeOptions, "codecs" | "limits" | "signal"> {
  /** The notebook as it was released; without it, what was changed is known by the checksums of the cells. */
  released?: Notebook;
  /** Whether to run the notebook and its tests; they run by default. */
  run?: boolean;
}

/** How tensors cross. Only the kernels load it, and only for notebooks that import something: this room needs no tensors. */
const CODECS = [new URL("../cli/grade/tensor_codec.ts", import.meta.url).href];

const VALIDATE_OPTIONS: OptionNames<ValidateOptions> = {
  codecs: true,
  limits: true,
  signal: true,
  released: true,
  run: true,
};

/**
 * Validates a notebook before it is handed in.
 *
 * Save the notebook first: what is read is the file. In JupyterLab, call it in the last cell of the notebook; the result
 * shows itself. A cell that calls it is not run again by it.
 *
 * @param path The notebook; by default the one in which the cell runs, where Jupyter says it.
 * @param options The notebook as released, limits, whether to run.
 * @returns What was found.
 * @throws {SyntaxError} If the file is not a notebook.
 * @throws {TypeError} If the notebook is not an assignment, or no path is given and Jupyter does not say it.
 *
 * @example
 * ```ts
 * import { releaseNotebook, validateNotebook } from "tunebook/grade";
 * import { readNotebook, writeNotebook } from "tunebook/runtime";
 * import { assertEquals } from "@std/assert";
 *
 * const source = await readNotebook("notebooks/assignments/gradients/gradients.ipynb");
 * const path = `${await Deno.makeTempDir()}/gradients.ipynb`;
 * await writeNotebook(path, releaseNotebook(source).notebook);
 * const validation = await validateNotebook(path, { run: false });
 * assertEquals(validation.isReady, false); // nothing is answered yet
 * ```
 */
export async function validateNotebook(
  path: string = notebookOfThisKernel(),
  options: ValidateOptions = {},
): Promise<Validation> {
  assertKnownOptions("validate", options, VALIDATE_OPTIONS);
  const { released, run = true, codecs = CODECS, limits, signal } = options;
  const notebook = await readNotebook(path);
  const name = basename(path);
  const findings: Finding[] = [];
  const usable = withoutFaults(notebook, findings);
  const cells = gradedCells(usable);
  if (cells.length === 0) {
    throw new TypeError(`Cannot validate "${name}": it has no cell that is graded or answered`);
  }
  const changed = released === undefined ? changedCells(cells, findings) : new Set<string>();
  const folder = dirname(resolve(path));
  const structure = await structureOf(folder, usable);
  const size = new TextEncoder().encode(formatNotebook(notebook)).length;
  const base = { notebook: name, size, structure };
  // A test or helper that was changed is replaced by the grader.
  if (!run) {
    const rows = cells.flatMap((cell) => rowOf(usable, cell, changed, undefined));
    return new Validation({ ...base, cells: rows, findings, run: "not run" });
  }
  const fault = await sandboxFault();
  await using place = await openPlace(folder);
  for (const file of place.left) {
    findings.push({
      message: `"${file}" is not there when the tests run: it is a link, or too large`,
    });
  }
  const release = releaseOf(released ?? usable, usable);
  const graded = await gradeSubmission(release, withoutThisCall(usable), {
    codecs: codecsFor(release, codecs),
    limits,
    signal,
    cwd: place.cwd,
    read: [place.cwd],
    sandbox: fault === undefined,
  });
  findings.push(...graded.findings, ...errorsIn(graded.notebook));
  const verdicts = new Map(graded.verdicts.map((verdict) => [verdict.gradeId, verdict]));
  const rows = gradedCells(released ?? usable).flatMap((cell) => {
    const own = cells.find(({ metadata }) => metadata.grade_id === cell.metadata.grade_id);
    const rows = rowOf(usable, own ?? cell, changed, verdicts.get(cell.metadata.grade_id));
    const isLost = own === undefined && cell.role !== "test";
    return isLost ? rows.map((row) => ({ ...row, status: "missing" as const })) : rows;
  });
  return new Validation({
    ...base,
    cells: rows,
    findings,
    run: fault === undefined ? "sandbox" : "no sandbox",
  });
}

/** The notebook in which this code runs; Jupyter tells its kernels. */
function notebookOfThisKernel(): string {
  const path = Deno.env.get("JPY_SESSION_NAME");
  if (path?.endsWith(".ipynb")) return basename(path);
  throw new TypeError(
    'Cannot validate the notebook: Jupyter does not say which one this is; give its name, such as "week1.ipynb"',
  );
}

/** The notebook without metadata that is not graded: of copies all but the last, and what cannot be read. */
function withoutFaults(notebook: Notebook, findings: Finding[]): Notebook {
  const copy = structuredClone(notebook);
  const last = new Map<unknown, number>();
  const gradeIdOf = ({ metadata }: Notebook["cells"][number]) =>
    (metadata[METADATA_KEY] as { grade_id?: unknown } | null | undefined)?.grade_id;
  for (const [index, cell] of copy.cells.entries()) last.set(gradeIdOf(cell), index);
  for (const [index, cell] of copy.cells.entries()) {
    const gradeId = gradeIdOf(cell);
    if (typeof gradeId !== "string" || gradeId === "" || last.get(gradeId) === index) continue;
    const message = `There is a copy of the cell: cell ${last.get(gradeId)! + 1} counts`;
    findings.push({ index, gradeId, message });
    delete cell.metadata[METADATA_KEY];
  }
  for (const fault of checkMetadata(copy)) {
    findings.push(fault);
    delete copy.cells[fault.index!]!.metadata[METADATA_KEY];
  }
  return copy;
}

/** The graded cells that differ from what was released, by their checksums; locked ones are findings. */
function changedCells(cells: readonly GradedCell[], findings: Finding[]): Set<string> {
  const changed = new Set<string>();
  if (cells.every(({ metadata }) => metadata.checksum === undefined)) {
    findings.push({
      message: "The notebook has no checksums: it was not released, or they were removed",
    });
    return changed;
  }
  for (const { index, cell, metadata, role } of cells) {
    const { grade_id: gradeId, checksum } = metadata;
    if (checksum === undefined || cellChecksum(cell, metadata) === checksum) continue;
    changed.add(gradeId);
    if (role !== "test" && role !== "locked") continue;
    findings.push({
      index,
      gradeId,
      message:
        `The ${role} cell was changed, though it is locked: the grader uses the released one`,
    });
  }
  return changed;
}

/** A release as a student has it: nothing is hidden. */
function releaseOf(notebook: Notebook, answers: Notebook): Release {
  const cells = gradedCells(notebook).map(({ cell, metadata }) =>
    [
      metadata.grade_id,
      { source: cell.source, checksum: cellChecksum(cell, metadata) },
    ] as const
  );
  return { notebook, withHidden: new Map(cells), answered: answeredNames(answers) };
}

/** The notebook without cells that would validate it again. */
function withoutThisCall(notebook: Notebook): Notebook {
  const cells = notebook.cells.map((cell) =>
    cell.cell_type === "code" && roleOf(readGradeMetadata(cell)) === "plain" &&
      /\bvalidateNotebook\b/.test(cell.source)
      ? { ...cell, source: "" }
      : cell
  );
  return { ...notebook, cells };
}

/** The errors in cells other than tests. */
function errorsIn(notebook: Notebook): Finding[] {
  return notebook.cells.flatMap((cell, index): Finding[] => {
    if (cell.cell_type !== "code") return [];
    const error = cell.outputs.find((output) => output.output_type === "error");
    if (error?.output_type !== "error") return [];
    const metadata = readGradeMetadata(cell);
    if (metadata?.solution && isStub(cell.source)) return [];
    const message = `The cell fails: ${error.ename}: ${error.evalue}`;
    return [{ index, gradeId: metadata?.grade_id, message }];
  });
}

const MARKS = [STUBS.text, ...Object.values(CODE_STUBS).map((stub) => stub.split("\n").at(-1)!)];

/** The last heading above a cell: that of the question that a test is for. */
function headingAbove({ cells }: Notebook, index: number): string | undefined {
  const text = cells.slice(0, index).filter(({ cell_type }) => cell_type === "markdown");
  const headings = text.flatMap(({ source }) => [...source.matchAll(/^#{1,6} +(.+?) *#* *$/gm)]);
  return headings.at(-1)?.[1];
}

/** Whether the stub still stands in an answer. */
function isStub(source: string): boolean {
  return MARKS.some((mark) => source.includes(mark));
}

/** Describes a cell: of a test its result, of an answer whether there is one, of a locked cell nothing. */
function rowOf(
  notebook: Notebook,
  { index, cell, metadata, role }: GradedCell,
  changed: ReadonlySet<string>,
  verdict: CellVerdict | undefined,
): ValidatedCell[] {
  if (role === "locked") return [];
  const { grade_id: gradeId, points: maxPoints = 0, checksum } = metadata;
  const title = role === "test" ? headingAbove(notebook, index) : undefined;
  const base = { index, gradeId, title: title ?? questionTitle(notebook, gradeId) };
  if (role === "test") {
    if (verdict === undefined) return [{ ...base, status: "not run", maxPoints }];
    const { status, points, message } = verdict;
    const isChanged = changed.has(gradeId);
    return [{
      ...base,
      status: isChanged
        ? "changed"
        : status === "manual" || status === "missing"
        ? "failed"
        : status,
      points: isChanged ? 0 : points,
      maxPoints,
      ...message !== undefined && !isChanged && { message },
    }];
  }
  if (role === "task") return [{ ...base, status: "marked", maxPoints }];
  const isAsReleased = checksum !== undefined && cellChecksum(cell, metadata) === checksum;
  const status = isAsReleased ? "unanswered" : isStub(cell.source) ? "partly" : "answered";
  return [{ ...base, status, ...role === "manual" && { maxPoints } }];
}

async function structureOf(
  folder: string,
  notebook: Notebook,
): Promise<readonly StructureRow[] | undefined> {
  const rules = await structureRulesIn(folder);
  return rules && await checkProposal(folder, rules, proposalOf(notebook, rules.title));
}
