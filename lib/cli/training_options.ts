// Options of `tunebook train` for the steps and the end of a training.

import { Option } from "commander";
import type { TrainOptions } from "../pipeline/model_options.ts";
import { ANSWERS_DEFAULTS } from "../pipeline/training_answers.ts";
import { VALIDATION_LOSS } from "../train/early_stopping.ts";
import type { Schedule } from "../train/mod.ts";
import { SCHEDULES } from "../train/schedule.ts";
import {
  readCount,
  readDropout,
  readPositive,
  readRate,
  readWarmup,
  readWhole,
} from "./arguments.ts";
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
  stopMetric?: string;
  answerEvery: number;
  answerCount: number;
  answerTokens: number;
  answerMetrics: string[];
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
      "steps over which the learning rate increases from 0; below 1, a fraction of all steps; " +
        `LoRA's default is a tenth of an epoch, at most ${LORA_DEFAULTS.warmup.steps}`,
    ).argParser(readWarmup).default(SFT_DEFAULTS.warmup),
    option("--min-lr <rate>", "the final rate of linear and cosine").argParser(readRate).default(
      SFT_DEFAULTS.minLearningRate,
    ),
    option(
      "--accumulate <n>",
      "batches per step: equals one batch n times as large, in the memory of one",
    ).argParser(readCount).default(SFT_DEFAULTS.accumulate),
    dropLastOption(),
    option(
      "--max-gradient-norm <x>",
      `clip the gradient norm over all weights; ${LORA_DEFAULTS.maxGradientNorm} is LoRA's and DPO's default`,
    )
      .argParser(readPositive),
    option(
      "--early-stopping <n>",
      "stop after n evaluations without a lower validation loss, and keep the best weights",
    ).argParser(readCount),
    option(
      "--stop-metric <name>",
      "what --early-stopping follows instead: one of --answer-metrics, after every --answer-every steps",
    ),
    option(
      "--min-improvement <x>",
      "how much lower a validation loss must be to count as lower, in nats; or how much better a score",
    )
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

/** The options for answers during a training. */
export function answersOptions(): Option[] {
  const option = (flags: string, description: string) => new Option(flags, description);
  const { count, maxNewTokens } = ANSWERS_DEFAULTS;
  return [
    option(
      "--answer-every <n>",
      "answer entries of the validation part after every n steps; 0 for never",
    ).argParser(readWhole).default(0),
    option("--answer-count <n>", "how many of them").argParser(readCount).default(count),
    option("--answer-tokens <n>", "the most tokens of an answer").argParser(readCount)
      .default(maxNewTokens),
    option(
      "--answer-metrics <names>",
      'metrics that score the answers, such as rougeL,bleu; "tunebook score --help" lists them',
    )
      .argParser((text: string) => text.split(",").map((name) => name.trim())).default([], "none"),
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
): Omit<TrainOptions, "validation"> {
  const { schedule, warmup, minLr, accumulate, dropLast, maxGradientNorm, recompute } = options;
  const { earlyStopping: patience, minImprovement, restoreBest, stopMetric: metric } = options;
  const { answerEvery: every, answerCount: count, answerMetrics: metrics } = options;
  if (metric !== undefined && patience === undefined) {
    throw new TypeError("Cannot follow --stop-metric: it needs --early-stopping");
  }
  if (metric !== undefined && metric !== VALIDATION_LOSS && !metrics.includes(metric)) {
    throw new TypeError(
      `Cannot stop early by --stop-metric "${metric}": it needs --answer-metrics ${metric}`,
    );
  }
  if (every === 0 && metrics.length > 0) {
    throw new TypeError("Cannot score answers by --answer-metrics: they need --answer-every");
  }
  return {
    schedule,
    warmup,
    minLearningRate: minLr,
    accumulate,
    dropLast,
    maxGradientNorm,
    recompute,
    ...(patience !== undefined &&
      { earlyStopping: { patience, minImprovement, ...(metric !== undefined && { metric }) } }),
    ...(every > 0 && {
      answers: { every, count, maxNewTokens: options.answerTokens, metrics },
    }),
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
  const chosen: { lr?: number; maxGradientNorm?: number; warmup?: number } = {
    ...(!isGiven("lr") && { lr: learningRate }),
    ...(options.maxGradientNorm === undefined && { maxGradientNorm }),
    ...(!isGiven("warmup") && { warmup }),
  };
  sayDefaults("LoRA", "adapters begin at zero, and bear a higher rate than weights", {
    "--lr": chosen.lr,
    "--max-gradient-norm": chosen.maxGradientNorm,
    "--warmup": chosen.warmup,
  });
  return { ...options, ...chosen };
}

/**
 * Says which defaults a way of training has.
 *
 * @param what The way.
 * @param why Why it has defaults of its own.
 * @param defaults Their values by option; undefined where another was given.
 */
export function sayDefaults(
  what: string,
  why: string,
  defaults: Record<string, number | undefined>,
): void {
  const said = Object.entries(defaults).filter(([, value]) => value !== undefined)
    .map(([flag, value]) => `${flag} ${describeNumber(value!)}`);
  if (said.length > 0) console.error(`Defaults for ${what}: ${said.join(", ")}; ${why}`);
}

/** A number as people write it: 0.0002, but 1e-6. */
function describeNumber(value: number): string {
  return value > 0 && value < 1e-4 ? value.toExponential() : String(value);
}

/** Parses the number of batches to evaluate on. */
export function readEvalIters(text: string): number | "all" {
  return text === "all" ? "all" : readCount(text);
}
