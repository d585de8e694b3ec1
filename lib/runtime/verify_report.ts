// Whether a report's outputs can be made again: the page is held to the notebook that it carries, the
// notebook to what its manifest says was run, and its outputs to a new run with the same parameters.

import { type Change, compareManifests } from "./compare/manifests.ts";
import { type CellComparison, compareNotebooks } from "./compare/notebooks.ts";
import type { Manifest } from "./manifest.ts";
import { authoredHash, clearedNotebook, recordHash } from "./new_manifest.ts";
import { formatNotebook, type Notebook, parseNotebook } from "./notebook.ts";
import { hasTag, isInjected } from "./parameters.ts";
import { checkPage, type PageVerdict } from "./report/check_page.ts";
import type { CompleteReport } from "./report/embedded.ts";
import { readReport } from "./report/embedded.ts";
import { RUN_OPTIONS, runNotebook, type RunOptions, type RunResult } from "./runner.ts";
import { assertKnownOptions, type OptionNames } from "../options.ts";

/** How to verify a report. */
export interface VerifyOptions extends Omit<RunOptions, "parameters" | "output" | "name"> {
  /** Another notebook to run instead of the one that the report carries. */
  notebook?: Notebook;
  /** The relative tolerance of numbers if the manifests differ; 1e-3 by default. */
  relative?: number;
  /**
   * Where the runtime of a version of Tunebook is, to render pages of other versions; the
   * registry's by default.
   */
  moduleOf?: (version: string) => string;
}

const { parameters: _parameters, output: _output, name: _name, ...RUNNING } = RUN_OPTIONS;
const VERIFY_OPTIONS: OptionNames<VerifyOptions> = {
  ...RUNNING,
  notebook: true,
  relative: true,
  moduleOf: true,
};

/** What a verification found. */
export interface Verdict {
  /**
   * `"same"`: the page shows its notebook, and every output was reproduced. `"same but for"`: the
   * same, except for `exceptions`. `"different"`: something on the page does not follow from its
   * code. `"unknown"`: the version that rendered the page was not available, so the expected page
   * is not known.
   */
  verdict: "same" | "same but for" | "different" | "unknown";
  /** Whether the verdict is `"same"`. */
  same: boolean;
  /** Whether equal bits were asked for: nothing that decides them has changed. */
  exact: boolean;
  /** What the page shows that its notebook does not give, or why that cannot be told. */
  page: PageVerdict;
  /** What in the notebook or the manifest is not as it was when the run ended. */
  tampered: string[];
  /** What is excused, a phrase each: cells by name, changes of the record, a style sheet. */
  exceptions: string[];
  /** What has changed since the report was made. */
  changes: Change[];
  /** Each code cell; empty if the page differs, because nothing is run then. */
  cells: CellComparison[];
  /** The new run; undefined if the page differs. */
  run?: RunResult;
}

/**
 * Verifies a report.
 *
 * The page is rendered again from the notebook and the manifest that it carries, and compared byte for
 * byte. Then the notebook is run. Where code, parameters, data, weights, versions and machine are as
 * the manifest says, outputs must be bit-identical; otherwise numbers may differ by a relative
 * 1e-3. What is excused (cells tagged `timing` among it) is named in the verdict, which is never
 * `"same"` then. Replies of judges are taken from the manifest.
 *
 * @param html The report's text.
 * @param options How to run it; `sandbox` for a stranger's.
 * @returns What differs and what has changed.
 * @throws {SyntaxError} If the text is not a report, or carries no notebook or no manifest.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseNotebook, renderReport, runNotebook, verifyReport } from "tunebook/runtime";
 *
 * const notebook = parseNotebook(`{
 *   "nbformat": 4, "nbformat_minor": 5, "metadata": {},
 *   "cells": [{
 *     "cell_type": "code", "id": "a", "metadata": {},
 *     "execution_count": null, "outputs": [], "source": "1 + 1"
 *   }]
 * }`);
 * const run = await runNotebook(notebook, { name: "sum.ipynb" });
 * const { verdict } = await verifyReport(await renderReport(run.notebook));
 * assertEquals(verdict, "same");
 * ```
 */
