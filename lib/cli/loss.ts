// `tunebook loss`: the mean loss of a model over a whole file.

import type { Command } from "commander";
import { type DatasetEntry, isChatEntry, reportLengths } from "../dataset/mod.ts";
import type { Quantization } from "../model/mod.ts";
import type { Model } from "../pipeline/mod.ts";
import { ChatTemplate, type Mask } from "../text/mod.ts";
import { measureLoss } from "../train/mod.ts";
import { adapterOption, quantizeOption } from "./adapter_options.ts";
import { deviceOption, jsonOption, maskOption, modelOption, readCount } from "./arguments.ts";
import { formatOption, noteOnFormat, noteOnGuess, readFormatOption } from "./format.ts";
import { onInterrupt } from "./interrupt.ts";
import { loadForCommand } from "./load.ts";
import { progress } from "./progress.ts";
import {
  addFieldOptions,
  dataOption,
  type DataOptions,
  limitOption,
  readData,
} from "./read_data.ts";

interface Options extends DataOptions {
  model: string;
  data: string;
  limit?: number;
  mask: Mask;
  format?: string;
  adapter?: string;
  quantize?: Quantization;
  maxLength?: number;
  batchSize: number;
  device?: "auto" | "cpu" | "webgpu";
  json: boolean;
}

/** Adds the subcommand. */
export function register(program: Command): void {
  const command = program.command("loss")
    .summary("measure a model's loss on a file")
    .description(
      "Measures the mean negative log-likelihood, in nats, over all counted tokens of a file of " +
        "instructions.",
    )
    .addOption(modelOption())
    .addOption(dataOption().makeOptionMandatory())
    .addOption(limitOption())
    .addOption(adapterOption())
    .addOption(quantizeOption())
    .addOption(maskOption())
    .addOption(formatOption("the format of the model's training, or alpaca"))
    .option("--max-length <n>", "the most tokens of an example (default: the context)", readCount)
    .option("--batch-size <n>", "examples per batch", readCount, 8)
    .addOption(deviceOption())
    .addOption(jsonOption())
    .action(measure);
  addFieldOptions(command);
}

/**
 * Losses of several models say something beside each other only if all of them read the same words: a model that was
 * taught no format here is measured on Alpaca's prompts, whatever template came with it. Conversations have no other form
 * than a template's.
 */
function sharedFormat(
  { taught, format }: Model,
  entries: readonly DatasetEntry[],
): "alpaca" | undefined {
  if (taught.format !== undefined || entries.some(isChatEntry)) return undefined;
  if (format instanceof ChatTemplate) {
    console.error(
      "Note: the loss is of Alpaca's prompts, as for every model that was taught no format; --format chat takes " +
        "the model's chat template",
    );
  }
  return "alpaca";
}

async function measure(options: Options): Promise<void> {
  using interrupt = onInterrupt(() => console.error("Stopping"));
  const { signal } = interrupt;
  const entries = (await readData(options.data, { ...options, signal })).slice(0, options.limit);
  const named = await readFormatOption(options.format);
  const model = await loadForCommand(options.model, { ...options, signal });
  const format = named ?? sharedFormat(model, entries);
  const { network } = model;
  noteOnFormat(model, format);
  noteOnGuess(model, format, entries);
  const examples = model.encodeExamples(entries, { format });
  const { mask, batchSize } = options;
  const maxLength = Math.min(options.maxLength ?? Infinity, network.contextLength);
  const { message, uncounted } = reportLengths(examples, { mask, maxLength });
  if (message) console.error(`Note: ${message}`);
  const bar = progress("Measuring", examples.length - uncounted.length);
  const result = await measureLoss(network, examples, {
    mask,
    maxLength,
    batchSize,
    signal,
    onProgress: (done) => bar.update(done),
  });
  bar.finish();
  if (Number.isNaN(result.loss)) {
    throw new RangeError(
      `Cannot measure the loss of "${options.model}": it is not a number, as with weights that hold NaN or Infinity`,
    );
  }
  if (options.json) console.log(JSON.stringify(result));
  else {
    const { loss, tokens, examples } = result;
    console.log(`Loss ${loss.toFixed(4)} over ${tokens} tokens of ${examples} examples`);
  }
}
