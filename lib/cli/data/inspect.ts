// `tunebook data inspect`: what a data set is, and what a model would learn from it.

import type { Command } from "commander";
import { styleText } from "node:util";
import {
  type DatasetEntry,
  type DatasetReport,
  describeReport,
  type Exploration,
  exploreEntries,
  inspectExamples,
  type Inspection,
  readDataset,
} from "../../dataset/mod.ts";
import { isChatEntry } from "../../dataset/chat_entry.ts";
import { formatFor } from "../../pipeline/format.ts";
import { exampleTokens } from "../../show/token_view.ts";
import { visibleText } from "../../show/token_text.ts";
import type { Mask, Tokenizer } from "../../text/mod.ts";
import { jsonOption, maskOption, readCount, readWhole } from "../arguments.ts";
import { formatOption, readFormatOption } from "../format.ts";
import { writeFileBeside } from "../../write_beside.ts";
import { onInterrupt } from "../interrupt.ts";
import { findForCommand } from "../load.ts";
import { addFieldOptions, type DataOptions, fieldOptions } from "../read_data.ts";
import { dataArgument } from "./report.ts";

interface Options extends DataOptions {
  model: string;
  format?: string;
  mask: Mask;
  maxLength?: number;
  examples: number;
  html?: string;
  json: boolean;
}

/** Its tokenizer, GPT-2's, comes with the library. */
const DEFAULT_MODEL = "nano";

/** Adds the subcommand. */
export function register(data: Command): void {
  const command = data.command("inspect")
    .summary("show forms, lengths, and which tokens a model would learn")
    .description(
      "Shows what a data set is and what a model would learn from it: the forms of its entries, fields, empty answers, " +
        "lengths in tokens, topics, words, exact and near duplicates, outliers, and examples with the tokens that count in " +
        "colour. --html writes all of it as a page with tables and charts. Fails if the token that ends an answer never " +
        "counts, because the model would not learn to stop.",
    )
    .addArgument(dataArgument())
    .option(
      "--model <name>",
      "the model whose tokenizer and format are used; its weights are not read",
      DEFAULT_MODEL,
    )
    .addOption(formatOption())
    .addOption(maskOption())
    .option("--max-length <n>", "the most tokens of an example", readCount)
    .option("--examples <n>", "how many examples to show", readWhole, 3)
    .option(
      "--html <file>",
      "write one page: a table and a chart of each statistic, and the examples",
    )
    .addOption(jsonOption())
    .addHelpText("after", "\nExample:\n  tunebook data inspect chats.jsonl --model hf:owner/name")
    .action(inspect);
  addFieldOptions(command);
}

async function inspect(source: string, options: Options): Promise<void> {
  using interrupt = onInterrupt(() => console.error("Stopping"));
  const { signal } = interrupt;
  const { mask, maxLength } = options;
  const { entries, report } = await readDataset(source, { ...fieldOptions(options), signal });
  const found = await findForCommand(options.model, { weights: false, signal });
  const named = await readFormatOption(options.format);
  const isTaught = found.taught?.format !== undefined;
  if (options.model === DEFAULT_MODEL && named === undefined && entries.some(isChatEntry)) {
    throw new TypeError(
      `Cannot show conversations as "${DEFAULT_MODEL}" reads them, which has no chat template: --model NAME says which ` +
        "model should learn them, or --format NAME in which format, such as --format zephyr",
    );
  }
  const format = formatFor({ ...found, isTaught }, entries, named);
  const count = { mask, ...(maxLength !== undefined && { maxLength }) };
  const inspection = inspectExamples(entries, found.tokenizer, { format, ...count });
  const explored = exploreEntries(entries, found.tokenizer, { format });
  if (options.html !== undefined) {
    const shown = { report, inspection, explored, entries, format: format.name };
    await writePage(options.html, shown, found.tokenizer, options);
  }
  if (options.json) printJson(report, inspection, explored, format.name);
  else print(report, inspection, explored, found.tokenizer, { ...options, format: format.name });
  const { closing, unclosed, uncounted } = inspection;
  if (unclosed.length > 0 && unclosed.length === entries.length - uncounted.length) {
    throw new RangeError(
      `Cannot teach the model to stop: its closing token "${
        found.tokenizer.decode([closing])
      }" is never a target; ` +
        "take a model that was made for this format, another format, or a larger --max-length",
    );
  }
}

function printJson(
  report: DatasetReport,
  inspection: Inspection,
  explored: Exploration,
  format: string,
): void {
  const { tokens: { total, counted }, cut, uncounted, unclosed, closing } = inspection;
  const sizes = ({ values: _, ...summary }: typeof total) => summary;
  const tokens = { total: sizes(total), counted: sizes(counted) };
  const { topics, openings, ngrams, vocabulary, duplicates, nearDuplicates, conflicts, outliers } =
    explored;
  const learnt = { format, tokens, cut, uncounted, unclosed, closing };
  const words = { topics, openings, ngrams, vocabulary };
  const doubtful = { duplicates, nearDuplicates, conflicts, outliers };
  console.log(JSON.stringify({ ...report, ...learnt, ...words, ...doubtful }, null, 2));
}

