// Runs a notebook from top to bottom on a kernel of its own.

import { basename } from "@std/path/basename";
import { dirname } from "@std/path/dirname";
import { join } from "@std/path/join";
import { resolve } from "@std/path/resolve";
import { CellCache } from "./cell_cache/mod.ts";
import type { CellError } from "./cell_error.ts";
import type { KernelLauncher } from "./kernel.ts";
import { localModules } from "./local_modules.ts";
import type { Manifest, ProvenanceEntry } from "./manifest.ts";
import { clearedNotebook, manifestCell, newManifest, recordHash } from "./new_manifest.ts";
import { type CodeCell, type Notebook, readNotebook, writeNotebook } from "./notebook.ts";
import type { OutputMessage } from "./outputs.ts";
import { hasTag, injectParameters } from "./parameters.ts";
import type { SandboxOptions } from "./sandbox/walls.ts";
import { Saver } from "./saver.ts";
import { type CellTest, type ExecuteResult, Session } from "./session.ts";
import { assertKnownOptions, type OptionNames } from "../options.ts";
import { SANDBOX_OPTIONS } from "./sandbox/walls.ts";

/** The default limit of a notebook's output in bytes, because all of it is kept in memory. */
const MAX_OUTPUT = 256 * 2 ** 20;

/** Events of a run. Code cells are numbered from 1. */
export type RunProgress =
  | { type: "start"; cells: number }
  | { type: "cell"; cell: number; cells: number; id: string; source: string }
  | { type: "output"; cell: number; cells: number; message: OutputMessage }
  | {
    type: "cell-end";
    cell: number;
    cells: number;
    status: ExecuteResult["status"] | "skipped" | "restored";
    seconds: number;
    /** For a cell tagged `cache`: what was done, and why. */
    cache?: string;
  };

/** How to run a notebook. */
export interface RunOptions {
  /** Values for the parameters that the notebook declares. */
  parameters?: Record<string, unknown>;
  /** Seconds after which a cell is stopped. */
  timeout?: number;
  /** Seconds after which the run is stopped, in whichever cell it is. */
  totalTimeout?: number;
  /** Whether to continue after a cell that failed. */
  allowErrors?: boolean;
  /** Stops the run; results so far are kept. */
  signal?: AbortSignal;
  /** The kernel's working directory; the notebook's folder by default. */
  cwd?: string;
  /** The name of a notebook that was not read from a file. */
  name?: string;
  /** The path of a notebook that was not read from a file, for `import.meta` in cells. */
  path?: string;
  /**
   * Whether unchanged cells tagged `cache` are restored, and training runs in them resume from
   * their checkpoints. The results of such cells are kept in any case.
   */
  resume?: boolean;
  /** Where results of cells tagged `cache` are kept; the user's cache folder by default. */
  cacheFolder?: string;
  /** Runs the kernel in a sandbox: no network, named files only, bounded memory, disk and time. */
  sandbox?: SandboxOptions;
  /** Changes the command that starts the kernel. */
  launcher?: KernelLauncher;
  /**
   * Where to write the executed notebook: every few seconds while a cell has output, after each cell, and when a cell fails
   * too.
   */
  output?: string;
  /**
   * The output in bytes after which the notebook is stopped; 256 MiB by default, 32 MiB in a
   * sandbox.
   */
  maxOutput?: number;
  /** Environment variables for the kernel. */
  env?: Record<string, string>;
  /**
   * Called with the session before the first cell. What it returns is disposed of after the last one, before the kernel
   * ends. A kernel that ends earlier is not replaced.
   */
  prepare?: (session: Session) => Promise<Prepared>;
  /** Called with events of the run. */
  onProgress?: (progress: RunProgress) => void;
}

/** What was prepared in a kernel before its first cell. */
export interface Prepared extends AsyncDisposable {
  /** The facts that the preparation recorded for the manifest. */
  readonly provenance: readonly ProvenanceEntry[];
}

