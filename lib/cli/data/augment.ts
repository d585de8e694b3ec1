// `tunebook data augment`: paraphrases, new pairs that a person reviews, and labels by self-consistency.

import type { Command } from "commander";
import {
  type DatasetEntry,
  labelBySelfConsistency,
  paraphraseByRules,
  type Proposals,
  proposePairs,
  proposeParaphrases,
  type PseudoLabel,
  readProposals,
  writeDataset,
  writeProposals,
} from "../../dataset/mod.ts";
import { isInstruction, PARAPHRASE_RULES } from "../../dataset/augment/rules.ts";
import { readText } from "../../dataset/load.ts";
import { writeFileBeside } from "../../write_beside.ts";
import { readCount, readShare, readWhole } from "../arguments.ts";
import { onInterrupt } from "../interrupt.ts";
import { progress } from "../progress.ts";
import { addFieldOptions, type DataOptions, readData } from "../read_data.ts";
import { readTeacher, type TeacherOptions, teacherOptions } from "../teacher_options.ts";
import {
  dataArgument,
  excerpt,
  exists,
  numbered,
  outOption,
  readList,
  report,
  type ReportOptions,
  reportOptions,
} from "./report.ts";

interface Options extends DataOptions, ReportOptions, TeacherOptions {
  out: string;
  rules: string[];
  perEntry: number;
  paraphrases: number;
  pairs: number;
  review?: string;
  label: boolean;
  samples: number;
  agreement: number;
  seed: number;
}

const RULE_NAMES = PARAPHRASE_RULES.map(({ name }) => name);

/** Adds the subcommand. */
export function register(data: Command): void {
  const command = data.command("augment")
    .summary("add paraphrases and reviewed pairs, and label entries without an answer")
    .description(
      "Adds entries after those that are there, each with its origin in the field source. --rules rewords how instructions " +
        "begin. --paraphrases and --pairs ask a model; a person reviews what it proposes: the first run writes the table of " +
        "--review and nothing else, and once its columns facts, steps and form have yes or no in each row, the same command " +
        "writes the data, with the texts of revised_instruction and revised_output where there are any. --label asks the model " +
        "several times for each missing output and takes an answer on which enough of them agree. Augment the training part " +
        "after a split: a paraphrase of a test entry is a leak.",
    )
    .addArgument(dataArgument())
    .addOption(outOption())
    .option(
      "--rules <names>",
      `of ${RULE_NAMES.join(", ")}, with commas between, all or none`,
      readList(RULE_NAMES, "rule"),
      [],
    )
    .option("--per-entry <n>", "the most paraphrases of an entry by rules", readCount, 1)
    .option("--paraphrases <n>", "the rewordings of each instruction to ask for", readWhole, 0)
    .option("--pairs <n>", "the new pairs to ask for", readWhole, 0)
    .option("--review <file>", "the CSV file in which a person reviews paraphrases and pairs")
    .option("--label", "fill empty outputs with answers on which samples agree", false)
    .option("--samples <n>", "the answers to each entry for --label", readCount, 5)
    .option("--agreement <share>", "the least share of answers that must agree", readShare, 0.6)
    .option("--seed <n>", "the seed of rules, examples and answers", readWhole, 123);
  for (const option of [...teacherOptions(0.7), ...reportOptions()]) command.addOption(option);
  addFieldOptions(command);
  command.addHelpText(
    "after",
    "\nExamples:\n  tunebook data augment train.json --out more.json --rules all\n" +
      "  tunebook data augment train.json --out more.json --pairs 20 --teacher ollama:llama3 --review pairs.csv\n\n" +
      `Rules:\n${
        PARAPHRASE_RULES.map(({ name, summary }) => `  ${name.padEnd(12)} ${summary}`).join("\n")
      }`,
  ).action(augment);
}

