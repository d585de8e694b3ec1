// `tunebook score`: scores a model's responses against their references and, on request, by a
// judge.

import type { Command } from "commander";
import { describeJudgement, type Judge, type JudgeReport, judgeResponses } from "../eval/judge.ts";
import { parseJudge } from "../eval/ollama_judge.ts";
import { readResponses, type ResponseEntry } from "../eval/responses.ts";
import { findMetric, METRICS } from "../eval/metrics/mod.ts";
import { type MetricScore, scoreMetrics } from "../eval/score_metrics.ts";
import { scoreResponses } from "../eval/scores.ts";
import { compareResponses, describeComparison } from "../eval/compare.ts";
import { readCount, readWhole } from "./arguments.ts";
import { onInterrupt } from "./interrupt.ts";
import { progress } from "./progress.ts";

interface Options {
  metric?: string[];
  against?: string;
  judge?: string;
  seed: number;
  numCtx: number;
  json: boolean;
}

/** Adds the subcommand. */
export function register(program: Command): void {
  program.command("score")
    .summary("score responses against their references, or by a judge")
    .description(
      'Reads responses in the format of "tunebook generate" and of Raschka’s chapter 7 (instruction, input, ' +
        "output, model_response) and scores them: ROUGE-L over stemmed words and exact match, as " +
        "fractions. --metric names others, each printed with the interval of a bootstrap over the examples; " +
        "a variant follows a colon, as in bleu:char. With --judge a language model also scores each from 0 to 100; invalid and missing " +
        "replies are counted and explained, and do not end the run.",
    )
    .argument("<responses>", "the JSON file")
    .option(
      "--metric <names>",
      "metrics, with commas between them, instead of ROUGE-L and exact match",
      (text) => text.split(",").map((name) => name.trim()),
    )
    .option(
      "--against <file>",
      "compare with another model's responses to the same instructions, by all metrics",
    )
    .option("--judge <name>", 'ask a judge: "ollama:MODEL", at OLLAMA_HOST or on this machine')
    .option("--seed <n>", "the judge's seed", readWhole, 123)
    .option("--num-ctx <tokens>", "the most tokens of prompt and reply", readCount, 4096)
    .option("--json", "print one JSON document on standard output, and nothing else there", false)
    .addHelpText(
      "after",
      "\nExamples:\n  tunebook score responses.json --judge ollama:llama3 --json\n" +
        "  tunebook score responses.json --metric bleu,chrf,rougeL,meteor\n" +
        "  tunebook score tuned.json --against base.json --metric bleu,exactMatch\n\n" +
        `Metrics:\n${describeMetrics()}`,
    )
    .action(score);
}

async function score(path: string, options: Options): Promise<void> {
  // an invalid judge is reported before anything is read
  const judge = options.judge === undefined
    ? undefined
    : parseJudge(options.judge, { seed: options.seed, numCtx: options.numCtx });
  options.metric?.forEach(findMetric);
  const entries = await readResponses(path);
  const { rougeL, exactMatch, examples, each } = scoreResponses(entries);
  const metrics = options.metric && scoreMetrics(entries, options.metric);
  const names = options.metric ?? ["rougeL", "exactMatch"];
  const comparisons = options.against === undefined
    ? undefined
    : compareResponses(await readResponses(options.against), entries, names);
  const report = judge ? await askJudge(judge, entries) : null;
  if (options.json) {
    const document = {
      responses: path,
      examples,
      rougeL,
      exactMatch,
      metrics,
      comparisons,
      judge: report,
    };
    console.log(JSON.stringify(document, null, 2));
  } else {
    const matches = each.filter((one) => one.exactMatch).length;
    console.log(`examples     ${examples}`);
    if (metrics) printMetrics(metrics);
    else {
      console.log(`ROUGE-L      ${rougeL.toFixed(4)}`);
      console.log(`exact match  ${exactMatch.toFixed(4)} (${matches} of ${examples})`);
    }
    for (const comparison of comparisons ?? []) console.log(describeComparison(comparison));
    if (report) console.log(`judge        ${describeJudgement(report)}`);
  }
  for (const { message, count } of report?.problems ?? []) {
    console.error(`warning: ${message}${count > 1 ? ` (${count} times)` : ""}`);
  }
}

/** The table of metrics, for the help. */
function describeMetrics(): string {
  return METRICS.map(({ name, summary, variants }) => {
    const others = variants.length > 1 ? ` (:${variants.join(", :")})` : "";
    return `  ${name.padEnd(13)} ${summary}${others}`;
  }).join("\n");
}

/** Prints each metric's corpus score and interval, and what they depend on. */
function printMetrics(metrics: Readonly<Record<string, MetricScore>>): void {
  const width = Math.max(...Object.keys(metrics).map((name) => findMetric(name).label.length), 11);
  for (const [name, { corpus, interval, signature }] of Object.entries(metrics)) {
    const { label, metric: { top } } = findMetric(name);
    const digits = top === 1 ? 4 : 2;
    const [low, high] = interval.map((end) => end.toFixed(digits));
    const score = corpus.toFixed(digits).padStart(7);
    console.log(`${label.padEnd(width)}  ${score}  [${low}, ${high}]  ${signature}`);
  }
}

async function askJudge(judge: Judge, entries: ResponseEntry[]): Promise<JudgeReport> {
  using interrupt = onInterrupt(() => console.error("Stopping; press Ctrl-C again to end at once"));
  const bar = progress(judge.name, entries.length);
  const report = await judgeResponses(entries, judge, {
    signal: interrupt.signal,
    onOutcome(outcome, index) {
      bar.update(index + 1, outcome.status === "scored" ? `${outcome.score}` : outcome.status);
    },
  });
  bar.finish();
  return report;
}
