// Whether a report's outputs can be made again: runs the notebook that the report carries with the
// parameters that its manifest names, and says what differs and what has changed since.

import { type Change, compareManifests } from "./compare/manifests.ts";
import { type CellComparison, compareNotebooks } from "./compare/notebooks.ts";
import type { Manifest } from "./manifest.ts";
import { clearedNotebook } from "./new_manifest.ts";
import type { Notebook } from "./notebook.ts";
import { hasTag, INJECTED_TAG } from "./parameters.ts";
import { type EmbeddedReport, readReport } from "./report/embedded.ts";
import { runNotebook, type RunOptions, type RunResult } from "./runner.ts";

/** How to verify a report. */
export interface VerifyOptions extends Omit<RunOptions, "parameters" | "output" | "name"> {
  /** Another notebook to run instead of the one that the report carries. */
  notebook?: Notebook;
  /** How near numbers must be where the manifests differ, relative; 1e-3 if not said. */
  relative?: number;
}

/** What a verification found. */
export interface Verdict {
  /** Whether every output was made again, apart from excused ones. */
  same: boolean;
  /** Whether equal bits were asked for: nothing that decides them has changed. */
  exact: boolean;
  /** What has changed since the report was made. */
  changes: Change[];
  /** Each code cell. */
  cells: CellComparison[];
  /** The new run. */
  run: RunResult;
}

/**
 * Verifies a report.
 *
 * Where code, parameters, data, weights, versions and machine are as the manifest says, outputs must
 * be the same to the bit; else numbers may differ by 1e-3 of themselves. Cells tagged `timing` are
 * excused. Replies of judges are taken from the manifest.
 *
 * @param html The report's text.
 * @param options How to run it; `sandbox` for a stranger's.
 * @returns What differs and what has changed.
 * @throws {SyntaxError} If the text is no report, or carries no notebook or no manifest.
 */
export async function verifyReport(html: string, options: VerifyOptions = {}): Promise<Verdict> {
  const { notebook: before, manifest } = complete(await readReport(html));
  const { relative = 1e-3, notebook = withoutInjected(before), ...more } = options;
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
    allowErrors: true,
  });
  const changes = compareManifests(manifest, run.manifest);
  const exact = changes.length === 0;
  const cells = compareNotebooks(before, run.notebook, { relative: exact ? 0 : relative });
  const same = cells.every(({ verdict }) => verdict === "same" || verdict === "excused");
  return { same, exact, changes, cells, run };
}

/** What {@linkcode diffReports} found. */
export interface ReportDifference {
  /** What was different in how they were made. */
  changes: Change[];
  /** Each code cell. */
  cells: CellComparison[];
}

/**
 * Compares two reports: what they were made from, and what came of it.
 *
 * @param before One report's text. @param after The other's.
 * @param options How near numbers must be, relative; 0 if not said.
 * @throws {SyntaxError} If one is no report, or carries no notebook or no manifest.
 */
export async function diffReports(
  before: string,
  after: string,
  options: { relative?: number } = {},
): Promise<ReportDifference> {
  const [a, b] = (await Promise.all([before, after].map(readReport))).map(complete);
  return {
    changes: compareManifests(a.manifest, b.manifest),
    cells: compareNotebooks(a.notebook, b.notebook, { relative: options.relative ?? 0 }),
  };
}

function complete({ notebook, manifest }: EmbeddedReport): Required<EmbeddedReport> {
  const missing = notebook === undefined ? "notebook" : "manifest";
  if (notebook === undefined || manifest === undefined) {
    throw new SyntaxError(`Cannot compare the report: it carries no ${missing}`);
  }
  return { notebook, manifest };
}

/** The notebook as it was before the run put parameters in. */
function withoutInjected(notebook: Notebook): Notebook {
  const copy = clearedNotebook(notebook);
  copy.cells = copy.cells.filter((cell) => !hasTag(cell, INJECTED_TAG));
  return copy;
}

/** Judges' replies of the first run, in a file that the library's judges are told of. */
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