export async function verifyReport(html: string, options: VerifyOptions = {}): Promise<Verdict> {
  assertKnownOptions("verify a report", options, VERIFY_OPTIONS);
  const report = complete(await readReport(html));
  const { manifest } = report;
  const before = report.notebook;
  const { relative, notebook = withoutInjected(before, manifest), moduleOf, ...more } = options;
  const page = await checkPage(html, report, moduleOf);
  if (page.verdict === "differs") return judge(report, page, undefined, {});
  await using replies = await replayFile(manifest);
  const run = await runNotebook(notebook, {
    ...more,
    name: manifest.notebook.name,
    parameters: manifest.parameters,
    env: { ...more.env, ...replies.env },
    sandbox: more.sandbox && {
      ...more.sandbox,
      read: [...more.sandbox.read ?? [], ...replies.files],
    },
    allowErrors: ranOn(before, manifest),
  });
  return judge(report, page, run, { relative, own: options.notebook === undefined });
}

/**
 * Reaches the verdict on a report.
 *
 * @param report What the report carries.
 * @param page What came of rendering its page again.
 * @param run The new run; undefined where there was none, since the page differs.
 * @param options How near numbers must be where the manifests differ, and whether it was the report's own
 *   notebook that was run.
 */
export async function judge(
  report: CompleteReport,
  page: PageVerdict,
  run: RunResult | undefined,
  { relative = 1e-3, own = true }: { relative?: number; own?: boolean },
): Promise<Verdict> {
  const { notebook, manifest, settings } = report;
  const tampered = await tamperedParts(notebook, manifest);
  if (run === undefined) {
    const verdict = page.verdict === "unknown" ? "unknown" : "different";
    const none = { changes: [], cells: [], exceptions: [] };
    return { verdict, same: false, exact: false, page, tampered, ...none };
  }
  const changes = compareManifests(manifest, run.manifest);
  const exact = changes.length === 0;
  const again = parseNotebook(formatNotebook(run.notebook)); // as a file holds it
  const cells = compareNotebooks(notebook, again, { relative: exact ? 0 : relative });
  const exceptions = [
    ...cells.filter(({ verdict }) => verdict === "excused").map(nameOf),
    ...tampered,
    ...page.verdict === "same" && page.by
      ? [`the page says that it was rendered by ${page.by}`]
      : [],
    ...settings.theme ? ["the page has a style sheet of its own"] : [],
    ...repliesOf(manifest),
  ];
  // The cell of parameters is the run's own; all others are those that the report carries.
  const sameCells = !own || writtenCells(notebook) === writtenCells(again);
  if (!sameCells) tampered.push("the cell of parameters is not the one that a run puts in");
  const madeAgain = sameCells &&
    cells.every(({ verdict }) => verdict === "same" || verdict === "excused");
  const verdict = !madeAgain || page.verdict === "differs"
    ? "different"
    : page.verdict === "unknown"
    ? "unknown"
    : exceptions.length > 0
    ? "same but for"
    : "same";
  const same = verdict === "same";
  return { verdict, same, exact, page, tampered, exceptions, changes, cells, run };
}

/** What judges said is taken from the report: no run can make it again. */
function repliesOf({ provenance }: Manifest): string[] {
  const judges = provenance.filter(({ kind }) => kind === "judge");
  return judges.length === 0 ? [] : [
    `replies of ${
      judges.length === 1 ? "a judge are" : `${judges.length} judges are`
    } the report's own`,
  ];
}

const nameOf = ({ cell, title, excuse }: CellComparison) => `cell ${cell} (${title}): ${excuse}`;

/** What is not as it was when the run ended. */
async function tamperedParts(notebook: Notebook, manifest: Manifest): Promise<string[]> {
  const parts: string[] = [];
  if (await authoredHash(notebook) !== manifest.notebook.sha256) {
    parts.push("the notebook's code or text was changed after the run");
  }
  const left = notebook.metadata.tunebook;
  const embedded = left === undefined ? "" : JSON.stringify(sorted(left));
  if (embedded !== JSON.stringify(sorted(manifest))) {
    parts.push("the page's manifest is not the notebook's");
  }
  if (manifest.record === undefined) parts.push("the run was not recorded to its end");
  else if (await recordHash(notebook, manifest) !== manifest.record && parts.length === 0) {
    parts.push("outputs or what was recorded were changed after the run");
  }
  return parts;
}

/** A JSON value with its keys in order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1)
    .map(([key, item]) => [key, sorted(item)]);
}

/** What {@linkcode diffReports} found. */
export interface ReportDifference {
  /** What is wrong with a page: it shows something else than its notebook gives, or nobody can tell. */
  pages: string[];
  /** What was different in how they were made. */
  changes: Change[];
  /** Each code cell. */
  cells: CellComparison[];
}