/** The names of {@linkcode RunOptions}. */
export const RUN_OPTIONS: OptionNames<RunOptions> = {
  parameters: true,
  timeout: true,
  totalTimeout: true,
  allowErrors: true,
  signal: true,
  cwd: true,
  name: true,
  path: true,
  resume: true,
  cacheFolder: true,
  sandbox: true,
  launcher: true,
  output: true,
  env: true,
  onProgress: true,
  maxOutput: true,
  prepare: true,
};

/** The cell that ended a run. */
export interface RunFailure {
  /** Its place among the code cells, from 1. */
  cell: number;
  /** Its id. */
  id: string;
  /** The line of the cell, from 1, if known. */
  line?: number;
  /** The error's name, for example `"TypeError"`. */
  name: string;
  /** The message of the error. */
  message: string;
  /** One sentence that names notebook, cell, line and error. */
  summary: string;
}

/** The result of a run. */
export interface RunResult {
  /** The notebook with its outputs so far. */
  notebook: Notebook;
  /** The manifest of the run; also in the notebook, as `metadata.tunebook`. */
  manifest: Manifest;
  /** Whether every cell succeeded, or failed as its tag `raises-exception` allows. */
  ok: boolean;
  /** The first cell that failed. */
  failure?: RunFailure;
  /** All cells that failed, in order; more than one only if errors are allowed. */
  failures?: RunFailure[];
  /** Tests that cells have registered with `Deno.test`, by the cells' ids. */
  tests?: Record<string, CellTest[]>;
  /** Warnings about output that may be missing although no cell failed, one sentence each. */
  warnings?: string[];
}

/** How long timers may be pending after the last cell, in milliseconds. */
const SETTLE = 2000;

/**
 * Runs a notebook on a Deno kernel of its own.
 *
 * Cells run in order until one fails. A cell tagged `skip` is left out; one tagged
 * `raises-exception` may fail. Stored outputs are cleared first; the notebook given is not changed.
 *
 * @param source A path, or a notebook.
 * @param options Parameters, limits, where to write.
 * @returns The executed notebook; a failing cell does not throw.
 * @throws {SyntaxError} If the file holds no notebook.
 * @throws {RangeError} If a parameter is not one of the notebook's.
 *
 * @example
 * ```ts
 * import { parseNotebook, runNotebook } from "tunebook/runtime";
 * import { assertEquals } from "@std/assert";
 *
 * const notebook = parseNotebook(`{
 *   "nbformat": 4, "nbformat_minor": 5, "metadata": {},
 *   "cells": [{ "cell_type": "code", "id": "a", "metadata": {}, "source": "throw new Error('no')",
 *     "execution_count": null, "outputs": [] }]
 * }`);
 * const { ok, failure } = await runNotebook(notebook, { name: "book.ipynb" });
 * assertEquals(ok, false);
 * assertEquals(failure?.summary, "book.ipynb, cell 1, line 1: Error: no");
 * ```
 */
export async function runNotebook(
  source: string | Notebook,
  options: RunOptions = {},
): Promise<RunResult> {
  assertKnownOptions("run a notebook", options, RUN_OPTIONS);
  assertKnownOptions("run in a sandbox", options.sandbox, SANDBOX_OPTIONS);
  const path = typeof source === "string" ? source : options.path;
  const given = typeof source === "string" ? await readNotebook(source) : source;
  const name = options.name ?? (path === undefined ? "notebook" : basename(path));
  const { sandbox, output } = options;
  if (sandbox === undefined) {
    const save = (notebook: Notebook) =>
      output === undefined ? Promise.resolve() : writeNotebook(output, notebook);
    return await runCells(given, { ...options, name, path, save });
  }
  if (options.prepare) throw new TypeError("Cannot prepare a kernel in a sandbox");
  const { runInSandbox } = await import("./sandbox/outer.ts");
  injectParameters(given, options.parameters ?? {}); // Wrong parameters are reported before anything is built.
  const cwd = options.cwd ?? (path === undefined ? Deno.cwd() : dirname(resolve(path)));
  const at = resolve(path ?? join(cwd, name));
  return await runInSandbox({
    notebook: given,
    name,
    path: at,
    cwd,
    options: { ...options, sandbox },
  });
}