function print(
  report: DatasetReport,
  inspection: Inspection,
  explored: Exploration,
  tokenizer: Tokenizer,
  options: { mask: Mask; examples: number; format: string },
): void {
  const { examples, tokens, cut, uncounted, unclosed } = inspection;
  for (const line of describeReport(report)) console.log(line);
  console.log(`written in the format ${options.format}, mask ${options.mask}`);
  console.log("");
  for (const [name, { min, median, mean, p95, max }] of Object.entries(tokens)) {
    const what = name === "total" ? "tokens" : "that count";
    console.log(
      `${what.padEnd(11)} ${min} to ${max}, median ${median}, mean ${
        mean.toFixed(1)
      }, 95 % up to ${p95}`,
    );
  }
  const parts: [readonly number[], string][] = [
    [cut, "are cut"],
    [uncounted, "have no token that counts"],
    [unclosed, "count no closing token"],
  ];
  for (const [indices, what] of parts) {
    if (indices.length === 0) continue;
    console.log(
      `${indices.length} of ${examples.length} examples ${what} (the first is entry ${
        indices[0] + 1
      })`,
    );
  }
  for (const line of describeExploration(explored)) console.log(line);
  for (const [i, example] of examples.slice(0, options.examples).entries()) {
    const { tokens, counted } = exampleTokens(example, tokenizer, options.mask);
    console.log(`\nEntry ${i + 1}`);
    console.log(colour(tokens, counted));
  }
}

/** What the statistics say, in lines. */
function describeExploration(explored: Exploration): string[] {
  const { topics, vocabulary, ngrams, duplicates, nearDuplicates, conflicts, outliers } = explored;
  const list = (items: readonly string[]) =>
    items.slice(0, 5).join(", ") + (items.length > 5 ? `, and ${items.length - 5} more` : "");
  const numbers = (groups: readonly (readonly number[])[]) =>
    list(groups.map((group) => group.map((index) => index + 1).join("=")));
  const { prompt, response } = vocabulary;
  return [
    ...(topics.length > 0
      ? [`topics      ${list(topics.map(({ topic, count }) => `${topic ?? "none"} (${count})`))}`]
      : []),
    `words       ${prompt.words} in prompts, ${prompt.distinct} different; ` +
    `${response.words} in responses, ${response.distinct} different`,
    ...(ngrams.response[2].length > 0
      ? [`responses   ${list(ngrams.response[2].map((one) => `"${one.words}" (${one.count})`))}`]
      : []),
    ...(duplicates.length > 0
      ? [`equal       ${duplicates.length} groups of entries: ${numbers(duplicates)}`]
      : []),
    ...(nearDuplicates.length > 0
      ? [
        `nearly so   ${nearDuplicates.length} pairs of entries: ` +
        numbers(nearDuplicates.map(({ first, second }) => [first, second])),
      ]
      : []),
    ...(conflicts.length > 0
      ? [`contrary    ${conflicts.length} groups that ask the same: ${numbers(conflicts)}`]
      : []),
    ...(outliers.length > 0
      ? [
        `outliers    ${
          list(
            outliers.map(({ index, measure, value }) =>
              `entry ${index + 1} (${measure} ${Number(value.toFixed(1))})`
            ),
          )
        }`,
      ]
      : []),
  ];
}

/** What is shown on a page. */
interface Shown {
  report: DatasetReport;
  inspection: Inspection;
  explored: Exploration;
  entries: readonly DatasetEntry[];
  format: string;
}

async function writePage(
  path: string,
  { report, inspection, explored, entries, format }: Shown,
  tokenizer: Tokenizer,
  { mask, examples }: { mask: Mask; examples: number },
): Promise<void> {
  const { renderStaticPage } = await import("../../grade/page.ts");
  const { explorationView } = await import("../../show/exploration_view.ts");
  const { tokenView } = await import("../../show/token_view.ts");
  const { escapeHtml } = await import("../../show/theme.ts");
  const { cut, uncounted, unclosed } = inspection;
  const lines = [
    ...describeReport(report),
    `written in the format ${format}, mask ${mask}`,
    ...([[cut, "are cut"], [uncounted, "have no token that counts"], [
      unclosed,
      "count no closing token",
    ]] as const).filter(([indices]) => indices.length > 0).map(([indices, what]) =>
      `${indices.length} of ${entries.length} examples ${what} (the first is entry ${
        indices[0] + 1
      })`
    ),
  ];
  const list = `<ul>${lines.map((line) => `<li>${escapeHtml(line)}</li>`).join("")}</ul>`;
  const shown = inspection.examples.slice(0, examples).map((example, i) => ({
    ...exampleTokens(example, tokenizer, mask),
    label: `Entry ${i + 1}`,
  }));
  await writeFileBeside(
    path,
    renderStaticPage({
      title: "What is in the data",
      about: `${entries.length} entries of ${escapeHtml(report.name)}`,
      body: `<section>${list}</section>\n${explorationView(explored, entries).html}\n` +
        `<section><h2>What the model learns</h2>${
          tokenView(shown, { maxSequences: shown.length }).html
        }</section>`,
    }),
  );
}

/** Tokens that count in green; where there are no colours, in brackets. */
function colour(tokens: readonly string[], counted: readonly boolean[]): string {
  const inColour = !Deno.noColor && Deno.stdout.isTerminal();
  let text = "";
  for (let start = 0; start < tokens.length;) {
    let end = start + 1;
    while (end < tokens.length && counted[end] === counted[start]) end++;
    const run = tokens.slice(start, end).map((token) => token === "\n" ? "\n" : visibleText(token));
    const shown = run.join("");
    if (inColour) text += styleText(counted[start] ? ["green", "bold"] : "dim", shown);
    else text += counted[start] ? `⟦${shown}⟧` : shown;
    start = end;
  }
  return text;
}
