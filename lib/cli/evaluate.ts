// `tunebook evaluate`: a model beside its base, by metrics and a judge, on one page.

import type { Command } from "commander";
import { describeComparison } from "../eval/compare.ts";
import { evaluateAnswers, type EvaluationReport } from "../eval/evaluation_report.ts";
import { describeJudgement } from "../eval/judge.ts";
import { pairVerdict } from "../eval/judges/pairwise.ts";
import { parseJudge } from "../eval/judges/parse_judge.ts";
import { findMetric } from "../eval/metrics/mod.ts";
import type { ResponseEntry } from "../eval/responses.ts";
import type { AnswerOptions } from "../pipeline/mod.ts";
import { assertRecord, recordEvaluations } from "../pipeline/save.ts";
import type { DatasetEntry } from "../dataset/mod.ts";
import type { EvaluationLike } from "../show/evaluation_view.ts";
import { writeFileBeside } from "../write_beside.ts";
import { deviceOption, readCount, readWhole } from "./arguments.ts";
import { formatOption, noteOnGuess, readFormatOption } from "./format.ts";
import { onInterrupt } from "./interrupt.ts";
import { loadForCommand } from "./load.ts";
import { progress } from "./progress.ts";
import { addFieldOptions, type DataOptions, limitOption, readData } from "./read_data.ts";
import {
  noteGeneration,
  readSampling,
  type SamplingOptions,
  samplingOptions,
} from "./sampling_options.ts";

interface Options extends DataOptions, SamplingOptions {
  base: string;
  model: string;
  data: string;
  instruction: string[];
  metric: string[];
  judge?: string;
  judgeUrl?: string;
  judgeCache?: string;
  numCtx: number;
  limit?: number;
  seed: number;
  format?: string;
  html?: string;
  record: boolean;
  json: boolean;
  device?: "auto" | "cpu" | "webgpu";
}

/** Adds the subcommand. */
export function register(program: Command): void {
  const command = program.command("evaluate")
    .summary("evaluate a model beside its base, by metrics and a judge")
    .description(
      "Lets two models answer the same instructions, and compares the answers by metrics with intervals, by category " +
        "(the entries' category or topic), and with --judge by a language model, which scores each answer and compares " +
        "each pair in both orders. A winner is named only if the difference is greater than chance would give.",
    )
    .requiredOption("--base <name>", "the model to compare with, as for --model")
    .requiredOption(
      "--model <name>",
      "nano, gpt2-medium, smollm2-135m-instruct, hf:owner/name, ollama:name, a directory, or a GGUF file",
    )
    .requiredOption("--data <file|url>", "the instructions or conversations, with references")
    .option(
      "--instruction <text>",
      "an instruction of your own, which has no reference: both answers are shown, and not scored; may be repeated",
      (text, others: string[]) => [...others, text],
      [],
    )
    .option(
      "--metric <names>",
      'metrics, with commas between them; "tunebook score --help" lists them',
      (text) => text.split(",").map((name) => name.trim()).filter((name) => name !== ""),
      ["rougeL", "chrf", "exactMatch"],
    )
    .option("--judge <name>", 'a judge as well: "ollama:MODEL" or "openai:MODEL"')
    .option("--judge-url <url>", "the endpoint of an openai: judge, instead of OPENAI_BASE_URL")
    .option("--judge-cache <folder>", "keep the judge's replies there, and do not ask again")
    .option(
      "--num-ctx <tokens>",
      "the most tokens of the judge's prompt and reply",
      readCount,
      4096,
    )
    .addOption(limitOption());
  for (const option of samplingOptions()) command.addOption(option);
  command
    .option("--seed <n>", "the seed of the draws, and of the judge", readWhole, 123)
    .addOption(formatOption())
    .addOption(deviceOption())
    .option(
      "--html <file>",
      "write one page: scores, differences, categories, answers side by side",
    )
    .option(
      "--record",
      "keep the model's scores in the record and the model card of its folder",
      false,
    )
    .option("--json", "print one JSON document on standard output, and nothing else there", false)
    .addHelpText(
      "after",
      "\nExample:\n  tunebook evaluate --base nano --model models/nano-sft --data models/nano-sft/test.json " +
        "--metric rougeL,bleu,perplexity --html page.html",
    )
    .action(run);
  addFieldOptions(command);
}

