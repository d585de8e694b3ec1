// `tunebook score`: scores a model's responses against their references and, on request, by a
// judge.

import type { Command } from "commander";
import { describeJudgement, type Judge, type JudgeReport, judgeResponses } from "../eval/judge.ts";
import { parseJudge } from "../eval/ollama_judge.ts";
import { readResponses, type ResponseEntry } from "../eval/responses.ts";
import { scoreResponses } from "../eval/scores.ts";
import { readCount, readWhole } from "./arguments.ts";
import { onInterrupt } from "./interrupt.ts";
import { progress } from "./progress.ts";

interface Options {
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
        "fractions. With --judge a language model also scores each from 0 to 100; invalid and missing " +
        "replies are counted and explained, and do not end the run.",
    )
    .argument("<responses>", "the JSON file")
    .option("--judge <name>", 'ask a judge: "ollama:MODEL", at OLLAMA_HOST or on this machine')
    .option("--seed <n>", "the judge's seed", readWhole, 123)
    .option("--num-ctx <tokens>", "the most tokens of prompt and reply", readCount, 4096)
    .option("--json", "print one JSON document on standard output, and nothing else there", false)
    .addHelpText(
      "after",
      "\nExample:\n  tunebook score responses.json --judge ollama:llama3 --json",
    )
    .action(score);
}

async function score(path: string, options: Options): Promise<void> {
  // an invalid judge is reported before anything is read
  const judge = options.judge === undefined
    ? undefined
    : parseJudge(options.judge, { seed: options.seed, numCtx: options.numCtx });
  const entries = await readResponses(path);
  const { rougeL, exactMatch, examples, each } = scoreResponses(entries);
  const report = judge ? await askJudge(judge, entries) : null;
  if (options.json) {
    const document = { responses: path, examples, rougeL, exactMatch, judge: report };
    console.log(JSON.stringify(document, null, 2));
  } else {
    const matches = each.filter((one) => one.exactMatch).length;
    console.log(`examples     ${examples}`);
    console.log(`ROUGE-L      ${rougeL.toFixed(4)}`);
    console.log(`exact match  ${exactMatch.toFixed(4)} (${matches} of ${examples})`);
    if (report) console.log(`judge        ${describeJudgement(report)}`);
  }
  for (const { message, count } of report?.problems ?? []) {
    console.error(`warning: ${message}${count > 1 ? ` (${count} times)` : ""}`);
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
