// `tunebook verify`: whether a report's outputs can be reproduced.

import { basename } from "@std/path/basename";
import { dirname } from "@std/path/dirname";
import type { Command } from "commander";
import { readNotebook } from "../runtime/notebook.ts";
import { type Verdict, verifyReport } from "../runtime/verify_report.ts";
import { readRate } from "./arguments.ts";
import { onInterrupt } from "./interrupt.ts";
import { limitOptions } from "./run_options.ts";
import { RunView } from "./run_view.ts";
import { sandboxHints } from "./sandbox_hint.ts";
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
    .summary("run a report's notebook again and compare the results")
    .description(
      "Renders a report's page again from its embedded notebook, and compares every byte; then runs " +
        "the notebook with the same parameters, and reports which outputs differ and what has changed " +
        "since: code, data, weights, versions, machine. If nothing has changed, " +
        "outputs must be bit-identical; otherwise numbers may differ by the tolerance. " +
        'Cells tagged "timing" are excused and named, and so are judges\' replies, which are taken from the report. ' +
        "It runs a stranger's code: in a sandbox, unless --trust is given. Exit code 0: the same, but for cells " +
        "that the verdict names; 1: not, or the report was changed after its run; 2: unknown, because " +
        "the version of Tunebook that rendered the page is not available.",
    )
    .argument("<report>", "the .html file")
    .option("--trust", "run without a sandbox, with all permissions", false)
    .option("--notebook <file>", "run this notebook instead of the one in the report")
    .option("--cwd <folder>", "the cells' working directory (default: the report's folder)");
  sandboxOptions(limitOptions(command))
    .option(
      "--tolerance <number>",
      "the relative tolerance of numbers if something has changed",
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
  const { run, ...found } = verdict;
  const { changes, cells } = verdict;
  if (options.json) {
    console.log(JSON.stringify({ report: path, ...found }, null, 2));
  } else {
    showChanges(changes);
    showCells(cells);
    console.log(sentence(verdict));
  }
  if (!options.trust) {
    for (const hint of sandboxHints(run?.failures ?? [])) console.error(`hint: ${hint}`);
  }
  Deno.exitCode = exitCode(verdict);
}

function sentence({ verdict, exact, page, exceptions, tampered, cells, changes }: Verdict): string {
  if (page.verdict === "differs") {
    return `Not the same: the page does not show what its notebook gives, ${page.difference}`;
  }
  const made = cells.filter((cell) => cell.verdict === "same").length;
  const counts = `${made} of ${cells.length} cells`;
  const how = exact ? "to the bit" : "within the tolerance";
  switch (verdict) {
    case "same":
      return `Same: ${counts}, ${how}`;
    case "same but for": {
      const excused = cells.filter((cell) => cell.verdict === "excused").length;
      const what = [
        ...excused > 0 ? [`${excused} ${excused === 1 ? "cell" : "cells"}`] : [],
        ...exceptions.length > excused ? ["what was changed"] : [],
      ].join(" and ");
      return `Same but for ${what}: ${exceptions.join("; ")}. ${counts}, ${how}`;
    }
    case "unknown":
      return `Cannot tell: ${
        page.verdict === "unknown" ? page.reason : ""
      }; ${counts} gave what its notebook holds`;
    case "different": {
      const why = tampered.length > 0
        ? `; ${tampered.join("; ")}`
        : changes.length === 0
        ? ", though nothing that was recorded has changed"
        : "";
      return `Not the same: ${counts} gave what the report shows${why}`;
    }
  }
}

/** The exit codes: the same; not, or changed since its run; unknown. */
function exitCode({ verdict, tampered }: Verdict): number {
  if (verdict === "unknown") return 2;
  return verdict === "different" || tampered.length > 0 ? 1 : 0;
}
