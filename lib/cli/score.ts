// `tunebook score`: scores a model's responses against their references and, on request, by a
// judge.

import { type Command, Option } from "commander";
import { describeJudgement, type Judge, type JudgeReport, judgeResponses } from "../eval/judge.ts";
import { type JudgeCard, judgeCard } from "../eval/judges/card.ts";
import { MT_BENCH_PAIR, MT_BENCH_SINGLE } from "../eval/judges/mt_bench.ts";
import {
  judgePairs,
  PAIR_QUESTION,
  type PairReport,
  pairVerdict,
} from "../eval/judges/pairwise.ts";
import { parseJudge } from "../eval/judges/parse_judge.ts";
import { type JudgeQuestion, RASCHKA_QUESTION } from "../eval/judges/question.ts";
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
import { addFieldOptions, type DataOptions, fieldOptions, limitOption } from "./read_data.ts";

interface Options extends DataOptions {
  limit?: number;
  metric?: string[];
  against?: string;
  judge?: string;
  seed: number;
  numCtx: number;
  temperature: number;
  judgeUrl?: string;
  judgeCache?: string;
  question: keyof typeof QUESTIONS;
  pairs: boolean;
  card: boolean;
  human?: string;
  criteria: string[];
  seeds: number[];
  json: boolean;
}

/** What a judge can be asked about one response, and about two. */
const QUESTIONS = {
  score: { one: RASCHKA_QUESTION, two: PAIR_QUESTION },
  "mt-bench": { one: MT_BENCH_SINGLE, two: MT_BENCH_PAIR },
};

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
    .addOption(limitOption())
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
    .addOption(
      new Option(
        "--question <name>",
        "what the judge is asked: score is 0 to 100 as in Raschka’s chapter 7; mt-bench explains first and gives 1 to 10",
      ).choices(Object.keys(QUESTIONS)).default("score"),
    )
    .option("--pairs", "with --against: also ask which answer is better, in both orders", false)
    .option(
      "--card",
      "print what is known of the judge: whether it tells right answers from wrong ones, and prefers long ones",
      false,
    )
    .option("--human <field>", "for the card: the field that has a person's score of each response")
    .option("--temperature <number>", "the judge's temperature", readRate, 0)
    .option("--seed <n>", "the judge's seed", readWhole, 123)
    .option("--num-ctx <tokens>", "the most tokens of prompt and reply", readCount, 4096)
    .option("--json", "print one JSON document on standard output, and nothing else there", false)
    .addHelpText(
      "after",
      "\nExamples:\n  tunebook score responses.json --judge ollama:llama3 --json\n" +
        "  tunebook score responses.json --metric bleu,chrf,rougeL,meteor\n" +
        "  tunebook score tuned.json --against base.json --metric bleu,exactMatch\n" +
        "  tunebook score tuned.json --judge ollama:llama3 --card --human points\n\n" +
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
  assertJudging(options);
  const { one: asked, two: askedOfPairs } = QUESTIONS[options.question];
  const questions = options.criteria.map((name) => criterionQuestion(name as Criterion));
  options.metric?.forEach(findMetric);
  const fields = fieldOptions(options);
  const read = async (path: string) => (await readResponses(path, fields)).slice(0, options.limit);
  const entries = await read(path);
  const { rougeL, exactMatch, examples, each } = scoreResponses(entries);
  const metrics = options.metric && scoreMetrics(entries, options.metric);
  const names = options.metric ?? ["rougeL", "exactMatch"];
  const others = options.against && await read(options.against);
  const comparisons = others ? compareResponses(others, entries, names) : undefined;
  const human = options.human === undefined ? undefined : humanScores(entries, options.human);
  const report = judge ? await askJudge(judge, entries, asked) : null;
  const pairs = options.pairs
    ? await askPairs(judge!, others || [], entries, askedOfPairs)
    : undefined;
  const card = options.card
    ? await judgeCard(judge!, entries, {
      ...(others && { other: others }),
      ...(human && { human }),
      seed: options.seed,
      question: asked,
      pairQuestion: askedOfPairs,
    })
    : undefined;
  const criteria: Record<string, JudgeReport> = {};
  for (const question of judge ? questions : []) {
    criteria[question.name] = await askJudge(judge!, entries, question, question.name);
  }
  const seeds = judge && options.seeds.length > 0
    ? await judgeWithSeeds(
      entries,
      (seed) => judgeOf(options.judge!, options, seed),
      options.seeds,
      { question: asked },
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
      ...(pairs && { pairs }),
      ...(card && { card }),
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
    if (pairs) console.log(`pairs        ${describePairs(pairs)}`);
    for (const line of card ? describeCard(card) : []) console.log(line);
    for (const [name, one] of Object.entries(criteria)) {
      console.log(`${name.padEnd(12)} ${describeJudgement(one)}`);
    }
    if (seeds) {
      const [average, spread] = [seeds.average, seeds.spread].map((one) => one?.toFixed(2) ?? "–");
      console.log(`seeds        ${average}, standard deviation between seeds ${spread}`);
    }
  }
  if (report) printReading(report);
  if (pairs) printReading(pairs, "pairs");
  for (const [name, one] of Object.entries(criteria)) printReading(one, name);
  for (const one of seeds?.reports ?? []) printReading(one, `seed ${one.seed}`);
}