async function augment(source: string, options: Options): Promise<void> {
  using interrupt = onInterrupt(() => console.error("Stopping"));
  const { signal } = interrupt;
  const { out, rules, perEntry, paraphrases, pairs, review, label, seed } = options;
  const isReviewed = paraphrases > 0 || pairs > 0;
  if (rules.length === 0 && !isReviewed && !label) {
    throw new TypeError(
      "Cannot augment: give at least one of --rules, --paraphrases, --pairs and --label",
    );
  }
  if (isReviewed !== (review !== undefined)) {
    throw new TypeError(
      isReviewed
        ? "Cannot add what a model proposes unseen: give --review FILE, in which a person decides"
        : "Cannot review: --review needs --paraphrases or --pairs",
    );
  }
  const entries = await readData(source, { ...options, signal });
  const others = entries.filter((entry) => !isInstruction(entry)).length;
  if (others > 0) {
    console.error(`Note: ${others} entries are conversations or texts, which are not augmented`);
  }
  if (review !== undefined && !await exists(review)) {
    await propose(entries, review, options, signal);
    return;
  }
  const reviewed = review === undefined ? undefined : readProposals(await readText(review), review);
  const labelled = label ? await labelAll(entries, options, signal) : { entries, labels: [] };
  const byRules = rules.length > 0
    ? paraphraseByRules(labelled.entries, { rules, perEntry, seed })
    : [];
  const all = [...labelled.entries, ...byRules, ...(reviewed?.accepted ?? [])];
  await writeDataset(out, all);
  const { accepted, refused, revised } = reviewed ?? { accepted: [], refused: [], revised: 0 };
  const filled = labelled.labels.filter((one) => one.accepted).length;
  const whole = { source, out, entries: entries.length, written: all.length };
  await report(
    options,
    {
      ...whole,
      paraphrases: byRules,
      reviewed: reviewed ?? null,
      labels: labelled.labels.map(numbered),
    },
    [
      `${entries.length} entries, ${all.length} written to "${out}"`,
      ...(rules.length > 0 ? [`${byRules.length} paraphrases by rules`] : []),
      ...(reviewed
        ? [
          `"${review}": ${accepted.length} accepted, ${revised} of them revised, ${refused.length} refused`,
        ]
        : []),
      ...(label ? [describeLabels(labelled.labels, filled)] : []),
    ],
    [...byRules, ...accepted].map(({ instruction, output, source }) => ({
      ...{ instruction: excerpt(instruction), output: excerpt(output), source },
    })),
  );
}

async function labelAll(
  entries: readonly DatasetEntry[],
  options: Options,
  signal: AbortSignal,
): Promise<{ entries: DatasetEntry[]; labels: PseudoLabel[] }> {
  const { samples, agreement, seed, temperature } = options;
  const teacher = readTeacher(options, "label");
  if (temperature === 0) {
    throw new RangeError(
      "Cannot compare answers that are all the same: --label needs a --temperature above 0",
    );
  }
  const empty = entries.filter((entry) => isInstruction(entry) && entry.output.trim() === "");
  const bar = progress(teacher.name, empty.length);
  const onProgress = (done: number) => bar.update(done);
  const result = await labelBySelfConsistency(entries, teacher, {
    ...{ samples, agreement, seed, signal, onProgress },
  });
  bar.finish();
  return result;
}

function describeLabels(labels: readonly PseudoLabel[], filled: number): string {
  const left = labels.filter(({ accepted }) => !accepted).map(({ index }) => index + 1);
  const rest = left.length === 0
    ? ""
    : `; entries ${left.slice(0, 10).join(", ")}${
      left.length > 10 ? ` and ${left.length - 10} more` : ""
    } stay empty, because too few answers agree`;
  return `${filled} of ${labels.length} empty outputs labelled${rest}`;
}

/** Writes the table for a person. */
async function propose(
  entries: readonly DatasetEntry[],
  review: string,
  options: Options,
  signal: AbortSignal,
): Promise<void> {
  const { paraphrases, pairs, seed } = options;
  const teacher = readTeacher(options, "propose entries");
  const instructions = entries.filter(isInstruction).length;
  const bar = progress(teacher.name, (paraphrases > 0 ? instructions : 0) + pairs);
  let before = 0;
  const onProgress = (done: number) => bar.update(before + done);
  const found: Proposals = { proposals: [], rejected: [] };
  const add = ({ proposals, rejected }: Proposals) => {
    found.proposals.push(...proposals);
    found.rejected.push(...rejected);
  };
  if (paraphrases > 0) {
    const asked = { perEntry: paraphrases, seed, signal, onProgress };
    add(await proposeParaphrases(entries, teacher, asked));
    before = instructions;
  }
  if (pairs > 0) {
    add(await proposePairs(entries, teacher, { count: pairs, seed, signal, onProgress }));
  }
  bar.finish();
  const { proposals, rejected } = found;
  if (options.report !== undefined) {
    const counted = <One extends { readonly from: readonly number[] }>(one: One) => ({
      ...one,
      from: one.from.map((index) => index + 1),
    });
    const whole = {
      ...found,
      proposals: found.proposals.map(counted),
      rejected: found.rejected.map(counted),
    };
    await writeFileBeside(options.report, `${JSON.stringify(whole, null, 2)}\n`);
  }
  for (const { reason, from } of rejected.slice(0, 5)) {
    const origin = from.map((index) => index + 1).join(", ");
    console.error(`note: a reply from entries ${origin} is left out: ${reason}`);
  }
  if (rejected.length > 5) console.error(`note: and ${rejected.length - 5} more`);
  if (proposals.length === 0) {
    throw new Error(`Cannot write "${review}": none of the replies of ${teacher.name} is usable`);
  }
  await writeFileBeside(review, writeProposals(proposals));
  console.error(
    `${proposals.length} proposals written to "${review}": put yes or no into the columns facts, steps and form of each, ` +
      "revise where needed, and run this command again; no data was written",
  );
}
