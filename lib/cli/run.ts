// `tunebook run`: runs notebooks headless, with parameters, and writes the results.

import { pooledMap } from "@std/async/pool";
import { basename } from "@std/path/basename";
import type { Command } from "commander";
import { formatJUnit } from "../runtime/junit.ts";
import { readNotebook } from "../runtime/notebook.ts";
import { suiteOf } from "../runtime/run_suite.ts";
import { runNotebook, type RunOptions, type RunResult } from "../runtime/runner.ts";
import { writeFileBeside } from "../write_beside.ts";
import { readCount } from "./arguments.ts";
import { FORWARDED, onInterrupt } from "./interrupt.ts";
import { findLaunch } from "../mpi/launch.ts";
import { assertShareable, followNotebook, joinInKernel } from "./notebook_ranks.ts";
import { limitOptions, parameterOptions, parametersFor, placeFor } from "./run_options.ts";
import { printOutputs } from "./print_outputs.ts";
import { RunView } from "./run_view.ts";
import { sandboxHints } from "./sandbox_hint.ts";
import { openSandbox, type SandboxFlags, sandboxOptions } from "./sandbox_options.ts";

interface Options extends SandboxFlags {
  sandbox: boolean;
  resume: boolean;
  cache?: string;
  parameter: string[];
  parameters: string[];
  output?: string;
  html?: string;
  md?: string;
  theme?: string;
  junit?: string;
  timeout?: number;
  totalTimeout?: number;
  jobs: number;
  allowErrors: boolean;
  cwd?: string;
  json: boolean;
}

/** The result of one notebook of the command line. */
interface Ran {
  notebook: string;
  output?: string;
  html?: string;
  md?: string;
  seconds: number;
  result?: RunResult;
  /** Why it could not be run at all. */
  error?: Error;
}

/** Adds the subcommand. */
export function register(program: Command): void {
  const command = program.command("run")
    .summary("run notebooks on the Deno kernel, and make reports")
    .description(
      "Runs notebooks from top to bottom on the real Deno kernel, and shows the running cell. " +
        'The notebook files are not changed. A cell tagged "skip" is left out; one tagged ' +
        '"raises-exception" may fail; one tagged "remove-input" or "remove-output" is left out of reports ' +
        "in that part. Exit code 0: all cells succeeded; 1: one failed (the " +
        "outputs so far are still written); 2: the command line is wrong. Under mpirun or srun, rank 0 runs " +
        "the notebook, and the other ranks take part in its trainings.",
    )
    .argument("<notebook...>", "the .ipynb files");
  parameterOptions(command)
    .option(
      "--output <file>",
      "write the executed notebook, after each cell and every few seconds within one",
    )
    .option("--html <file>", "write a report: one HTML file that opens anywhere, offline")
    .option("--theme <file>", "a style sheet in addition to the report's own")
    .option("--md <file>", "write a Markdown report, with its pictures in a folder next to it")
    .option("--junit <file>", "write JUnit's XML: a suite for each notebook, a case for each cell");
  limitOptions(command)
    .option(
      "--resume",
      'restore unchanged cells tagged "cache"; their training runs resume from checkpoints',
      false,
    )
    .option("--cache <folder>", 'where results of cells tagged "cache" are kept')
    .option(
      "--sandbox",
      "run an untrusted notebook: no network, only named files, bounded memory, disk and time; fails " +
        "if this system cannot enforce all limits",
      false,
    );
  sandboxOptions(command)
    .option("--jobs <n>", "with several notebooks: how many to run at a time", readCount, 1)
    .option("--allow-errors", "continue after a cell that failed", false)
    .option("--cwd <folder>", "the cells' working directory (default: the notebook's folder)")
    .option("--json", "print one JSON document on standard output, and nothing else there", false)
    .addHelpText(
      "after",
      "\nWith several notebooks, --output, --html and --md are folders.\n\nExamples:\n" +
        "  tunebook run book.ipynb -p epochs=2 --output out/book.ipynb --html out/book.html\n" +
        "  tunebook run a.ipynb b.ipynb --jobs 2 --parameters small.yaml --junit out/results.xml\n" +
        "  tunebook run stranger.ipynb --sandbox --allow-read data.csv --html out/stranger.html",
    )
    .action(run);
}

async function run(paths: string[], options: Options): Promise<void> {
  const say = (text: string) => console.error(text);
  const several = paths.length > 1;
  const launch = findLaunch();
  if (launch) assertShareable(launch, several, options.sandbox);
  if (launch && launch.rank > 0) return await followNotebook();
  using interrupt = onInterrupt(
    () => say("Stopping; press Ctrl-C again to end at once"),
    launch ? [FORWARDED] : [],
  );
  if (options.sandbox && options.resume) {
    throw new TypeError("Cannot resume in a sandbox: no results are kept there");
  }
  const sandbox = options.sandbox ? await openSandbox(options, options.totalTimeout) : undefined;
  const places = await placesFor(paths, options, several);
  const runAndReport = async (path: string): Promise<Ran> => {
    const ran = await runOne(path, places.get(path)!, options, {
      signal: interrupt.signal,
      sandbox,
      prepare: launch && joinInKernel,
    }, several);
    report(ran, options.json, several);
    if (options.sandbox) {
      for (const hint of sandboxHints(ran.result?.failures ?? [])) console.error(`hint: ${hint}`);
    }
    return ran;
  };
  // With several notebooks runOne() does not throw.
  const runs = several
    ? await Array.fromAsync(pooledMap(options.jobs, paths, runAndReport)) as Ran[]
    : [await runAndReport(paths[0])];
  if (options.junit !== undefined) {
    const suites = runs.map((ran) => ran.result ? suiteOf(ran.result) : brokenSuite(ran));
    await writeFileBeside(options.junit, formatJUnit(suites));
    say(`Wrote ${options.junit}`);
  }
  if (options.json) {
    const documents = runs.map(describe);
    const ok = documents.every((document) => document.ok);
    console.log(JSON.stringify(several ? { ok, notebooks: documents } : documents[0], null, 2));
  } else if (several) {
    const failed = runs.filter((ran) => ran.result?.ok !== true).length;
    say(`Ran ${runs.length} notebooks, ${failed === 0 ? "all well" : `${failed} failed`}`);
  }
  if (runs.some((ran) => ran.result?.ok !== true)) Deno.exitCode = 1;
}

