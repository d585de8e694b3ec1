// The options of `tunebook train`, which `tunebook plan` takes too.

import { type Command, Option } from "commander";
import { readOrder } from "../dataset/batches.ts";
import { type DatasetEntry, type PreferenceEntry, type Split, withAnswer } from "../dataset/mod.ts";
import type { TrainOptions } from "../pipeline/model_options.ts";
import type { Mask } from "../text/mod.ts";
import { DPO_DEFAULTS, DPO_LORA_DEFAULTS, LORA_DEFAULTS, SFT_DEFAULTS } from "../train/defaults.ts";
import { type AdapterOptions, adapterOptions } from "./adapter_options.ts";
import {
  deviceOption,
  jsonOption,
  maskOption,
  modelOption,
  readCount,
  readRate,
  readWhole,
} from "./arguments.ts";
import { configOption } from "./config_file.ts";
import { formatOption } from "./format.ts";
import { addFieldOptions, dataOption, type DataOptions, readData, readPairs } from "./read_data.ts";
import {
  type PartOptions,
  partOptions,
  splitAs,
  type SplitCommandOptions,
  splitData,
  splitOptions,
} from "./split_options.ts";
import {
  answersOptions,
  readEvalIters,
  toSftOptions,
  type TrainingOptions,
  trainingOptions,
} from "./training_options.ts";

/** The values of {@linkcode addTrainOptions}. */
export interface TrainCommandOptions
  extends DataOptions, TrainingOptions, AdapterOptions, SplitCommandOptions, PartOptions {
  model: string;
  data: string;
  out?: string;
  epochs: number;
  batchSize: number;
  lr: number;
  weightDecay: number;
  seed: number;
  mask: Mask;
  format?: string;
  evalEvery: number;
  evalIters: number | "all";
  maxLength: number;
  steps?: number;
  order: string;
  device?: "auto" | "cpu" | "webgpu";
  matmulPrecision?: "float32" | "bfloat16";
  checkpointEvery: number;
  type: "f32" | "f16" | "bf16";
  profile: boolean;
  overwrite: boolean;
  resume: boolean;
  otherBits: boolean;
  log?: string;
  json: boolean;
}

/** Adds all options of a training to a subcommand. */
export function addTrainOptions(command: Command): void {
  command
    .addOption(configOption())
    .optionsGroup("Model, data and result:")
    .addOption(modelOption())
    .addOption(dataOption().makeOptionMandatory())
    .option(
      "--out <dir>",
      "where to save the model; in an existing folder, or a path that ends with /, it is saved as a " +
        "folder named after the model, such as gpt2-medium355M-sft",
    )
    .addOption(
      new Option("--type <name>", "the type of the saved weights; checkpoints are f32")
        .choices(["f32", "f16", "bf16"]).default("f32"),
    )
    .option("--overwrite", "replace another run's model in --out", false)
    .addOption(formatOption())
    .addOption(deviceOption())
    .addOption(
      new Option(
        "--matmul-precision <name>",
        "what the CPU rounds matrices to before it multiplies them; bfloat16 is faster by oneDNN on " +
          "processors with AVX-512 BF16 or AMX",
      ).choices(["float32", "bfloat16"]),
    )
    .optionsGroup("Steps:")
    .option(
      "--epochs <n>",
      "the number of passes over the training part",
      readCount,
      SFT_DEFAULTS.epochs,
    )
    .option("--batch-size <n>", "examples per step", readCount, SFT_DEFAULTS.batchSize)
    .option(
      "--lr <rate>",
      `learning rate; ${LORA_DEFAULTS.learningRate} is LoRA's default, ${DPO_DEFAULTS.learningRate} is DPO's, and ` +
        `${DPO_LORA_DEFAULTS.learningRate} that of both together`,
      readRate,
      SFT_DEFAULTS.learningRate,
    )
    .option(
      "--weight-decay <rate>",
      `AdamW's decoupled weight decay; ${DPO_DEFAULTS.weightDecay} is DPO's default`,
      readRate,
      SFT_DEFAULTS.weightDecay,
    )
    .option("--seed <n>", "the seed of the order of examples", readWhole, SFT_DEFAULTS.seed)
    .addOption(maskOption())
    .option("--max-length <n>", "the most tokens of an example", readCount, 1024)
    .option("--steps <n>", "stop after n steps", readCount)
    .option(
      "--order <name|file>",
      "shuffled, given, or a JSON file: an array of batches of indices into the training part",
      "shuffled",
    )
    .optionsGroup("Evaluation:")
    .option(
      "--eval-every <n>",
      "evaluate after every n steps; 0 for never",
      readWhole,
      SFT_DEFAULTS.evalEvery,
    )
    .option(
      "--eval-iters <n|all>",
      "evaluate on n batches of each part, or on all of the validation part",
      readEvalIters,
      SFT_DEFAULTS.evalIters,
    );
  for (const option of answersOptions()) command.addOption(option);
  command.optionsGroup("Checkpoints and logs:")
    .option("--checkpoint-every <n>", "write a checkpoint after every n steps", readCount, 50)
    .option("--profile", "measure the time of each kernel; writes profile.html to --out", false)
    .option("--resume", "continue from the newest checkpoint in --out", false)
    .option(
      "--other-bits",
      "resume even if device, BLAS or threads differ from the checkpoint's",
      false,
    )
    .option("--log <file>", "a file with one JSON line per step (default: steps.jsonl in --out)")
    .addOption(jsonOption());
  command.optionsGroup("Fields of the data, and its parts:");
  addFieldOptions(command);
  for (const option of [...splitOptions(), ...partOptions()]) command.addOption(option);
  command.optionsGroup("Learning rate, memory, and the end:");
  for (const option of trainingOptions()) command.addOption(option);
  command.optionsGroup("Adapters and frozen weights:");
  for (const option of adapterOptions()) command.addOption(option);
}

