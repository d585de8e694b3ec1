// `tunebook data balance`: gives rare topics a greater part in what is learnt.

import { type Command, Option } from "commander";
import { balancedWeights, oversample, weighByTopic, writeDataset } from "../../dataset/mod.ts";
import { type CarriedFields, topicOf } from "../../dataset/entry.ts";
import { readShare, readWhole } from "../arguments.ts";
import { onInterrupt } from "../interrupt.ts";
import { addFieldOptions, type DataOptions, readData } from "../read_data.ts";
import { dataArgument, outOption, report, type ReportOptions, reportOptions } from "./report.ts";

interface Options extends DataOptions, ReportOptions {
  out: string;
  method: "weights" | "oversample";
  share?: number;
  seed?: number;
}

/** Adds the subcommand. */
export function register(data: Command): void {
  const command = data.command("balance")
    .summary("give rare topics a larger share of the loss, by weights or repetition")
    .description(
      "Writes the entries with weights for the loss that give each topic the same share of it, or repeats entries of rare " +
        "topics. Balance the training part only. While training, the loss of each topic is measured.",
    )
    .addArgument(dataArgument())
    .addOption(outOption())
    .addOption(
      new Option(
        "--method <name>",
        "weights: an entry's weight is n / (k × the entries of its topic), for n entries in k topics; " +
          "oversample: entries of rare topics are repeated",
      ).choices(["weights", "oversample"]).default("weights"),
    )
    .option(
      "--share <share>",
      "with oversample, how many entries each topic gets, as a share of the largest topic's (default: 1)",
      readShare,
    )
    .option(
      "--seed <n>",
      "with oversample, the seed of the last round's choice (default: 123)",
      readWhole,
    )
    .addHelpText(
      "after",
      "\nExample:\n  tunebook data balance parts/train.json --out balanced.json --method oversample",
    );
  for (const option of reportOptions()) command.addOption(option);
  addFieldOptions(command);
  command.action(balance);
}

async function balance(source: string, options: Options): Promise<void> {
  using interrupt = onInterrupt(() => console.error("Stopping"));
  const { out, method, share, seed } = options;
  if (method === "weights" && (share !== undefined || seed !== undefined)) {
    throw new TypeError(
      `Cannot balance by weights with --${share === undefined ? "seed" : "share"}: ` +
        "expected --method oversample",
    );
  }
  const entries = await readData(source, { ...options, signal: interrupt.signal });
  const weighed = method === "weights" ? weighByTopic(entries) : entries;
  const { entries: written, repeated } = method === "oversample"
    ? oversample(entries, {
      ...(share !== undefined && { share }),
      ...(seed !== undefined && { seed }),
    })
    : { entries: weighed, repeated: [] };
  await writeDataset(out, written);
  const topics = entries.map((entry) => topicOf(entry)!);
  const weights = balancedWeights(topics);
  const count = (of: readonly CarriedFields[], topic: string) =>
    of.filter((entry) => topicOf(entry) === topic).length;
  const rows = Object.keys(weights).map((topic) => ({
    topic,
    entries: count(entries, topic),
    ...(method === "weights" ? { weight: weights[topic]! } : { written: count(written, topic) }),
  }));
  const whole = {
    source,
    out,
    entries: entries.length,
    written: written.length,
    topics: rows,
    repeated: repeated.map((index) => index + 1),
  };
  await report(options, whole, [
    method === "weights"
      ? `${entries.length} entries written to "${out}", with a weight by topic`
      : `${entries.length} entries and ${repeated.length} repeated ones written to "${out}"`,
  ], rows);
}
