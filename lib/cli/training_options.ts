// Options of `tunebook train` beside data, batches and evaluation: how steps are taken, and when they end.

import { Option } from "commander";
import type { Schedule, SftOptions } from "../train/mod.ts";
import { SCHEDULES } from "../train/schedule.ts";
import { readCount, readDropout, readPositive, readRate, readWarmup } from "./arguments.ts";

/** What {@linkcode trainingOptions} give. */
export interface TrainingOptions {
  schedule: Schedule;
  warmup: number;
  minLr: number;
  accumulate: number;
  maxGradientNorm?: number;
  earlyStopping?: number;
  minImprovement: number;
  keepBest: boolean;
  recompute: boolean;
  dropout: number;
  tensorboard?: string;
}

/** The options, for the subcommand to add. */
export function trainingOptions(): Option[] {
  const option = (flags: string, description: string) => new Option(flags, description);
  return [
    option("--schedule <name>", "what the learning rate does after the warm-up")
      .choices(SCHEDULES).default("constant"),
    option(
      "--warmup <n|fraction>",
      "steps over which the learning rate rises from 0; below 1 a fraction of all steps",
    ).argParser(readWarmup).default(0),
    option("--min-lr <rate>", "where linear and cosine end").argParser(readRate).default(0),
    option(
      "--accumulate <n>",
      "batches a step: the step of a batch n times as large, in the memory of one",
    ).argParser(readCount).default(1),
    option("--max-gradient-norm <x>", "shorten gradients that are longer, taken together")
      .argParser(readPositive),
    option(
      "--early-stopping <n>",
      "end after n evaluations without a lower validation loss, and keep the best weights",
    ).argParser(readCount),
    option("--min-improvement <nats>", "how much lower a validation loss must be to count as lower")
      .argParser(readRate).default(0),
    option("--keep-best", "save the weights of the lowest validation loss, not the last step's")
      .default(false),
    option("--recompute", "compute activations twice rather than keep them: less memory, slower")
      .default(false),
    option("--dropout <p>", "probability of dropping elements in training")
      .argParser(readDropout).default(0),
    option("--tensorboard <dir>", "write event files for TensorBoard"),
  ];
}

/** What `sft()` is told of them. */
export function toSftOptions(
  options: TrainingOptions,
): Omit<SftOptions, "examples" | "validation"> {
  const { schedule, warmup, minLr, accumulate, maxGradientNorm, recompute } = options;
  const { earlyStopping: patience, minImprovement, keepBest } = options;
  return {
    schedule,
    warmup,
    minLearningRate: minLr,
    accumulate,
    maxGradientNorm,
    recompute,
    ...(patience !== undefined && { earlyStopping: { patience, minImprovement } }),
    keepBest: keepBest || patience !== undefined,
  };
}

/** Reads on how many batches to evaluate. */
export function readEvalIters(text: string): number | "all" {
  return text === "all" ? "all" : readCount(text);
}