/** Where the results of one notebook go. */
type Places = Pick<Ran, "output" | "html" | "md">;

/** Where the results of each notebook go: a second notebook of one name gets a number. */
async function placesFor(
  paths: readonly string[],
  options: Options,
  several: boolean,
): Promise<Map<string, Places>> {
  const taken = new Set<string>();
  const places = new Map<string, Places>();
  for (const path of paths) {
    const free = async (option: string | undefined, ending: string) => {
      const wanted = await placeFor(option, path, ending, several);
      let place = wanted;
      for (let n = 2; place !== undefined && taken.has(place); n++) {
        place = `${wanted!.slice(0, -ending.length)}-${n}${ending}`;
      }
      if (place !== undefined) taken.add(place);
      return place;
    };
    if (places.has(path)) throw new TypeError(`Cannot run "${path}" twice at a time`);
    places.set(path, {
      output: await free(options.output, ".ipynb"),
      html: await free(options.html, ".html"),
      md: await free(options.md, ".md"),
    });
  }
  return places;
}

async function runOne(
  path: string,
  places: Places,
  options: Options,
  more: Pick<RunOptions, "signal" | "sandbox" | "prepare">,
  several: boolean,
): Promise<Ran> {
  const started = performance.now();
  const ran: Ran = {
    notebook: path,
    ...places,
    seconds: 0,
  };
  try {
    const parameters = await parametersFor(await readNotebook(path), options);
    const view = new RunView(basename(path), several);
    try {
      ran.result = await runNotebook(path, {
        parameters,
        timeout: options.timeout,
        totalTimeout: options.totalTimeout,
        allowErrors: options.allowErrors,
        cwd: options.cwd,
        output: ran.output,
        resume: options.resume,
        cacheFolder: options.cache,
        ...more,
        onProgress: (event) => view.show(event),
      });
    } finally {
      view.end();
      for (const line of view.caches) console.error(`${basename(path)}, ${line}`);
    }
    // Outputs that are written nowhere are printed.
    const kept = ran.output ?? ran.html ?? ran.md;
    if (kept === undefined && !options.json) printOutputs(ran.result, several ? path : "");
    await writeReports(ran, ran.result, options.theme);
  } catch (error) {
    // With several notebooks, the others still run.
    if (!several) throw error;
    ran.error = error as Error;
  }
  ran.seconds = (performance.now() - started) / 1000;
  return ran;
}

async function writeReports(
  { html, md }: Ran,
  { notebook, manifest }: RunResult,
  theme: string | undefined,
): Promise<void> {
  if (html !== undefined) {
    const { renderReport } = await import("../runtime/report/mod.ts");
    const css = theme && await Deno.readTextFile(theme);
    await writeFileBeside(html, await renderReport(notebook, { manifest, theme: css }));
  }
  if (md !== undefined) {
    const { writeMarkdownReport } = await import("../runtime/report/markdown_report.ts");
    await writeMarkdownReport(md, notebook, { manifest });
  }
}

function report(
  { notebook, output, html, md, result, error, seconds }: Ran,
  json: boolean,
  several: boolean,
) {
  const name = several ? `${notebook}: ` : "";
  if (error !== undefined) console.error(`error: ${name}${error.message}`);
  const [first, ...others] = result?.failures ?? [];
  if (first !== undefined) console.error(`error: ${first.summary}`);
  for (const warning of result?.warnings ?? []) console.error(`warning: ${warning}`);
  if (others.length > 0) console.error(`and ${others.length} more cells failed`);
  if (json) return;
  for (const file of [output, html, md]) {
    if (file !== undefined && result !== undefined) console.error(`Wrote ${file}`);
  }
  if (result?.ok) {
    console.error(`${name}Ran ${result.manifest.cells.length} cells in ${seconds.toFixed(1)} s`);
  }
}

function describe({ notebook, output, html, md, seconds, result, error }: Ran) {
  const { ok = false, failure, manifest } = result ?? {};
  return { ok, notebook, output, html, md, seconds, error: error?.message, failure, manifest };
}

/** A notebook that could not be run at all. */
function brokenSuite({ notebook, error, seconds }: Ran) {
  const type = error?.name, message = error?.message;
  const name = basename(notebook);
  return { name, cases: [{ name, status: "failed" as const, seconds, type, message }] };
}
