// `tunebook sweep`: a notebook at every point of a grid of parameters.

import { pooledMap } from "@std/async/pool";
import { basename } from "@std/path/basename";
import { join } from "@std/path/join";
import type { Command } from "commander";
import { readNotebook } from "../runtime/notebook.ts";
import { readCount } from "./arguments.ts";
import { readShard } from "./grade/autograde.ts";
import { onInterrupt } from "./interrupt.ts";
import { collect, limitOptions, parameterOptions, parametersFor } from "./run_options.ts";
import { RunView } from "./run_view.ts";
import { writeSweepPage } from "./sweep/page.ts";
import { type Point, pointsOf } from "./sweep/points.ts";
import { type PointResult, runPoint } from "./sweep/run_point.ts";

interface Options {
  grid: string[];
  parameter: string[];
  parameters: string[];
  out?: string;
  jobs: number;
  shard?: { index: number; count: number };
  timeout?: number;
  totalTimeout?: number;
}

/** Adds the subcommand. */
export function register(program: Command): void {
  const command = program.command("sweep")
    .summary("run a notebook at every point of a grid of parameters")
    .description(
      "Runs a notebook once for each combination of the values of --grid. Each point has a folder with its report. " +
        "Points that are finished are not run again, unless the notebook, its modules, its parameters or the versions of " +
        "Tunebook and Deno have changed; nor are those that another process runs. At the end a page, index.html, has all " +
        "points side by side. Exit code 0: all points are finished; 1: some are not.",
    )
    .argument("<notebook>", "the .ipynb file")
    .requiredOption(
      "--grid <name=values>",
      "a parameter and its values, separated by commas; may be repeated",
      collect,
      [] as string[],
    );
  parameterOptions(command)
    .option("--out <folder>", "where the points' folders go (default: out/<notebook>-sweep)")
    .option("--jobs <n>", "how many points to run at a time", readCount, 1)
    .option(
      "--shard <i/n>",
      "run only the i-th of n parts, for a scheduler; afterwards, a run without it writes the page",
      readShard,
    );
  limitOptions(command)
    .addHelpText(
      "after",
      '\nIn values of -p, {point} stands for the name of the point, such as "lr=1e-4,rank=8": a notebook that saves a ' +
        "model needs a folder for each.\n\nExamples:\n" +
        "  tunebook sweep book.ipynb --grid lr=1e-4,5e-5 --grid rank=4,8 --jobs 2\n" +
        "  tunebook sweep book.ipynb --grid rank=4,8 -p out=models/{point}\n" +
        "  sbatch --array=1-4 --wrap 'tunebook sweep book.ipynb --grid rank=4,8 --shard $SLURM_ARRAY_TASK_ID/4'",
    )
    .action(run);
}

async function run(path: string, options: Options): Promise<void> {
  using interrupt = onInterrupt(() =>
    console.error("Stopping; finished points are kept. Press Ctrl-C again to end at once")
  );
  const { signal } = interrupt;
  const notebook = await readNotebook(path);
  const all = pointsOf(notebook, options.grid, await parametersFor(notebook, options));
  const out = options.out ?? join("out", `${basename(path).replace(/\.ipynb$/i, "")}-sweep`);
  const { shard, timeout, totalTimeout } = options;
  const points = all.filter((_, i) => shard === undefined || i % shard.count === shard.index - 1);
  const runOne = async (point: Point): Promise<[Point, PointResult]> => {
    const view = new RunView(point.name, options.jobs > 1);
    try {
      const result = await runPoint(path, point, join(out, point.name), {
        ...{ timeout, totalTimeout, signal },
        onProgress: (event) => view.show(event),
      });
      return [point, result];
    } finally {
      view.end();
    }
  };
  const results: [Point, PointResult][] = [];
  for await (const [point, result] of pooledMap(options.jobs, points, runOne)) {
    results.push([point, result]);
    console.error(`${point.name}: ${result.state}${result.message ? `, ${result.message}` : ""}`);
  }
  if (results.some(([, { state }]) => state === "failed" || state === "busy")) Deno.exitCode = 1;
  if (shard !== undefined) {
    console.error("When all parts are done, run it without --shard to write the page");
    return;
  }
  console.error(`Wrote ${await writeSweepPage(out, basename(path), results)}`);
}