/**
 * Compares two reports: their inputs and their results. Each page is held to its own
 * notebook, as {@linkcode verifyReport} does.
 *
 * @param before One report's text. @param after The other's.
 * @param options How near numbers must be, relative; 0 by default.
 * @throws {SyntaxError} If one is not a report, or carries no notebook or no manifest.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { diffReports, parseNotebook, renderReport, runNotebook } from "tunebook/runtime";
 *
 * const notebook = parseNotebook(`{
 *   "nbformat": 4, "nbformat_minor": 5, "metadata": {},
 *   "cells": [{
 *     "cell_type": "code", "id": "a", "metadata": {},
 *     "execution_count": null, "outputs": [], "source": "1 + 1"
 *   }]
 * }`);
 * const run = await runNotebook(notebook, { name: "sum.ipynb" });
 * const report = await renderReport(run.notebook);
 * const { changes, cells } = await diffReports(report, report);
 * assertEquals([changes, cells.map(({ verdict }) => verdict)], [[], ["same"]]);
 * ```
 */
export async function diffReports(
  before: string,
  after: string,
  options: { relative?: number } = {},
): Promise<ReportDifference> {
  assertKnownOptions("compare reports", options, { relative: true });
  const [a, b] = (await Promise.all([before, after].map(readReport))).map(complete);
  const pages: string[] = [];
  for (const [name, html, report] of [["first", before, a], ["second", after, b]] as const) {
    const page = await checkPage(html, report);
    if (page.verdict === "differs") {
      pages.push(`the ${name} page does not show what its notebook gives: ${page.difference}`);
    } else if (page.verdict === "unknown") {
      pages.push(`the ${name} page may show anything: ${page.reason}`);
    }
    const tampered = await tamperedParts(report.notebook, report.manifest);
    pages.push(...tampered.map((what) => `the ${name} report: ${what}`));
  }
  for (const key of ["title", "code", "theme"] as const) {
    if (a.settings[key] !== b.settings[key]) pages.push(`the pages' setting "${key}" differs`);
  }
  return {
    pages,
    changes: compareManifests(a.manifest, b.manifest),
    cells: compareNotebooks(a.notebook, b.notebook, { relative: options.relative ?? 0 }),
  };
}

function complete(
  { notebook, manifest, settings }: Partial<CompleteReport>,
): CompleteReport {
  if (notebook === undefined || manifest === undefined || settings === undefined) {
    const missing = notebook === undefined
      ? "notebook"
      : manifest === undefined
      ? "manifest"
      : "record of who rendered it";
    throw new SyntaxError(`Cannot compare the report: it carries no ${missing}`);
  }
  return { notebook, manifest, settings };
}

/** Whether the first run continued after a cell that failed. */
function ranOn(notebook: Notebook, manifest: Manifest): boolean {
  const order = manifest.cells.map(({ id }) => id);
  return notebook.cells.some((cell) =>
    cell.cell_type === "code" && !hasTag(cell, "raises-exception") &&
    cell.outputs.some(({ output_type }) => output_type === "error") &&
    order.includes(cell.id) && order.indexOf(cell.id) < order.length - 1
  );
}

/** The notebook as it was before the run put parameters in. */
function withoutInjected(notebook: Notebook, { parameters }: Manifest): Notebook {
  const copy = clearedNotebook(notebook);
  if (Object.keys(parameters).length > 0) {
    copy.cells = copy.cells.filter((cell) => !isInjected(cell));
  }
  return copy;
}

/** The cells of a notebook as they were written, as text. */
const writtenCells = (notebook: Notebook) =>
  formatNotebook({ ...clearedNotebook(notebook), metadata: {} });

/** Judges' replies of the first run, in a file that the library's judges read. */
async function replayFile(
  { provenance }: Manifest,
): Promise<{ env: Record<string, string>; files: string[] } & AsyncDisposable> {
  const entries = provenance.filter(({ kind }) => kind === "judge");
  if (entries.length === 0) return { env: {}, files: [], async [Symbol.asyncDispose]() {} };
  const path = await Deno.makeTempFile({ prefix: "tunebook-replay-", suffix: ".json" });
  await Deno.writeTextFile(path, JSON.stringify(entries));
  return {
    env: { TUNEBOOK_REPLAY: path },
    files: [path],
    [Symbol.asyncDispose]: () => Deno.remove(path),
  };
}
