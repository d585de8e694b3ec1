// `tunebook export`: hands on a notebook as it lies, with the outputs that it holds; nothing is run.

import type { Command } from "commander";
import { readNotebook } from "../runtime/notebook.ts";
import { writeFileAtomic } from "../runtime/write_file.ts";

interface Options {
  html: string;
  title?: string;
  code: boolean;
  notebook: boolean;
}

/** Adds the subcommand. */
export function register(program: Command): void {
  program.command("export")
    .summary("make a report of a notebook as it lies, without running it")
    .description(
      "Makes one HTML file of a notebook and the outputs that it holds. The file opens anywhere, " +
        "offline, with live charts. A stranger's notebook is safe to export and to open: nothing in it runs.",
    )
    .argument("<notebook>", "the .ipynb file")
    .requiredOption("--html <file>", "where to write the report")
    .option("--title <text>", "the report's title (default: the notebook's own)")
    .option("--no-code", "leave the code out of the page; the notebook inside the file keeps it")
    .option("--no-notebook", "do not put the notebook into the file")
    .addHelpText("after", "\nExample:\n  tunebook export book.ipynb --html out/book.html --no-code")
    .action(exportNotebook);
}

async function exportNotebook(path: string, options: Options): Promise<void> {
  const notebook = await readNotebook(path);
  const { renderReport } = await import("../runtime/report/mod.ts");
  const html = await renderReport(notebook, {
    title: options.title,
    code: options.code,
    embedNotebook: options.notebook,
  });
  await writeFileAtomic(options.html, html);
  console.error(`Wrote ${options.html} (${(html.length / 1e6).toFixed(1)} MB)`);
}
