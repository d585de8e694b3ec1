// `tunebook check`: whether a notebook's cells reproduce its outputs.

import { basename } from "@std/path/basename";
import type { Command } from "commander";
import { checkNotebook, type CheckResult } from "../runtime/check_notebook.ts";
import { checkTypes } from "../runtime/check_types.ts";
import { readNotebook } from "../runtime/notebook.ts";
import { readRate } from "./arguments.ts";
import { onInterrupt } from "./interrupt.ts";
import { limitOptions, parameterOptions, parametersFor } from "./run_options.ts";
import { RunView } from "./run_view.ts";

interface Options {
  parameter: string[];
  parameters: string[];
  timeout?: number;
  totalTimeout?: number;
  tolerance: number;
  types: boolean;
  json: boolean;
}

/** Adds the subcommand. */
export function register(program: Command): void {
  const command = program.command("check")
    .summary("run a notebook again and compare with its stored outputs")
    .description(
      "Runs a notebook from top to bottom in a new kernel and compares with its stored outputs. " +
        "Lists the cells that differ, and the hidden state that they seem to depend on: names that " +
        "no cell above defines, and cells that were run in another order. " +
        'A cell tagged "timing" may differ. Nothing is written. With --types nothing is run either. Exit code 0: all outputs were reproduced; 1: some were not.',
    )
    .argument("<notebook>", "the .ipynb file");
  parameterOptions(command);
  limitOptions(command)
    .option("--types", "check the types of the cells, and run nothing", false)
    .option("--tolerance <number>", "the relative tolerance of numbers", readRate, 1e-3)
    .option("--json", "print one JSON document on standard output, and nothing else there", false)
    .addHelpText(
      "after",
      "\nExamples:\n  tunebook check book.ipynb\n  tunebook check --types book.ipynb",
    )
    .action(check);
}

async function check(path: string, options: Options): Promise<void> {
  if (options.types) return await checkOnlyTypes(path, options.json);
  using interrupt = onInterrupt(() => console.error("Stopping; press Ctrl-C again to end at once"));
  const notebook = await readNotebook(path);
  const given = options.parameter.length + options.parameters.length > 0;
  const view = new RunView(basename(path));
  const result = await checkNotebook(path, {
    parameters: given ? await parametersFor(notebook, options) : undefined,
    timeout: options.timeout,
    totalTimeout: options.totalTimeout,
    relative: options.tolerance,
    signal: interrupt.signal,
    onProgress: (event) => view.show(event),
  });
  view.end();
  if (options.json) {
    const { ok, cells } = result;
    console.log(JSON.stringify({ ok, notebook: path, cells }, null, 2));
  } else show(basename(path), result);
  if (!result.ok) Deno.exitCode = 1;
}

async function checkOnlyTypes(path: string, json: boolean): Promise<void> {
  const errors = await checkTypes(path);
  if (json) {
    console.log(JSON.stringify({ ok: errors.length === 0, notebook: path, errors }, null, 2));
  } else {
    for (const { cell, line, column, code, message } of errors) {
      const what = code === 0 ? "SyntaxError" : `TS${code}`;
      console.log(
        `${basename(path)}, cell ${cell}, line ${line}, column ${column}: ${what}: ${message}`,
      );
    }
    console.log(errors.length === 0 ? "No type errors" : `${errors.length} type errors`);
  }
  if (errors.length > 0) Deno.exitCode = 1;
}

function show(name: string, { cells }: CheckResult) {
  const of = (verdict: string) => cells.filter((cell) => cell.verdict === verdict);
  for (const { cell, title, verdict, difference, excuse, hidden } of cells) {
    if (verdict === "same" && hidden.length === 0) continue;
    const said = verdict === "same" ? "same output" : difference;
    console.log(
      `${name}, cell ${cell} (${title}): ${said}${excuse === undefined ? "" : `; ${excuse}`}`,
    );
    for (const reason of hidden) console.log(`  hidden state: ${reason}`);
  }
  const excused = of("excused").length > 0 ? `, ${of("excused").length} excused` : "";
  if (cells.length === 0) console.log(`${name} holds no outputs: there is nothing to compare`);
  else {
    console.log(
      `${of("same").length} of ${cells.length} cells gave the same output${excused}` +
        (of("differs").length > 0 ? `, ${of("differs").length} differ` : ""),
    );
  }
}