/** Options of {@linkcode runCells} besides those of {@linkcode runNotebook}. */
export interface CellsOptions extends Omit<RunOptions, "sandbox" | "output"> {
  /** Code that the kernel runs before any cell. */
  lock?: string;
  /** Called with the notebook while cells have output, after each cell, and at the end; never while it is under way. */
  save: (notebook: Notebook) => Promise<void>;
}

/**
 * Runs a notebook on a kernel of this process, behind a wall where the launcher builds one.
 *
 * @param given The notebook; not changed.
 * @param options As for `runNotebook()`.
 */
export async function runCells(given: Notebook, options: CellsOptions): Promise<RunResult> {
  const { path, parameters = {} } = options;
  const name = options.name ?? "notebook";
  assertLanguage(given, name);
  const notebook = clearedNotebook(injectParameters(given, parameters));
  const cwd = options.cwd ?? (path === undefined ? Deno.cwd() : dirname(resolve(path)));
  const manifest = await newManifest(given, name, parameters);
  const modules = await localModules(notebook, cwd);
  if (Object.keys(modules).length > 0) manifest.modules = modules;
  notebook.metadata.tunebook = manifest;
  const run: RunResult = { notebook, manifest, ok: true };
  const saver = new Saver(() => options.save(notebook));

  const fail = (number: number, cell: CodeCell, error: CellError) => {
    run.ok = false;
    const place = `cell ${number}${error.line ? `, line ${error.line}` : ""}`;
    const failure = {
      cell: number,
      id: cell.id,
      line: error.line,
      name: error.name,
      message: error.message,
      summary: `${name}, ${place}: ${error.name}: ${error.message}`,
    };
    run.failure ??= failure;
    (run.failures ??= []).push(failure);
  };

  /** Work that a cell left behind has failed, after the cell had ended well. */
  const late = (number: number, cell: CodeCell, { type, content }: OutputMessage) => {
    if (type !== "error" || hasTag(cell, "raises-exception")) return;
    const { ename: name, evalue: message, traceback } = content;
    fail(number, cell, { name, message, traceback });
  };

  const cells = notebook.cells.filter((cell) => cell.cell_type === "code");
  let last: { number: number; cell: CodeCell } | undefined;
  await using session = await Session.start({
    cwd,
    // What a model's record says of the program that made it.
    env: { TUNEBOOK_NOTEBOOK: resolve(path ?? join(cwd, name)), ...options.env },
    launcher: options.launcher,
    lock: options.lock,
    maxOutput: options.maxOutput ?? MAX_OUTPUT,
    path: path ?? resolve(cwd, name),
    onLateOutput: (message) => last && late(last.number, last.cell, message),
  });
  setLanguage(notebook, session.languageInfo);
  const prepared = await options.prepare?.(session);
  manifest.provenance.push(...prepared?.provenance ?? []);
  options.onProgress?.({ type: "start", cells: cells.length });
  using limit = totalLimit(options);
  const runs = (cell: CodeCell) => !hasTag(cell, "skip") && cell.source.trim() !== "";
  const cache = await CellCache.open({
    session,
    manifest,
    cells: cells.filter(runs),
    notebook: path ?? resolve(cwd, name),
    cwd,
    // Nothing of an untrusted notebook outlives its run.
    enabled: options.launcher === undefined,
    resume: options.resume ?? false,
    folder: options.cacheFolder,
  });
  try {
    for (const [index, cell] of cells.entries()) {
      const at = { cell: index + 1, cells: cells.length };
      if (!runs(cell)) {
        options.onProgress?.({ type: "cell-end", ...at, status: "skipped", seconds: 0 });
        continue;
      }
      if (!run.ok && !options.allowErrors) break;
      options.onProgress?.({ type: "cell", ...at, id: cell.id, source: cell.source });
      last = { number: at.cell, cell };
      const execute = (code: string) =>
        session.execute(code, {
          // The array itself, so that late output and updates of displays reach it too.
          outputs: cell.outputs = [],
          label: `cell ${at.cell}`,
          timeout: options.timeout,
          signal: limit.signal,
          onOutput: (message) => {
            options.onProgress?.({ type: "output", ...at, message });
            saver.saveSoon();
          },
          onLateOutput: (message) => late(at.cell, cell, message),
        });
      const result = await cache.execute(cell, execute);
      if (result.status === "stopped" && limit.passed()) {
        blameLimit(result, options.totalTimeout!, at.cell);
      }
      cell.outputs = result.outputs; // others where they were restored
      cell.execution_count = result.executionCount;
      manifest.provenance.push(...result.provenance);
      if (result.tests !== undefined) (run.tests ??= {})[cell.id] = result.tests;
      const { status, seconds, error, executionCount } = result;
      const { cache: said, restored } = result;
      const entry = await manifestCell(cell.id, cell.source, executionCount, seconds);
      manifest.cells.push(restored ? { ...entry, restored } : entry);
      const expected = status === "error" && hasTag(cell, "raises-exception");
      if (error !== undefined && !expected) fail(at.cell, cell, error);
      const ended = restored ? "restored" : status;
      options.onProgress?.({ type: "cell-end", ...at, status: ended, seconds, cache: said });
      await saver.save();
      if (limit.signal.aborted || session.flooded) break;
      if (prepared && session.ended) break;
    }
    const pending = limit.signal.aborted ? 0 : await session.settle(SETTLE);
    if (pending > 0) {
      const timers = pending === 1 ? "1 timer was" : `${pending} timers were`;
      (run.warnings ??= []).push(
        `${timers} still pending ${SETTLE / 1000} s after the last cell of ${name}; ` +
          "any output to come is missing",
      );
    }
  } finally {
    if (!session.ended) await prepared?.[Symbol.asyncDispose]();
    // Nothing may be added to what has been recorded.
    await session[Symbol.asyncDispose]();
    manifest.record = await recordHash(notebook, manifest);
    await saver.save();
  }
  return run;
}

