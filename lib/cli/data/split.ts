// `tunebook data split`: writes the parts of a data set to files, and says what is in them.

import { join } from "@std/path/join";
import { type Command, Option } from "commander";
import { type DatasetEntry, findLeaks, type Split, writeDataset } from "../../dataset/mod.ts";
import { topicOf } from "../../dataset/entry.ts";
import { textOf } from "../../dataset/word_bags.ts";
import { makeFolder } from "../../write_beside.ts";
import { readShare } from "../arguments.ts";
import { onInterrupt } from "../interrupt.ts";
import { addFieldOptions, type DataOptions, readData } from "../read_data.ts";
import { type SplitCommandOptions, splitData, splitOptions } from "../split_options.ts";
import {
  dataArgument,
  excerpt,
  numbered,
  report,
  type ReportOptions,
  reportOptions,
} from "./report.ts";

interface Options extends DataOptions, ReportOptions, SplitCommandOptions {
  out: string;
  type: "json" | "jsonl";
  threshold: number;
}

const PARTS = ["train", "test", "validation"] as const;

/** Adds the subcommand. */
export function register(data: Command): void {
  const command = data.command("split")
    .summary("write training, test and validation parts, and find leaks between them")
    .description(
      "Splits a data set into three files, and lists entries of one part that are nearly the same as one of another, " +
        "on which scores measure memory. --group near keeps such entries in one part.",
    )
    .addArgument(dataArgument())
    .requiredOption(
      "--out <dir>",
      "the folder for train, test and validation; empty parts are left out",
    )
    .addOption(
      new Option("--type <name>", "the kind of the files").choices(["json", "jsonl"]).default(
        "json",
      ),
    )
    .option(
      "--threshold <share>",
      "the share of words, of those in either, from which two entries are a leak",
      readShare,
      0.7,
    )
    .addHelpText(
      "after",
      "\nExample:\n  tunebook data split data.json --out parts --stratify topic --group completion,near",
    );
  for (const option of [...splitOptions(), ...reportOptions()]) command.addOption(option);
  addFieldOptions(command);
  command.action(split);
}

async function split(source: string, options: Options): Promise<void> {
  using interrupt = onInterrupt(() => console.error("Stopping"));
  const { out, type, threshold } = options;
  const entries = await readData(source, { ...options, signal: interrupt.signal });
  const parts = await splitData(entries, options);
  await makeFolder(out);
  const files: Record<string, string> = {};
  for (const part of PARTS) {
    if (parts[part].length === 0) continue;
    files[part] = join(out, `${part}.${type}`);
    await writeDataset(files[part]!, parts[part]);
  }
  const leaks = findLeaks(parts, { threshold });
  const sizes = Object.fromEntries(PARTS.map((part) => [part, parts[part].length]));
  const topics = countTopics(parts);
  const whole = {
    source,
    files,
    entries: entries.length,
    sizes,
    topics,
    leaks: leaks.map(({ from, to, ...leak }) => ({
      from: numbered(from),
      to: numbered(to),
      ...leak,
    })),
  };
  const left = entries.length - PARTS.reduce((sum, part) => sum + parts[part].length, 0);
  await report(
    options,
    whole,
    [
      `${entries.length} entries: ${PARTS.map((part) => `${sizes[part]} ${part}`).join(", ")}` +
      `${left > 0 ? `, ${left} in no part` : ""}; written to "${out}"`,
      ...topics.map(({ topic, ...counts }) =>
        `  ${topic}: ${PARTS.map((part) => `${counts[part]} ${part}`).join(", ")}`
      ),
      leaks.length === 0
        ? `No leaks: no two entries of different parts share ${threshold} of their words`
        : `${leaks.length} leaks: pairs of entries in different parts that share ${threshold} of their words`,
    ],
    leaks.map(({ from, to, similarity }) => ({
      similarity,
      from: `${from.part} ${from.index + 1}`,
      to: `${to.part} ${to.index + 1}`,
      entry: excerpt(textOf(parts[from.part][from.index]!)),
      like: excerpt(textOf(parts[to.part][to.index]!)),
    })),
  );
}

/** How many entries of each topic each part has; nothing if no entry has a topic. */
function countTopics(parts: Split<DatasetEntry>) {
  const topics = new Set(PARTS.flatMap((part) => parts[part].map(topicOf)));
  if (topics.size === 1 && topics.has(undefined)) return [];
  const count = (part: typeof PARTS[number], topic: string | undefined) =>
    parts[part].filter((entry) => topicOf(entry) === topic).length;
  return [...topics].map((topic) => ({
    topic: topic ?? "without topic",
    train: count("train", topic),
    test: count("test", topic),
    validation: count("validation", topic),
  }));
}
