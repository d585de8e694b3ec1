// Running one point of a sweep, unless it has been run.

import { dirname } from "@std/path/dirname";
import { join } from "@std/path/join";
import { resolve } from "@std/path/resolve";
import { type FolderLock, lockFolder } from "../../folder_lock.ts";
import { VERSION } from "../../runtime/library.ts";
import { localModules } from "../../runtime/local_modules.ts";
import { authoredHash, libraryHash } from "../../runtime/new_manifest.ts";
import { readNotebook } from "../../runtime/notebook.ts";
import { renderReport } from "../../runtime/report/mod.ts";
import { runNotebook, type RunOptions } from "../../runtime/runner.ts";
import { writeFileBeside } from "../../write_beside.ts";
import type { Point } from "./points.ts";

/** Whether a point has its report. */
export interface PointResult {
  /** Whether it was run now, had been run, is being run by another process, or failed. */
  readonly state: "ran" | "finished" | "busy" | "failed";
  /** Its report; none of one that another process runs. */
  readonly report?: string;
  /** Why it failed. */
  readonly message?: string;
}

/** `result.json` of a finished point. */
interface Finished {
  /** What decides its results. */
  readonly inputs: Record<string, unknown>;
  /** Seconds that it took. */
  readonly seconds: number;
}

/**
 * Runs a point, unless its folder holds a report of the same notebook, modules and parameters by the same versions.
 *
 * @param path The notebook.
 * @param point The point.
 * @param folder The point's folder.
 * @param options Limits and progress of the run.
 * @returns Whether it has its report now, and why not.
 */
export async function runPoint(
  path: string,
  { parameters }: Point,
  folder: string,
  options: Omit<RunOptions, "parameters" | "output"> = {},
): Promise<PointResult> {
  const report = join(folder, "report.html");
  const result = join(folder, "result.json");
  const lock = await lockPoint(folder);
  if (typeof lock === "string") return { state: "busy", message: lock };
  await using _ = lock;
  const inputs = await inputsOf(path, parameters);
  if (await isFinished(result, report, inputs)) return { state: "finished", report };
  if (options.signal?.aborted) return { state: "failed", message: "it was stopped" };
  await Deno.remove(result).catch(() => {});
  const started = performance.now();
  const { notebook, manifest, failure, ok } = await runNotebook(path, { ...options, parameters });
  await writeFileBeside(report, await renderReport(notebook, { manifest }));
  if (!ok) {
    return { state: "failed", report, message: failure?.summary ?? "it did not reach its end" };
  }
  // The last file: without it the point is run again.
  const finished: Finished = { inputs, seconds: (performance.now() - started) / 1000 };
  await writeFileBeside(result, `${JSON.stringify(finished, null, 2)}\n`);
  return { state: "ran", report };
}

/** The lock of a point's folder; a sentence where another process has it. */
async function lockPoint(folder: string): Promise<FolderLock | string> {
  try {
    return await lockFolder(folder, { verb: "run a point", work: "sweep" });
  } catch (error) {
    if (error instanceof Deno.errors.Busy) return error.message;
    throw error;
  }
}

async function inputsOf(
  path: string,
  parameters: Readonly<Record<string, unknown>>,
): Promise<Record<string, unknown>> {
  const notebook = await readNotebook(path);
  return {
    notebook: await authoredHash(notebook),
    modules: await localModules(notebook, dirname(resolve(path))),
    parameters,
    tunebook: VERSION,
    library: await libraryHash() ?? null,
    deno: Deno.version.deno,
  };
}

async function isFinished(
  result: string,
  report: string,
  inputs: Record<string, unknown>,
): Promise<boolean> {
  try {
    const before: Finished = JSON.parse(await Deno.readTextFile(result));
    await Deno.stat(report);
    return JSON.stringify(before.inputs) === JSON.stringify(inputs);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof SyntaxError) return false;
    throw error;
  }
}