/**
 * Reads and splits the data of a training.
 *
 * @param options The command's options.
 * @param signal Stops a download.
 * @returns The parts, and the order of the training part.
 */
export async function readTrainData(
  options: TrainCommandOptions,
  signal: AbortSignal,
): Promise<{ parts: Split<DatasetEntry>; order: TrainOptions["order"] }> {
  const entries = await readData(options.data, { ...options, signal });
  const parts = await splitData(entries, options, signal);
  return { parts, order: await readOrderOption(options, parts.train.length) };
}

/**
 * Reads and splits the pairs of a training on preferences. Topics and groups are those of the chosen answers.
 *
 * @param options The command's options.
 * @param signal Stops a download.
 * @returns The parts, and the order of the training part.
 */
export async function readPreferenceData(
  options: TrainCommandOptions,
  signal: AbortSignal,
): Promise<{ parts: Split<PreferenceEntry>; order: TrainOptions["order"] }> {
  const read = (source: string) => readPairs(source, { ...options, signal });
  const parts = await splitAs(await read(options.data), options, {
    read,
    entryOf: (pair) => withAnswer(pair, "chosen"),
  });
  return { parts, order: await readOrderOption(options, parts.train.length) };
}

async function readOrderOption(
  { order }: TrainCommandOptions,
  examples: number,
): Promise<TrainOptions["order"]> {
  return order === "given" || order === "shuffled" ? order : await readOrder(order, examples);
}

/**
 * The options for `Model.train()`, and but for the mask and answers for `Model.dpo()`.
 *
 * @param options The command's options.
 * @param data From {@linkcode readTrainData} or {@linkcode readPreferenceData}.
 * @returns Everything that decides the steps but the format and the entries.
 */
export function toTrainOptions(
  options: TrainCommandOptions,
  { parts, order }: { parts: Split<unknown>; order: TrainOptions["order"] },
) {
  return {
    epochs: options.epochs,
    maxSteps: options.steps,
    batchSize: options.batchSize,
    order,
    learningRate: options.lr,
    weightDecay: options.weightDecay,
    seed: options.seed,
    mask: options.mask,
    maxLength: options.maxLength,
    // Without a validation part there is nothing to compare with.
    evalEvery: parts.validation.length === 0 ? 0 : options.evalEvery,
    evalIters: options.evalIters,
    ...toSftOptions(options),
  };
}