/** The caller's signal and the time limit of the whole run as one signal. */
function totalLimit({ signal, totalTimeout }: RunOptions) {
  const limit = new AbortController();
  const timer = totalTimeout === undefined
    ? undefined
    : setTimeout(() => limit.abort(), totalTimeout * 1000);
  return {
    signal: signal === undefined ? limit.signal : AbortSignal.any([signal, limit.signal]),
    passed: () => limit.signal.aborted && !signal?.aborted,
    [Symbol.dispose]: () => clearTimeout(timer),
  };
}

/** The error of a cell that was stopped by the run's time limit. */
function blameLimit(result: ExecuteResult, seconds: number, cell: number) {
  const message = `The notebook ran longer than its limit of ${seconds} s and was stopped in ` +
    `cell ${cell}`;
  const traceback = [`TimeoutError: ${message}`];
  result.status = "timeout";
  result.error = { ...result.error, name: "TimeoutError", message, traceback };
  const shown = result.outputs.findLast((output) => output.output_type === "error");
  if (shown !== undefined) {
    Object.assign(shown, { ename: "TimeoutError", evalue: message, traceback });
  }
}

/** Refuses a notebook of another language than the kernel's. */
function assertLanguage({ metadata }: Notebook, name: string) {
  const { kernelspec, language_info } = metadata;
  const language = language_info?.name ?? kernelspec?.language;
  if (language === undefined || /^(?:typescript|javascript|jsx|tsx|deno)$/i.test(language)) return;
  const kernel = kernelspec === undefined ? "" : ` (kernel "${kernelspec.name}")`;
  throw new TypeError(
    `Cannot run "${name}": it is a notebook for ${language}${kernel}, expected TypeScript or JavaScript`,
  );
}

/** Records in the notebook's metadata which kernel ran it. */
function setLanguage(notebook: Notebook, languageInfo: Record<string, unknown>) {
  notebook.metadata.kernelspec ??= { name: "deno", display_name: "Deno", language: "typescript" };
  if (typeof languageInfo.name === "string") {
    notebook.metadata.language_info = languageInfo as { name: string };
  }
}
