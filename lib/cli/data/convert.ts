// `tunebook data convert`: writes a data set in another form or kind of file.

import type { Command } from "commander";
import { writeDataset } from "../../dataset/mod.ts";
import { onInterrupt } from "../interrupt.ts";
import { addFieldOptions, type DataOptions, readData } from "../read_data.ts";

interface Options extends DataOptions {
  out: string;
}

/** Adds the subcommand. */
export function register(data: Command): void {
  const command = data.command("convert")
    .summary("write a data set in another form or kind of file")
    .description(
      "Reads a data set and writes its entries to a file of the kind that its ending says.",
    )
    .argument("<file|url>", 'the data; "instructions": those that come with Tunebook')
    .requiredOption("--out <file>", "the file to write: .json or .jsonl")
    .addHelpText("after", "\nExample:\n  tunebook data convert data.json --out data.jsonl")
    .action(convert);
  addFieldOptions(command);
}

async function convert(source: string, options: Options): Promise<void> {
  using interrupt = onInterrupt(() => console.error("Stopping"));
  const { out } = options;
  const entries = await readData(source, { ...options, signal: interrupt.signal });
  await writeDataset(out, entries);
  console.log(`${entries.length} entries written to "${out}"`);
}
