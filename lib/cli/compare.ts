// `tunebook compare`: several runs side by side.

import type { Command } from "commander";
import { readResponses } from "../eval/responses.ts";
import { scoreMetrics } from "../eval/score_metrics.ts";
import { type RunRecord, runsView } from "../show/runs_view.ts";
import { collect } from "./run_options.ts";
import { writeRunsPage } from "./compare/page.ts";
import { readRun } from "./compare/read_run.ts";

interface Options {
  answers: string[];
  metric: string[];
  html?: string;
  json: boolean;
}

/** Adds the subcommand. */
export function register(program: Command): void {
  program.command("compare")
    .summary("compare several runs: settings, losses, scores, answers")
    .description(
      "Shows several runs side by side: the settings that differ, losses by step, scores with intervals, and with " +
        "--answers what their models answered. A run is the folder of a training, a report, or an executed notebook; " +
        "what it does not record is shown as unknown.",
    )
    .argument("<run...>", "folders of trainings, reports (.html), executed notebooks (.ipynb)")
    .option(
      "--answers <file>",
      "a run's answers, as generate writes them; once for each run, in their order",
      collect,
      [] as string[],
    )
    .option(
      "--metric <names>",
      "the metrics of the answers, with commas between them",
      (text) => text.split(",").map((name) => name.trim()).filter((name) => name !== ""),
      ["rougeL", "chrf", "exactMatch"],
    )
    .option("--html <file>", "write one page, which opens anywhere, offline")
    .option("--json", "print one JSON document on standard output, and nothing else there", false)
    .addHelpText(
      "after",
      "\nExamples:\n  tunebook compare models/rank4 models/rank8 --html page.html\n" +
        "  tunebook compare out/a.html out/b.html\n" +
        "  tunebook compare models/a models/b --answers a.json --answers b.json --metric rougeL",
    )
    .action(run);
}

async function run(paths: string[], { answers, metric, html, json }: Options): Promise<void> {
  if (answers.length > 0 && answers.length !== paths.length) {
    throw new TypeError(
      `Cannot compare ${paths.length} runs with ${answers.length} files of --answers: expected one for each run`,
    );
  }
  const runs: RunRecord[] = [];
  for (const [i, path] of paths.entries()) {
    const run = await readRun(path);
    runs.push(answers.length === 0 ? run : await withAnswers(run, answers[i], metric));
  }
  const view = runsView(runs);
  if (html !== undefined) {
    await writeRunsPage(html, runs);
    console.error(`Wrote ${html}`);
  }
  if (json) console.log(JSON.stringify(runs, null, 2));
  else console.log(view.text);
}

async function withAnswers(run: RunRecord, file: string, metrics: string[]): Promise<RunRecord> {
  const answers = await readResponses(file);
  const scores = { ...run.scores, ...scoreMetrics(answers, metrics) };
  return { ...run, scores, answers };
}
