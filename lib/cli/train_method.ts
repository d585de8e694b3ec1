// What `tunebook train` learns from, and how: entries by supervised fine-tuning, or pairs of answers by DPO.

import { type Command, Option } from "commander";
import type { DatasetEntry, PreferenceEntry, Split } from "../dataset/mod.ts";
import { withAnswer } from "../dataset/mod.ts";
import type { Model } from "../pipeline/mod.ts";
import type { TrainOptions } from "../pipeline/model_options.ts";
import {
  type LoadingOptions,
  type PlannedModel,
  planPreferences,
  planTraining,
  type TrainingPlan,
} from "../pipeline/plan.ts";
import type { Device } from "../tensor/mod.ts";
import type { Communicator, PreferenceLoss, Step, Training } from "../train/mod.ts";
import { DPO_DEFAULTS, DPO_LORA_DEFAULTS } from "../train/defaults.ts";
import { PREFERENCE_LOSSES } from "../train/preference_loss.ts";
import type { LoopSettings } from "../train/settings.ts";
import { readPositive, readRate } from "./arguments.ts";
import {
  readPreferenceData,
  readTrainData,
  toTrainOptions,
  type TrainCommandOptions,
} from "./train_options.ts";
import { sayDefaults, withLoraDefaults } from "./training_options.ts";

/** How a model learns. */
export type MethodName = "sft" | "dpo";

/** The values of {@linkcode addMethodOptions}. */
export interface MethodOptions {
  method: MethodName;
  beta?: number;
  loss?: PreferenceLoss;
  labelSmoothing?: number;
  reference?: "start" | "base";
}

/** Adds the options that choose a method, and those of preferences. */
export function addMethodOptions(command: Command): void {
  const { beta, loss, labelSmoothing, reference } = DPO_DEFAULTS;
  command.optionsGroup("Method:").addOption(
    new Option(
      "--method <name>",
      "sft: supervised fine-tuning on instructions, conversations or texts; dpo: direct preference optimization " +
        "on prompts with a chosen and a rejected answer",
    ).choices(["sft", "dpo"]).default("sft"),
  ).addOption(
    new Option(
      "--beta <x>",
      `of dpo: how closely the model is held to the reference (default: ${beta})`,
    ).argParser(readPositive),
  ).addOption(
    new Option("--loss <name>", `of dpo: the loss of a pair (default: "${loss}")`)
      .choices(PREFERENCE_LOSSES),
  ).addOption(
    new Option(
      "--label-smoothing <p>",
      "of dpo with the loss robust: the share of pairs whose answers are taken to be exchanged, below 0.5 " +
        `(default: ${labelSmoothing})`,
    ).argParser(readRate),
  ).addOption(
    new Option(
      "--reference <name>",
      "of dpo: start, the model when the training begins, or base, the model without its adapters " +
        `(default: "${reference}")`,
    ).choices(["start", "base"]),
  );
}

/** Options that only preferences have. */
const ONLY_DPO = ["beta", "loss", "labelSmoothing", "reference"];

/** Options that preferences do not have, and why. */
const ONLY_SFT: Readonly<Record<string, string>> = {
  mask: "only the answers of a pair count",
  dropout: "it trains without dropout, which would make the answers' log-probabilities noisy",
  loraDropout: "it trains without dropout, which would make the answers' log-probabilities noisy",
  answerEvery: "pairs are evaluated by their rewards",
  answerCount: "pairs are evaluated by their rewards",
  answerTokens: "pairs are evaluated by their rewards",
  answerMetrics: "pairs are evaluated by their rewards",
  stopMetric: "--early-stopping follows the validation loss",
};

/**
 * Checks that the options fit the method.
 *
 * @param options The command's options.
 * @param command The command, which knows which of them were given.
 * @param ranks The other processes that take part, if there are any.
 * @throws {TypeError} If one does not.
 */
export function assertMethod(
  { method }: MethodOptions,
  command: Command,
  ranks?: Communicator,
): void {
  const flagOf = (name: string) =>
    command.options.find((option) => option.attributeName() === name)!.long;
  if (method === "sft") {
    const given = ONLY_DPO.find((name) => isGiven(command, name));
    if (given === undefined) return;
    throw new TypeError(`Cannot train with ${flagOf(given)}: it needs --method dpo`);
  }
  const given = Object.keys(ONLY_SFT).find((name) => isGiven(command, name));
  if (given !== undefined) {
    throw new TypeError(
      `Cannot train with ${flagOf(given)} and --method dpo: ${ONLY_SFT[given]}`,
    );
  }
  if (ranks && ranks.size > 1) {
    throw new TypeError(
      `Cannot train with --method dpo in ${ranks.size} ranks: expected one process`,
    );
  }
}

/** Whether an option was given. */
function isGiven(command: Command, name: string): boolean {
  const source = command.getOptionValueSource(name);
  return source !== undefined && source !== "default";
}

