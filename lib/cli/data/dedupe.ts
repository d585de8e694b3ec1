// `tunebook data dedupe`: removes entries that are there more than once.

import { type Command, Option } from "commander";
import { dedupeEntries, writeDataset } from "../../dataset/mod.ts";
import { textOf } from "../../dataset/word_bags.ts";
import { readShare } from "../arguments.ts";
import { onInterrupt } from "../interrupt.ts";
import { addFieldOptions, type DataOptions, readData } from "../read_data.ts";
import {
  dataArgument,
  excerpt,
  numbered,
  outOption,
  report,
  type ReportOptions,
  reportOptions,
} from "./report.ts";

interface Options extends DataOptions, ReportOptions {
  out: string;
  threshold: number;
  method: "minhash" | "exact";
  near: boolean;
}

/** Adds the subcommand. */
export function register(data: Command): void {
  const command = data.command("dedupe")
    .summary("remove exact and near duplicates")
    .description(
      "Keeps the first of entries that are equal in every field, or whose words are nearly the same, and lists " +
        "those that it removes. Read the list: entries made by a rule can share most words and ask for different things.",
    )
    .addArgument(dataArgument())
    .addOption(outOption())
    .option(
      "--threshold <share>",
      "the share of words, of those in either, that near duplicates have in common",
      readShare,
      0.7,
    )
    .addOption(
      new Option(
        "--method <name>",
        "minhash compares entries that MinHash takes for similar; exact compares all that share a word, " +
          "in a time that grows with the square of their number",
      ).choices(["minhash", "exact"]).default("minhash"),
    )
    .option("--no-near", "remove only entries that are equal in every field")
    .addHelpText("after", "\nExample:\n  tunebook data dedupe data.json --out unique.json");
  for (const option of reportOptions()) command.addOption(option);
  addFieldOptions(command);
  command.action(dedupe);
}

async function dedupe(source: string, options: Options): Promise<void> {
  using interrupt = onInterrupt(() => console.error("Stopping"));
  const { out, threshold, method, near } = options;
  const entries = await readData(source, { ...options, signal: interrupt.signal });
  const { kept, removed } = dedupeEntries(entries, { threshold, method, near });
  await writeDataset(out, kept);
  const exact = removed.filter(({ kind }) => kind === "exact").length;
  const whole = {
    ...{ source, out, entries: entries.length, kept: kept.length },
    removed: removed.map(({ keptAs, ...one }) => ({ ...numbered(one), keptAs: keptAs + 1 })),
  };
  const rows = removed.map(({ index, keptAs, kind, similarity }) => ({
    removed: index + 1,
    kept: keptAs + 1,
    kind,
    similarity,
    entry: excerpt(textOf(entries[index]!)),
    like: excerpt(textOf(entries[keptAs]!)),
  }));
  await report(options, whole, [
    `${entries.length} entries: ${exact} exact and ${removed.length - exact} near duplicates ` +
    `removed, ${kept.length} written to "${out}"`,
  ], rows);
}
