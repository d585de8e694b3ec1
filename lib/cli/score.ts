// `tunebook score`: scores a model's responses against their references and, on request, by a
// judge.

import type { Command } from "commander";
import { describeJudgement, type Judge, type JudgeReport, judgeResponses } from "../eval/judge.ts";
import { parseJudge } from "../eval/judges/parse_judge.ts";
import type { JudgeQuestion } from "../eval/judges/question.ts";
import { type Criterion, CRITERION_NAMES, criterionQuestion } from "../eval/judges/rubrics.ts";
import { judgeWithSeeds } from "../eval/judges/seeds.ts";
import { readResponses, type ResponseEntry } from "../eval/responses.ts";
import { findMetric, METRICS } from "../eval/metrics/mod.ts";
import { type MetricScore, scoreMetrics } from "../eval/score_metrics.ts";
import { scoreResponses } from "../eval/scores.ts";
import { compareResponses, describeComparison } from "../eval/compare.ts";
import { readCount, readRate, readWhole } from "./arguments.ts";
import { onInterrupt } from "./interrupt.ts";
import { progress } from "./progress.ts";
import { addFieldOptions, type DataOptions, fieldOptions } from "./read_data.ts";

interface Options extends DataOptions {
  metric?: string[];
  against?: string;
  judge?: string;
  seed: number;
  numCtx: number;
  temperature: number;
  judgeUrl?: string;
  judgeCache?: string;
  criteria: string[];
  seeds: number[];
  json: boolean;
}

/** Adds the subcommand. */
export function register(program: Command): void {
  const command = program.command("score")
    .summary("score responses against their references, or by a judge")
    .description(
      'Reads responses in the format of "tunebook generate" and of Raschka’s chapter 7 (instruction, input, ' +
        "output, model_response), or model_response beside the fields of any other form, in JSON, JSON Lines, CSV or " +
        "Parquet, and scores them: ROUGE-L over stemmed words and exact match, as fractions. --metric names others, each printed with the interval of a bootstrap over the examples; " +
        "a variant follows a colon, as in bleu:char. With --judge a language model also scores each from 0 to 100; invalid and missing " +
        "replies are counted and explained, and do not end the run.",
    )
    .argument("<responses>", "the file, a URL, or hf:owner/name/FILE")
    .option(
      "--metric <names>",
      "metrics, with commas between them, instead of ROUGE-L and exact match",
      readNames,
    )
    .option(
      "--against <file>",
      "compare with another model's responses to the same instructions, by all metrics",
    )
    .option(
      "--judge <name>",
      'ask a judge: "ollama:MODEL", at OLLAMA_HOST or on this machine, or "openai:MODEL" at OPENAI_BASE_URL',
    )
    .option("--judge-url <url>", "the endpoint of an openai: judge, instead of OPENAI_BASE_URL")
    .option("--judge-cache <folder>", "keep the judge's replies there, and do not ask again")
    .option(
      "--criteria <names>",
      `also ask for each of these criteria: ${CRITERION_NAMES.join(", ")}`,
      readNames,
      [],
    )
    .option(
      "--seeds <numbers>",
      "judge once with each of these seeds, and report the spread",
      (text) => readNames(text).map(readWhole),
      [],
    )
    .option("--temperature <number>", "the judge's temperature", readRate, 0)
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
  addFieldOptions(command);
}

async function score(path: string, options: Options): Promise<void> {
  // an invalid judge is reported before anything is read
  const judge = options.judge === undefined
    ? undefined
    : judgeOf(options.judge, options, options.seed);
  const questions = options.criteria.map((name) => criterionQuestion(name as Criterion));
  options.metric?.forEach(findMetric);
  const fields = fieldOptions(options);
  const entries = await readResponses(path, fields);
  const { rougeL, exactMatch, examples, each } = scoreResponses(entries);
  const metrics = options.metric && scoreMetrics(entries, options.metric);
  const names = options.metric ?? ["rougeL", "exactMatch"];
  const comparisons = options.against === undefined
    ? undefined
    : compareResponses(await readResponses(options.against, fields), entries, names);
  const report = judge ? await askJudge(judge, entries) : null;
  const criteria: Record<string, JudgeReport> = {};
  for (const question of judge ? questions : []) {
    criteria[question.name] = await askJudge(judge!, entries, question);
  }
  const seeds = judge && options.seeds.length > 0
    ? await judgeWithSeeds(
      entries,
      (seed) => judgeOf(options.judge!, options, seed),
      options.seeds,
    )
    : undefined;
  if (options.json) {
    const document = {
      responses: path,
      examples,
      rougeL,
      exactMatch,
      metrics,
      comparisons,
      judge: report,
      ...(questions.length > 0 && { criteria }),
      ...(seeds && { seeds }),
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
    for (const [name, one] of Object.entries(criteria)) {
      console.log(`${name.padEnd(12)} ${describeJudgement(one)}`);
    }
    if (seeds) {
      const [average, spread] = [seeds.average, seeds.spread].map((one) => one?.toFixed(2) ?? "–");
      console.log(`seeds        ${average}, standard deviation between seeds ${spread}`);
    }
  }
  for (const { reply, score, count } of report?.understood ?? []) {
    const said = JSON.stringify(reply.length > 60 ? `${reply.slice(0, 60)}…` : reply);
    console.error(`note: ${said} was read as ${score}${count > 1 ? ` (${count} times)` : ""}`);
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

/** The judge of the command line, with a seed. */
function judgeOf(spec: string, options: Options, seed: number): Judge {
  const { numCtx, temperature, judgeUrl: url, judgeCache: cache } = options;
  return parseJudge(spec, { seed, numCtx, temperature, url, cache });
}

/** Reads names with commas between them. */
function readNames(text: string): string[] {
  return text.split(",").map((name) => name.trim()).filter((name) => name !== "");
}

async function askJudge(
  judge: Judge,
  entries: ResponseEntry[],
  question?: JudgeQuestion,
): Promise<JudgeReport> {
  using interrupt = onInterrupt(() => console.error("Stopping; press Ctrl-C again to end at once"));
  const bar = progress(judge.name, entries.length);
  const report = await judgeResponses(entries, judge, {
    signal: interrupt.signal,
    ...(question && { question }),
    onOutcome(outcome, index) {
      bar.update(index + 1, outcome.status === "scored" ? `${outcome.score}` : outcome.status);
    },
  });
  bar.finish();
  return report;
}
