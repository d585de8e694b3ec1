// Options of `tunebook train` for the steps and the end of a training.

import { Option } from "commander";
import type { Schedule, SftOptions } from "../train/mod.ts";
import { SCHEDULES } from "../train/schedule.ts";
import { readCount, readDropout, readPositive, readRate, readWarmup } from "./arguments.ts";
import { LORA_DEFAULTS, SFT_DEFAULTS } from "../train/defaults.ts";

/** The values of {@linkcode trainingOptions}. */
export interface TrainingOptions {
  schedule: Schedule;
  warmup: number;
  minLr: number;
  accumulate: number;
  dropLast: boolean;
  maxGradientNorm?: number;
  earlyStopping?: number;
  minImprovement: number;
  restoreBest: boolean;
  recompute: boolean;
  dropout: number;
  tensorboard?: string;
}

/** The options of the subcommand. */
export function trainingOptions(): Option[] {
  const option = (flags: string, description: string) => new Option(flags, description);
  return [
    option("--schedule <name>", "how the learning rate changes after the warm-up")
      .choices(SCHEDULES).default(SFT_DEFAULTS.schedule),
    option(
      "--warmup <n|fraction>",
      "steps over which the learning rate increases from 0; below 1, a fraction of all steps",
    ).argParser(readWarmup).default(SFT_DEFAULTS.warmup),
    option("--min-lr <rate>", "the final rate of linear and cosine").argParser(readRate).default(
      SFT_DEFAULTS.minLearningRate,
    ),
    option(
      "--accumulate <n>",
      "batches per step: equals one batch n times as large, in the memory of one",
    ).argParser(readCount).default(SFT_DEFAULTS.accumulate),
    dropLastOption(),
    option("--max-gradient-norm <x>", "clip the gradient norm over all weights")
      .argParser(readPositive),
    option(
      "--early-stopping <n>",
      "stop after n evaluations without a lower validation loss, and keep the best weights",
    ).argParser(readCount),
    option("--min-improvement <nats>", "how much lower a validation loss must be to count as lower")
      .argParser(readRate).default(0),
    option("--restore-best", "save the weights of the lowest validation loss, not the last step's")
      .default(false),
    option("--recompute", "recompute activations instead of keeping them: less memory, slower")
      .default(false),
    option("--dropout <p>", "the dropout probability in training")
      .argParser(readDropout).default(0),
    option("--tensorboard <dir>", "write event files for TensorBoard"),
  ];
}

/** The option that leaves out an incomplete batch. */
export function dropLastOption(): Option {
  return new Option(
    "--drop-last",
    "leave out the last batch of each epoch if it is incomplete, as in Raschka's chapter 7",
  ).default(SFT_DEFAULTS.dropLast);
}

/** The options for `sft()`. */
export function toSftOptions(
  options: TrainingOptions,
): Omit<SftOptions, "examples" | "validation"> {
  const { schedule, warmup, minLr, accumulate, dropLast, maxGradientNorm, recompute } = options;
  const { earlyStopping: patience, minImprovement, restoreBest } = options;
  return {
    schedule,
    warmup,
    minLearningRate: minLr,
    accumulate,
    dropLast,
    maxGradientNorm,
    recompute,
    ...(patience !== undefined && { earlyStopping: { patience, minImprovement } }),
    restoreBest: restoreBest || patience !== undefined,
  };
}

/**
 * Fills in what fits adapters where nothing else was asked for, and says so.
 *
 * @param options The command's options.
 * @param isGiven Whether an option was given.
 * @param examples How many entries are learnt.
 * @returns The options for a training of adapters.
 */
export function withLoraDefaults<
  O extends TrainingOptions & { lr: number; batchSize: number },
>(options: O, isGiven: (name: string) => boolean, examples: number): O {
  const { learningRate, maxGradientNorm, warmup: { steps, share } } = LORA_DEFAULTS;
  const stepsPerEpoch = Math.ceil(examples / (options.batchSize * options.accumulate));
  const warmup = Math.min(steps, Math.floor(share * stepsPerEpoch));
  const chosen = {
    ...(!isGiven("lr") && { lr: learningRate }),
    ...(options.maxGradientNorm === undefined && { maxGradientNorm }),
    ...(!isGiven("warmup") && { warmup }),
  };
  const said = [
    ...("lr" in chosen ? [`--lr ${learningRate}`] : []),
    ...("maxGradientNorm" in chosen ? [`--max-gradient-norm ${maxGradientNorm}`] : []),
    ...("warmup" in chosen ? [`--warmup ${warmup}`] : []),
  ];
  if (said.length > 0) console.error(`Defaults for LoRA: ${said.join(", ")}`);
  return { ...options, ...chosen };
}

/** Parses the number of batches to evaluate on. */
export function readEvalIters(text: string): number | "all" {
  return text === "all" ? "all" : readCount(text);
}
