// `tunebook clean`: strips outputs from notebooks, in place or as a git filter.

import type { Command } from "commander";
import { cleanNotebook } from "../runtime/clean.ts";
import { formatNotebook, parseNotebook, readNotebook } from "../runtime/notebook.ts";
import { writeFileBeside } from "../write_beside.ts";

/** Adds the subcommand. */
export function register(program: Command): void {
  program.command("clean")
    .summary("strip outputs from notebooks")
    .description(
      "Strips outputs, execution counts and the metadata of runs, in place. Without a " +
        "notebook it reads one from standard input and writes it to standard output, as a git filter. " +
        "Exit code 1: a notebook cannot be read or, with --check, is not clean.",
    )
    .argument("[notebook...]", "the .ipynb files")
    .option("--check", "change nothing; list the notebooks that are not clean", false)
    .addHelpText(
      "after",
      "\nAs a git filter, so that outputs are never committed:\n" +
        '  git config filter.tunebook.clean "tunebook clean"\n' +
        '  git config filter.tunebook.required true\n  echo "*.ipynb filter=tunebook" >> .gitattributes',
    )
    .action(clean);
}

async function clean(paths: string[], options: { check: boolean }): Promise<void> {
  if (paths.length === 0) {
    const text = await new Response(Deno.stdin.readable).text();
    const bytes = new TextEncoder().encode(
      formatNotebook(cleanNotebook(parseNotebook(text, "standard input"))),
    );
    for (let done = 0; done < bytes.length;) done += await Deno.stdout.write(bytes.subarray(done));
    return;
  }
  // All are read before the first is written.
  const notebooks = await Promise.all(paths.map(readNotebook));
  for (const [i, path] of paths.entries()) {
    const text = formatNotebook(cleanNotebook(notebooks[i]));
    if (text === await Deno.readTextFile(path)) continue;
    if (options.check) {
      console.error(`${path} is not clean`);
      Deno.exitCode = 1;
    } else {
      await writeFileBeside(path, text);
      console.error(`Cleaned ${path}`);
    }
  }
}