/**
 * Fills in what fits the method and adapters where nothing else was asked for, and says so.
 *
 * @param options The command's options.
 * @param command The command, which knows which of them were given.
 * @param how Whether adapters learn, and from how many entries.
 * @returns The options of the training.
 */
export function withMethodDefaults<O extends TrainCommandOptions & MethodOptions>(
  options: O,
  command: Command,
  { adapted, examples }: { adapted: boolean; examples: number },
): O {
  if (options.method === "sft" && adapted) {
    return withLoraDefaults(options, (name) => isGiven(command, name), examples);
  }
  if (options.method === "sft") {
    const { epochs, batchSize, lr, weightDecay } = options;
    const unasked = (name: string, value: number) => isGiven(command, name) ? undefined : value;
    sayDefaults("all weights", "as in Raschka's chapter 7, which takes 2 epochs", {
      "--epochs": unasked("epochs", epochs),
      "--batch-size": unasked("batchSize", batchSize),
      "--lr": unasked("lr", lr),
      "--weight-decay": unasked("weightDecay", weightDecay),
    });
    return options;
  }
  const { learningRate, weightDecay, maxGradientNorm } = {
    ...DPO_DEFAULTS,
    ...(adapted && DPO_LORA_DEFAULTS),
  };
  const chosen = {
    ...(!isGiven(command, "lr") && { lr: learningRate }),
    ...(!isGiven(command, "weightDecay") && { weightDecay }),
    ...(options.maxGradientNorm === undefined && { maxGradientNorm }),
  };
  const why = "the reference holds the weights, and small steps keep the chosen answers likely";
  sayDefaults(adapted ? "DPO of adapters" : "DPO", why, {
    "--lr": chosen.lr,
    "--weight-decay": chosen.weightDecay,
    "--max-gradient-norm": chosen.maxGradientNorm,
  });
  return { ...options, ...chosen };
}

/** The options of a training that do not come from the command line. */
type How = Pick<
  TrainOptions,
  "checkpoint" | "communicator" | "confirmOtherBits" | "format" | "resume" | "sample" | "signal"
>;

/** What a training learns from. */
export interface ToLearn {
  /** The parts as entries; of pairs, with the chosen answers. */
  readonly parts: Split<DatasetEntry>;
  /** The test part, in the form of its file. */
  readonly test: readonly (DatasetEntry | PreferenceEntry)[];
  /** What an entry of the training part is called, in the plural. */
  readonly noun: string;
  /** Sets up the training. */
  begin(
    model: Model,
    options: TrainCommandOptions & MethodOptions,
    how: How,
  ): Training<Step, LoopSettings>;
  /** Estimates what it will take. */
  plan(
    model: PlannedModel,
    device: Device,
    options: TrainCommandOptions & MethodOptions,
    how: Pick<TrainOptions, "format"> & LoadingOptions,
  ): Promise<TrainingPlan>;
}

/**
 * Reads and splits the data of the method.
 *
 * @param options The command's options.
 * @param signal Stops a download.
 * @returns What the training learns from.
 */
export async function readToLearn(
  options: TrainCommandOptions & MethodOptions,
  signal: AbortSignal,
): Promise<ToLearn> {
  if (options.method === "sft") {
    const data = await readTrainData(options, signal);
    const { parts } = data;
    const trainOptions = (options: TrainCommandOptions) => ({
      ...toTrainOptions(options, data),
      validation: parts.validation,
    });
    return {
      parts,
      test: parts.test,
      noun: "examples",
      begin: (model, options, how) =>
        model.train(parts.train, { ...trainOptions(options), ...how }),
      plan: (model, device, options, how) =>
        planTraining(model, parts.train, device, { ...trainOptions(options), ...how }),
    };
  }
  const data = await readPreferenceData(options, signal);
  const { train, validation, test } = data.parts;
  const entries = (part: readonly PreferenceEntry[]) =>
    part.map((pair) => withAnswer(pair, "chosen"));
  const parts = { train: entries(train), validation: entries(validation), test: entries(test) };
  return {
    parts,
    test,
    noun: "pairs",
    begin: (model, options, { communicator: _, ...how }) =>
      model.dpo(train, { ...toDpoOptions(options, data), ...how }),
    plan: (model, device, options, how) =>
      planPreferences(model, train, device, { ...toDpoOptions(options, data), ...how }),
  };
}

/** The options for `Model.dpo()`. */
function toDpoOptions(
  options: TrainCommandOptions & MethodOptions,
  { parts, order }: Awaited<ReturnType<typeof readPreferenceData>>,
) {
  const { beta, loss, labelSmoothing, reference } = options;
  const { validation } = parts;
  const { mask: _, answers: __, ...shared } = toTrainOptions(options, { parts, order });
  return { ...shared, validation, ...{ beta, loss, labelSmoothing, reference } };
}
