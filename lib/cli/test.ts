// `tunebook test`: a notebook's cells as tests.

import { pooledMap } from "@std/async/pool";
import { basename } from "@std/path/basename";
import type { Command } from "commander";
import { formatJUnit, type JUnitSuite } from "../runtime/junit.ts";
import { readNotebook } from "../runtime/notebook.ts";
import { suiteOf } from "../runtime/run_suite.ts";
import { runNotebook } from "../runtime/runner.ts";
import { plainText } from "../runtime/report/terminal.ts";
import { writeFileBeside } from "../write_beside.ts";
import { readCount } from "./arguments.ts";
import { onInterrupt } from "./interrupt.ts";
import { limitOptions, parameterOptions, parametersFor } from "./run_options.ts";

interface Options {
  parameter: string[];
  parameters: string[];
  timeout?: number;
  totalTimeout?: number;
  jobs: number;
  failFast: boolean;
  junit?: string;
}

/** Adds the subcommand. */
export function register(program: Command): void {
  const command = program.command("test")
    .summary("run notebooks as tests: each code cell is one")
    .description(
      "Runs notebooks from top to bottom. Each Deno.test of a cell and of the modules that it imports is a " +
        "test, and so is each other code cell, which fails if an assertion or " +
        "anything else throws; later cells still run. A cell tagged " +
        '"raises-exception" may throw, one tagged "skip" is left out. ' +
        "Exit code 0: all passed; 1: one failed.",
    )
    .argument("<notebook...>", "the .ipynb files");
  parameterOptions(command);
  limitOptions(command)
    .option("--jobs <n>", "how many notebooks to run at a time", readCount, 1)
    .option("--fail-fast", "stop a notebook at its first failing cell", false)
    .option("--junit <file>", "write JUnit's XML")
    .addHelpText("after", "\nExample:\n  tunebook test notebooks/*.ipynb --junit out/results.xml")
    .action(test);
}

async function test(paths: string[], options: Options): Promise<void> {
  using interrupt = onInterrupt(() => console.error("Stopping; press Ctrl-C again to end at once"));
  const started = performance.now();
  const suites = await Array.fromAsync(pooledMap(options.jobs, paths, async (path: string) => {
    let suite: JUnitSuite;
    try {
      const result = await runNotebook(path, {
        parameters: await parametersFor(await readNotebook(path), options),
        timeout: options.timeout,
        totalTimeout: options.totalTimeout,
        allowErrors: !options.failFast,
        signal: interrupt.signal,
      });
      suite = suiteOf(result);
    } catch (error) {
      // A notebook that cannot be run counts as a failed test; the others still run.
      const { name: type, message } = error as Error;
      const name = basename(path);
      suite = {
        name,
        cases: [{ name: "can be run", status: "failed", seconds: 0, type, message }],
      };
    }
    show(path, suite);
    return suite;
  })) as JUnitSuite[];
  if (options.junit !== undefined) await writeFileBeside(options.junit, formatJUnit(suites));
  const cases = suites.flatMap((suite) => suite.cases);
  const count = (status: string) => cases.filter((one) => one.status === status).length;
  const failed = count("failed");
  const skipped = count("skipped") > 0 ? ` | ${count("skipped")} skipped` : "";
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(
    `${failed === 0 ? "ok" : "FAILED"} | ${
      count("ok")
    } passed | ${failed} failed${skipped} (${seconds} s)`,
  );
  if (failed > 0) Deno.exitCode = 1;
}

function show(path: string, { cases }: JUnitSuite) {
  console.log(`running ${cases.length} tests from ${path}`);
  for (const { name, status, seconds, message, detail } of cases) {
    if (status === "skipped") console.log(`${name} ... skipped (${detail})`);
    else {
      console.log(`${name} ... ${status === "ok" ? "ok" : "FAILED"} (${seconds.toFixed(1)} s)`);
      const trace = plainText(detail ?? message ?? "");
      if (status === "failed") console.log(trace.replace(/^/gm, "  "));
    }
  }
  console.log("");
}
