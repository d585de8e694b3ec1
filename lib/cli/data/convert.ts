// `tunebook data convert`: writes a data set in another form or kind of file.

import { type Command, Option } from "commander";
import { writeDataset, type WrittenForm } from "../../dataset/mod.ts";
import { WRITTEN_FORMS } from "../../dataset/write.ts";
import { onInterrupt } from "../interrupt.ts";
import { addFieldOptions, type DataOptions, readData } from "../read_data.ts";
import { dataArgument, outOption } from "./report.ts";

interface Options extends DataOptions {
  out: string;
  to?: WrittenForm;
}

/** Adds the subcommand. */
export function register(data: Command): void {
  const command = data.command("convert")
    .summary("write a data set in another form or kind of file")
    .description(
      "Reads a data set in any form and kind of file, and writes its entries to a file of the kind that its ending says. " +
        "An entry that the form has no place for is refused.",
    )
    .addArgument(dataArgument())
    .addOption(outOption())
    .addOption(
      new Option(
        "--to <form>",
        'alpaca: "instruction", "input", "output", with "system" and "history" of conversations; chat: "messages" ' +
          "(default: instructions as alpaca, conversations as chat)",
      ).choices(WRITTEN_FORMS),
    )
    .addHelpText(
      "after",
      "\nExample:\n  tunebook data convert dolly.parquet --out dolly.jsonl --to chat",
    )
    .action(convert);
  addFieldOptions(command);
}

async function convert(source: string, options: Options): Promise<void> {
  using interrupt = onInterrupt(() => console.error("Stopping"));
  const { out, to: form } = options;
  const entries = await readData(source, { ...options, signal: interrupt.signal });
  await writeDataset(out, entries, { ...(form && { form }) });
  console.log(`${entries.length} entries written to "${out}"`);
}