/** Prints how replies were read that are not bare scores, and why others were not. */
function printReading(
  { understood = [], problems }:
    & Pick<PairReport, "problems">
    & Partial<Pick<JudgeReport, "understood">>,
  asked?: string,
): void {
  const of = asked === undefined ? "" : `${asked}: `;
  const times = (count: number) => count > 1 ? ` (${count} times)` : "";
  for (const { reply, score, count } of understood) {
    const said = JSON.stringify(reply.length > 60 ? `${reply.slice(0, 60)}…` : reply);
    console.error(`note: ${of}${said} was read as ${score}${times(count)}`);
  }
  for (const { message, count } of problems) {
    console.error(`warning: ${of}${message}${times(count)}`);
  }
}

/** Refuses options that would do nothing. */
function assertJudging(options: Options): void {
  const { judge, pairs, against, card, human, question } = options;
  const needJudge = pairs
    ? "--pairs"
    : card
    ? "--card"
    : question !== "score"
    ? "--question"
    : undefined;
  if (judge === undefined && needJudge !== undefined) {
    throw new TypeError(`Cannot judge: ${needJudge} needs --judge`);
  }
  if (pairs && against === undefined) {
    throw new TypeError("Cannot compare pairs: --pairs needs --against");
  }
  if (human !== undefined && !card) {
    throw new TypeError("Cannot compare with people: --human needs --card");
  }
}

/** People's scores of the responses, null where there is none. */
function humanScores(entries: readonly ResponseEntry[], field: string): (number | null)[] {
  const scores = entries.map((entry, i) => {
    const value = (entry as unknown as Record<string, unknown>)[field];
    if (value === undefined || value === null || value === "") return null;
    const score = Number(value);
    if (typeof value !== "boolean" && Number.isFinite(score)) return score;
    throw new TypeError(
      `Cannot compare with people: "${field}" of entry ${i + 1} must be a number, got ${
        JSON.stringify(value)
      }`,
    );
  });
  if (scores.some((score) => score !== null)) return scores;
  throw new TypeError(`Cannot compare with people: no entry has the field "${field}"`);
}

async function askPairs(
  judge: Judge,
  others: readonly ResponseEntry[],
  entries: readonly ResponseEntry[],
  question: typeof PAIR_QUESTION,
): Promise<PairReport> {
  using interrupt = onInterrupt(() => console.error("Stopping"));
  const bar = progress(`${judge.name}, pairs`, entries.length);
  const report = await judgePairs(others, entries, judge, {
    question,
    signal: interrupt.signal,
    onOutcome({ winner }, index) {
      const words = { a: "other", b: "this", tied: "tied" };
      bar.update(index + 1, winner === null ? "failed" : words[winner]);
    },
  });
  bar.finish();
  return report;
}

function describePairs(report: PairReport): string {
  const { a, b, ties, failed, consistency, p } = report;
  const same = consistency === null
    ? ""
    : `, the same in both orders ${(100 * consistency).toFixed(0)} %`;
  const counts = `this ${b}, other ${a}, ties ${ties}, failed ${failed}${same}`;
  return `${counts}, p ${p.toFixed(4)}: ${pairVerdict(report, ["other", "this"])}`;
}

/** A judge's card, in lines. */
function describeCard({ trust, orderConsistency, lengthSlope, agreement }: JudgeCard): string[] {
  const number = (value: number | null, digits = 2) =>
    value === null || !Number.isFinite(value) ? "not known" : value.toFixed(digits);
  const { gold, shuffled, empty, gap, ranked } = trust;
  return [
    `references   ${number(gold.mean)}; of other entries ${number(shuffled.mean)}, no answer ${
      number(empty.mean)
    }`,
    `gap          ${number(gap)} points; the right reference is above the wrong one in ${
      ranked === null ? "no known share" : `${(100 * ranked).toFixed(0)} %`
    }`,
    `length       ${number(lengthSlope)} points for 100 more words`,
    ...(orderConsistency === null
      ? []
      : [`orders       ${(100 * orderConsistency).toFixed(0)} % of pairs the same in both`]),
    ...(agreement === null ? [] : [`people       rank correlation ${number(agreement)}`]),
  ];
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
  question: JudgeQuestion,
  criterion?: string,
): Promise<JudgeReport> {
  using interrupt = onInterrupt(() => console.error("Stopping; press Ctrl-C again to end at once"));
  const bar = progress(
    criterion === undefined ? judge.name : `${judge.name}, ${criterion}`,
    entries.length,
  );
  const report = await judgeResponses(entries, judge, {
    signal: interrupt.signal,
    question,
    onOutcome(outcome, index) {
      bar.update(index + 1, outcome.status === "scored" ? `${outcome.score}` : outcome.status);
    },
  });
  bar.finish();
  return report;
}
