// `tunebook run`: runs a notebook headless, with parameters, and hands on what came of it.

import { basename } from "@std/path";
import { type Command, InvalidArgumentError } from "commander";
import { readNotebook } from "../runtime/notebook.ts";
import { readParameters } from "../runtime/parameters.ts";
import { runNotebook, type RunProgress, type RunResult } from "../runtime/runner.ts";
import { writeFileAtomic } from "../runtime/write_file.ts";
import { onInterrupt } from "./interrupt.ts";
import { progress } from "./progress.ts";

interface Options {
  parameter: string[];
  output?: string;
  html?: string;
  timeout?: number;
  allowErrors: boolean;
  cwd?: string;
  json: boolean;
}

/** Adds the subcommand. */
export function register(program: Command): void {
  program.command("run")
    .summary("run a notebook on the Deno kernel, and make a report of it")
    .description(
      "Runs a notebook from top to bottom on the real Deno kernel, and shows each cell as it runs. " +
        'The notebook itself is not changed. A cell tagged "skip" is left out; one tagged ' +
        '"raises-exception" may fail. Exit code 0: all cells ended well; 1: one failed, and what ' +
        "there is of outputs is written all the same.",
    )
    .argument("<notebook>", "the .ipynb file")
    .option(
      "-p, --parameter <name=value>",
      'set a parameter that the cell tagged "parameters" declares; may be given often',
      (value: string, before: string[]) => [...before, value],
      [] as string[],
    )
    .option("--output <file>", "write the executed notebook, after each cell")
    .option("--html <file>", "write a report: one HTML file that opens anywhere, offline")
    .option("--timeout <seconds>", "stop a cell that runs longer", readSeconds)
    .option("--allow-errors", "go on after a cell that failed", false)
    .option("--cwd <folder>", "the cells' working directory (default: the notebook's folder)")
    .option("--json", "print one JSON document on standard output, and nothing else there", false)
    .addHelpText(
      "after",
      "\nExample:\n  tunebook run book.ipynb -p epochs=2 --output out/book.ipynb --html out/book.html",
    )
    .action(run);
}

async function run(path: string, options: Options): Promise<void> {
  const parameters = readParameters(await readNotebook(path), options.parameter);
  const started = performance.now();
  const say = (text: string) => console.error(text);
  using interrupt = onInterrupt(() => say("Stopping; press Ctrl-C again to end at once"));
  const view = new RunView(basename(path));
  const result = await runNotebook(path, {
    parameters,
    timeout: options.timeout,
    allowErrors: options.allowErrors,
    cwd: options.cwd,
    output: options.output,
    signal: interrupt.signal,
    onProgress: (event) => view.show(event),
  });
  view.end();
  if (options.html !== undefined) {
    const { renderReport } = await import("../runtime/report/mod.ts");
    const html = await renderReport(result.notebook, { manifest: result.manifest });
    await writeFileAtomic(options.html, html);
  }
  report(path, result, options, (performance.now() - started) / 1000);
  if (!result.ok) Deno.exitCode = 1;
}

function report(path: string, result: RunResult, options: Options, seconds: number) {
  const { ok, failure, manifest } = result;
  const { output, html } = options;
  if (failure !== undefined) console.error(`error: ${failure.summary}`);
  if (options.json) {
    const document = { ok, notebook: path, output, html, seconds, failure, manifest };
    console.log(JSON.stringify(document, null, 2));
    return;
  }
  for (const file of [output, html]) if (file !== undefined) console.error(`Wrote ${file}`);
  if (ok) console.error(`Ran ${manifest.cells.length} cells in ${seconds.toFixed(1)} s`);
}

/** Shows a run: the cell that runs, with the last line that it has put out. */
class RunView {
  #name: string;
  #bar = progress("", 0, { terminal: false, write: () => {} });
  #title = "";
  #line = "";

  constructor(name: string) {
    this.#name = name;
  }

  show(event: RunProgress) {
    switch (event.type) {
      case "start":
        this.#bar = progress(this.#name, event.cells);
        break;
      case "cell":
        this.#title = firstLine(event.source);
        this.#line = "";
        this.#bar.update(event.cell - 1, this.#title);
        break;
      case "output": {
        const { type, content } = event.message;
        if (type !== "stream") break;
        this.#line = content.text.trimEnd().split(/[\r\n]/).at(-1) || this.#line;
        this.#bar.update(event.cell - 1, `${this.#title.slice(0, 24)} │ ${this.#line}`);
        break;
      }
      case "cell-end": {
        const detail = event.status === "skipped"
          ? "skipped"
          : `${this.#title} (${event.status}, ${event.seconds.toFixed(1)} s)`;
        this.#bar.update(event.cell, detail);
        break;
      }
    }
  }

  end() {
    this.#bar.finish();
  }
}

function firstLine(source: string): string {
  const line = source.split("\n").find((text) => text.trim() !== "") ?? "";
  return line.trim().slice(0, 60);
}

function readSeconds(text: string): number {
  const seconds = Number(text);
  if (!(seconds > 0) || !Number.isFinite(seconds)) {
    throw new InvalidArgumentError("Expected a number of seconds above 0.");
  }
  return seconds;
}
