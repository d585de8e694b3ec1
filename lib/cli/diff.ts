// `tunebook diff`: the differences between two reports.

import type { Command } from "commander";
import { diffReports } from "../runtime/verify_report.ts";
import { readRate } from "./arguments.ts";
import { readReportFile, showCells, showChanges } from "./show_comparison.ts";

/** Adds the subcommand. */
export function register(program: Command): void {
  program.command("diff")
    .summary("show the differences between two reports")
    .description(
      "Compares the inputs of two reports (code, parameters, data, weights, versions, machine) and the " +
        "outputs of their cells, paired by id; each page is rendered again from its notebook. Nothing is run. Exit code 0: no differences; 1: some.",
    )
    .argument("<before>", "one report, an .html file")
    .argument("<after>", "the other")
    .option(
      "--tolerance <number>",
      "the relative tolerance of numbers",
      readRate,
      0,
    )
    .option("--json", "print one JSON document on standard output, and nothing else there", false)
    .addHelpText("after", "\nExample:\n  tunebook diff monday.html tuesday.html")
    .action(diff);
}

async function diff(before: string, after: string, options: { tolerance: number; json: boolean }) {
  const [a, b] = await Promise.all([before, after].map(readReportFile));
  const { pages, changes, cells } = await diffReports(a, b, { relative: options.tolerance });
  const different = cells.filter(({ verdict }) => verdict !== "same");
  const found = pages.length + changes.length + different.length;
  if (options.json) console.log(JSON.stringify({ before, after, pages, changes, cells }, null, 2));
  else {
    for (const text of pages) console.log(`page: ${text}`);
    showChanges(changes);
    showCells(cells);
    console.log(
      found === 0
        ? "No difference"
        : `${
          pages.length + changes.length
        } changes, ${different.length} of ${cells.length} cells different`,
    );
  }
  if (found > 0) Deno.exitCode = 1;
}
