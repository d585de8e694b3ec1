// `tunebook verify`: whether a report's outputs can be made again.

import { basename, dirname } from "@std/path";
import type { Command } from "commander";
import { readNotebook } from "../runtime/notebook.ts";
import { type Verdict, verifyReport } from "../runtime/verify_report.ts";
import { readRate } from "./arguments.ts";
import { onInterrupt } from "./interrupt.ts";
import { limitOptions } from "./run_options.ts";
import { RunView } from "./run_view.ts";
import { openSandbox, type SandboxFlags, sandboxOptions } from "./sandbox_options.ts";
import { readReportFile, showCells, showChanges } from "./show_comparison.ts";

interface Options extends SandboxFlags {
  trust: boolean;
  notebook?: string;
  cwd?: string;
  timeout?: number;
  totalTimeout?: number;
  tolerance: number;
  json: boolean;
}

/** Adds the subcommand. */
export function register(program: Command): void {
  const command = program.command("verify")
    .summary("run a report's notebook again, and say whether the same comes out")
    .description(
      "Runs the notebook that a report carries, with the parameters that it names, and says which outputs " +
        "differ and what has changed since: code, data, weights, versions, machine. Where nothing has, " +
        "outputs must be equal to the bit; else numbers may differ by the tolerance. " +
        'Cells tagged "timing" are excused. Judges\' replies are taken from the report. ' +
        "It runs a stranger's code: in a sandbox, unless --trust is given. Exit code 0: the same; 1: not.",
    )
    .argument("<report>", "the .html file")
    .option("--trust", "run without a sandbox, with all rights", false)
    .option("--notebook <file>", "run this notebook instead of the one in the report")
    .option("--cwd <folder>", "the cells' working directory (default: the report's folder)");
  sandboxOptions(limitOptions(command))
    .option(
      "--tolerance <number>",
      "how near numbers must be where something has changed, relative",
      readRate,
      1e-3,
    )
    .option("--json", "print one JSON document on standard output, and nothing else there", false)
    .addHelpText(
      "after",
      "\nExamples:\n  tunebook verify report.html --allow-read data/\n  tunebook verify mine.html --trust --cwd notebooks/",
    )
    .action(verify);
}

async function verify(path: string, options: Options): Promise<void> {
  using interrupt = onInterrupt(() => console.error("Stopping; press Ctrl-C again to end at once"));
  const html = await readReportFile(path);
  const view = new RunView(basename(path));
  const verdict = await verifyReport(html, {
    sandbox: options.trust ? undefined : await openSandbox(options, options.totalTimeout),
    notebook: options.notebook === undefined ? undefined : await readNotebook(options.notebook),
    cwd: options.cwd ?? dirname(path),
    timeout: options.timeout,
    totalTimeout: options.totalTimeout,
    relative: options.tolerance,
    signal: interrupt.signal,
    onProgress: (event) => view.show(event),
  });
  view.end();
  const { same, exact, changes, cells } = verdict;
  if (options.json) {
    console.log(JSON.stringify({ same, exact, report: path, changes, cells }, null, 2));
  } else {
    showChanges(changes);
    showCells(cells);
    console.log(sentence(verdict));
  }
  if (!same) Deno.exitCode = 1;
}

function sentence({ same, exact, cells, changes }: Verdict): string {
  const of = (verdict: string) => cells.filter((cell) => cell.verdict === verdict).length;
  const excused = of("excused") > 0 ? `, ${of("excused")} excused` : "";
  const counts = `${of("same")} of ${cells.length} cells${excused}`;
  if (same) return `Same: ${counts}${exact ? ", to the bit" : ", within the tolerance"}`;
  const why = changes.length === 0 ? ", though nothing that was recorded has changed" : "";
  return `Not the same: ${counts} put out what the report shows${why}`;
}