async function run(options: Options): Promise<void> {
  options.metric.forEach(findMetric); // a misspelt name or judge is reported before anything is computed
  const { judgeUrl: url, judgeCache: cache, numCtx, seed } = options;
  const judge = options.judge === undefined
    ? undefined
    : parseJudge(options.judge, { seed, numCtx, url, cache });
  if (options.record) await assertRecord(options.model);
  const drawing = readSampling(options);
  using interrupt = onInterrupt(() => console.error("\nStopping"));
  const { signal } = interrupt;
  const all = await readData(options.data, { ...options, signal });
  const entries = all.slice(0, options.limit);
  // One after the other, so that no more than one model is in memory.
  const base = await answerAll(options.base, entries, { ...options, drawing, signal });
  const model = await answerAll(
    options.model,
    entries,
    { ...options, drawing, signal },
    options.record,
  );
  const bar = progress(judge?.name ?? "Judge", 3 * entries.length);
  const scored = await evaluateAnswers(
    { name: options.base, responses: base.responses },
    { name: options.model, responses: model.responses },
    {
      metrics: options.metric,
      ...(judge && { judge }),
      signal,
      onProgress: (done) => bar.update(done, ""),
    },
  );
  if (judge) bar.finish();
  const unscored = options.instruction.map((instruction, i) => (
    { instruction, base: base.unscored[i], model: model.unscored[i] }
  ));
  const report: Report = { ...scored, ...(unscored.length > 0 && { unscored }) };
  if (options.html !== undefined) await writePage(options.html, report, options.data);
  if (options.json) console.log(JSON.stringify(report, null, 2));
  else print(report);
}

async function answerAll(
  name: string,
  entries: readonly DatasetEntry[],
  options: Options & { drawing: AnswerOptions; signal: AbortSignal },
  record = false,
): Promise<{ responses: ResponseEntry[]; unscored: string[] }> {
  const { drawing, seed, signal } = options;
  using model = await loadForCommand(name, { device: options.device, signal });
  const bar = progress(`Answering by ${name}`, entries.length);
  const format = await readFormatOption(options.format);
  noteOnGuess(model, format, entries);
  noteGeneration(model, drawing);
  const answering = {
    ...{ ...drawing, seed, signal },
    ...(format !== undefined && { format }),
  };
  const { responses } = await model.evaluate(entries, {
    ...answering,
    // Unless they are kept, the other metrics are computed together with the comparison.
    metrics: options.metric.filter((name) =>
      record || findMetric(name).metric.name === "perplexity"
    ),
    onProgress: (done) => bar.update(done, ""),
  });
  bar.finish();
  const notices = record ? await recordEvaluations(model, name) : [];
  for (const notice of notices) console.error(`Note: ${notice}`);
  const unscored = await model.answer(options.instruction, answering);
  return { responses, unscored };
}

/** What is evaluated, and the answers to instructions without a reference. */
type Report = EvaluationReport & Pick<EvaluationLike, "unscored">;

function print({ names, examples, comparisons, judged, unscored = [] }: Report): void {
  console.log(`examples     ${examples}`);
  const called = names.base === names.model
    ? ["base", "model"] as const
    : [names.base, names.model] as const;
  for (const comparison of comparisons) console.log(describeComparison(comparison, called));
  for (const { instruction, base, model } of unscored) {
    console.log(`\n${instruction}\n${called[0]}: ${base}\n${called[1]}: ${model}`);
  }
  if (judged === undefined) return;
  const { base, model, pairs } = judged;
  console.log(`${called[0]}: ${describeJudgement(base)}`);
  console.log(`${called[1]}: ${describeJudgement(model)}`);
  console.log(
    `pairs: ${called[0]} ${pairs.a}, ${
      called[1]
    } ${pairs.b}, ties ${pairs.ties}, failed ${pairs.failed}: ${pairVerdict(pairs, called)}`,
  );
  for (
    const [asked, { problems }] of [[called[0], base], [called[1], model], [
      "pairs",
      pairs,
    ]] as const
  ) {
    for (const { message, count } of problems) {
      console.error(`warning: ${asked}: ${message}${count > 1 ? ` (${count} times)` : ""}`);
    }
  }
}

async function writePage(path: string, report: Report, data: string): Promise<void> {
  const { renderStaticPage } = await import("../grade/page.ts");
  const { evaluationView } = await import("../show/evaluation_view.ts");
  const { escapeHtml } = await import("../show/theme.ts");
  const page = renderStaticPage({
    title: `${report.names.model} beside ${report.names.base}`,
    about: `${report.examples} examples of ${escapeHtml(data)}`,
    body: evaluationView(report).bundle["text/html"]!,
  });
  await writeFileBeside(path, page);
}
