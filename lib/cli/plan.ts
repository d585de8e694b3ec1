// `tunebook plan`: estimates a training before anything is loaded.

import { format as formatBytes } from "@std/fmt/bytes";
import type { Command } from "commander";
import { planTraining, publishedModel, shapeOf } from "../pipeline/plan.ts";
import type { Way } from "../pipeline/training_cost.ts";
import { pick } from "../tensor/pick.ts";
import type { Mask } from "../text/mod.ts";
import { type AdapterOptions, adapterOptions, assertFreezable } from "./adapter_options.ts";
import {
  deviceOption,
  jsonOption,
  maskOption,
  modelOption,
  readCount,
  readWhole,
} from "./arguments.ts";
import { configOption } from "./config_file.ts";
import { describeDuration } from "./duration.ts";
import { formatOption, readFormatOption } from "./format.ts";
import { onInterrupt } from "./interrupt.ts";
import { findForCommand } from "./load.ts";
import { addFieldOptions, dataOption, type DataOptions, readData } from "./read_data.ts";
import {
  type PartOptions,
  partOptions,
  type SplitCommandOptions,
  splitData,
  splitOptions,
} from "./split_options.ts";
import { dropLastOption } from "./training_options.ts";
import { SFT_DEFAULTS } from "../train/defaults.ts";

interface Options
  extends
    DataOptions,
    Pick<AdapterOptions, "loraRank" | "loraTargets" | "quantize" | "freeze">,
    SplitCommandOptions,
    PartOptions {
  model: string;
  data: string;
  epochs: number;
  batchSize: number;
  dropLast: boolean;
  seed: number;
  mask: Mask;
  format?: string;
  maxLength: number;
  device?: "auto" | "cpu" | "webgpu";
  json: boolean;
}

/** Adds the subcommand. */
export function register(program: Command): void {
  const command = program.command("plan")
    .summary("estimate memory and time of a training, before anything is loaded")
    .description(
      "Reads a model's configuration and the data, times one matrix product on the device, and estimates " +
        "a training's tokens, memory and time. " +
        "Weights are neither read nor downloaded; for a model on the hub, only configuration and tokenizer are.",
    )
    .addOption(modelOption())
    .addOption(dataOption().makeOptionMandatory())
    .option(
      "--epochs <n>",
      "the number of passes over the training part",
      readCount,
      SFT_DEFAULTS.epochs,
    )
    .option("--batch-size <n>", "examples per step", readCount, SFT_DEFAULTS.batchSize)
    .addOption(dropLastOption())
    .option("--seed <n>", "the seed of the order of examples", readWhole, SFT_DEFAULTS.seed)
    .addOption(maskOption())
    .addOption(formatOption())
    .option("--max-length <n>", "the most tokens of an example", readCount, 1024)
    .addOption(deviceOption())
    .addOption(jsonOption())
    .addOption(configOption())
    .addHelpText(
      "after",
      "\nExamples:\n  tunebook plan --model gpt2-medium --data instruction-data.json --epochs 2\n" +
        "  tunebook plan --model hf:Qwen/Qwen3-0.6B --data chats.jsonl --lora-rank 8 --quantize nf4",
    )
    .action(plan);
  addFieldOptions(command);
  for (const option of [...splitOptions(), ...partOptions()]) command.addOption(option);
  const counted = ["loraRank", "loraTargets", "quantize", "freeze"];
  for (const option of adapterOptions()) {
    if (counted.includes(option.attributeName())) command.addOption(option);
  }
}

async function plan(options: Options): Promise<void> {
  const way = readWay(options);
  using interrupt = onInterrupt(() => console.error("Stopping"));
  const { signal } = interrupt;
  const planned = publishedModel(options.model) ??
    await shapeOf(await findForCommand(options.model, { weights: false, signal }));
  const entries = await readData(options.data, { ...options, signal });
  const { train } = await splitData(entries, options, signal);
  const { epochs, batchSize, dropLast, seed, mask, maxLength } = options;
  const format = await readFormatOption(options.format);
  const device = await pick({ device: options.device });
  const settings = { epochs, batchSize, dropLast, seed, mask, maxLength, format, way };
  const plan = await planTraining(planned, train, device, settings);
  device.close();
  const { model } = options;
  if (options.json) {
    console.log(JSON.stringify({ model, epochs, device: device.name, ...plan }, null, 2));
    return;
  }
  const { weights, learning, examples, notice, steps, tokensComputed, tokensPadded } = plan;
  const saved = tokensPadded / tokensComputed;
  const lines = [
    [
      "Model",
      `${model}, ${(weights / 1e6).toFixed(1)} million weights${
        learning === weights ? "" : `, ${(learning / 1e6).toFixed(1)} million trainable`
      }`,
    ],
    [
      "Data",
      `${examples} examples, ${steps} steps per epoch, ${epochs} epoch${epochs === 1 ? "" : "s"}`,
    ],
    [
      "Tokens",
      `${tokensComputed} computed per epoch (${tokensPadded} if padded, ` +
      `${saved.toFixed(2)}× as many), ${plan.tokensCounted} counted`,
    ],
    ["Arithmetic", `${(plan.flops / 1e9).toPrecision(3)} GFLOP per epoch`],
    ["Memory", `about ${formatBytes(plan.memoryBytes, { binary: true })}`],
    [
      "Device",
      `${device.name}, ${(plan.measuredFlopsPerSecond / 1e9).toPrecision(3)} GFLOP/s measured`,
    ],
    [
      "Time",
      `about ${describeDuration(plan.seconds)} (${plan.secondsPerStep.toFixed(2)} s per step)`,
    ],
  ];
  for (const [name, value] of lines) console.log(`${name.padEnd(11)} ${value}`);
  if (notice) console.log(`Note        ${notice}`);
}

function readWay({ loraRank, loraTargets, quantize, freeze }: Options): Way {
  assertFreezable({ loraRank, freeze });
  if (quantize === "stored") {
    throw new TypeError(
      'Cannot plan with --quantize "stored": expected "nf4", "nf4_double", "f16" or "bf16"',
    );
  }
  if (loraRank === undefined && (loraTargets !== undefined || quantize !== undefined)) {
    throw new TypeError("Cannot plan: --lora-targets and --quantize need --lora-rank");
  }
  return { loraRank, loraTargets, quantize, freeze };
}
