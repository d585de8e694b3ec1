// `tunebook plan`: estimates a training before anything is loaded.

import { format as formatBytes } from "@std/fmt/bytes";
import type { Command } from "commander";
import { planTraining, publishedModel, shapeOf, type TrainingPlan } from "../pipeline/plan.ts";
import { pick } from "../tensor/pick.ts";
import { assertFreezable, readLora } from "./adapter_options.ts";
import { describeDuration } from "./duration.ts";
import { readFormatOption } from "./format.ts";
import { onInterrupt } from "./interrupt.ts";
import { findForCommand } from "./load.ts";
import { addMethodOptions, assertMethod, type MethodOptions } from "./train_method.ts";
import {
  addTrainOptions,
  readTrainData,
  toTrainOptions,
  type TrainCommandOptions,
} from "./train_options.ts";

/** Adds the subcommand. */
export function register(program: Command): void {
  const command = program.command("plan")
    .summary("estimate memory and time of a training, before anything is loaded")
    .description(
      "Reads a model's configuration and the data, takes the largest steps on a device that only counts memory, times " +
        "matrix products on the real one, and estimates a training's tokens, memory and time. " +
        "Weights are neither read nor downloaded; for a model on the hub, only configuration and tokenizer are. " +
        'It takes the options of "tunebook train"; those about the folder, its checkpoints and logs change nothing.',
    )
    .addHelpText(
      "after",
      "\nExamples:\n  tunebook plan --model gpt2-medium --data instruction-data.json --epochs 2\n" +
        "  tunebook plan --model hf:Qwen/Qwen3-0.6B --data chats.jsonl --lora-rank 8 --quantize nf4\n" +
        "  tunebook plan --config run.yaml",
    )
    .action(plan);
  addTrainOptions(command);
  addMethodOptions(command);
}

async function plan(options: TrainCommandOptions & MethodOptions, command: Command): Promise<void> {
  if (options.method === "dpo") {
    throw new TypeError(
      "Cannot plan a training with --method dpo: its memory is not predicted; expected --method sft",
    );
  }
  assertMethod(options, command);
  const { quantize, dropout, freeze, merge } = options;
  assertFreezable(options);
  const lora = readLora(options);
  using interrupt = onInterrupt(() => console.error("Stopping"));
  const { signal } = interrupt;
  const planned = publishedModel(options.model, dropout) ??
    await shapeOf(await findForCommand(options.model, { weights: false, signal }), {
      dropout,
      quantize,
    });
  const data = await readTrainData(options, signal);
  const format = await readFormatOption(options.format);
  const device = await pick({ device: options.device });
  const plan = await planTraining(planned, data.parts.train, device, {
    ...toTrainOptions(options, data),
    ...{ format, quantize, lora, freeze, merge },
  });
  device.close();
  const { model, epochs } = options;
  if (options.json) {
    console.log(JSON.stringify({ model, epochs, device: device.name, ...plan }, null, 2));
    return;
  }
  for (const [name, value] of describePlan(plan, options, device)) {
    console.log(`${name.padEnd(11)} ${value}`);
  }
}

function describePlan(
  plan: TrainingPlan,
  { model, epochs }: TrainCommandOptions,
  { name, kind }: { name: string; kind: string },
): [name: string, value: string][] {
  const { weights, learning, examples, steps, totalSteps, tokensComputed, tokensPadded } = plan;
  const millions = (count: number) => `${(count / 1e6).toFixed(1)} million`;
  const memory = (bytes: number) => formatBytes(bytes, { binary: true });
  const evaluations = plan.evaluationSeconds > 0
    ? `, evaluations ${describeDuration(plan.evaluationSeconds)}`
    : "";
  return [
    [
      "Model",
      `${model}, ${millions(weights)} weights${
        learning === weights ? "" : `, ${millions(learning)} trainable`
      }`,
    ],
    [
      "Data",
      `${examples} examples, ${steps} steps per epoch, ${epochs} epoch${epochs === 1 ? "" : "s"}${
        totalSteps < steps * epochs ? `, ${totalSteps} steps` : ""
      }`,
    ],
    [
      "Tokens",
      `${tokensComputed} computed per epoch (${tokensPadded} if padded, ` +
      `${(tokensPadded / tokensComputed).toFixed(2)}× as many), ${plan.tokensCounted} counted`,
    ],
    ["Arithmetic", `${(plan.flops / 1e9).toPrecision(3)} GFLOP per epoch`],
    [
      "Memory",
      kind === "cpu"
        ? `at most about ${memory(plan.memoryBytes)}, ${memory(plan.deviceBytes)} of it for tensors`
        : `at most about ${memory(plan.deviceBytes)} of the GPU, and ${
          memory(plan.memoryBytes)
        } beside it`,
    ],
    [
      "Device",
      `${name}, ${(plan.measuredFlopsPerSecond / 1e9).toPrecision(3)} GFLOP/s measured ` +
      `(± ${Math.ceil(50 * plan.speedSpread)} %)`,
    ],
    [
      "Time",
      `about ${describeDuration(plan.seconds)} (${
        plan.secondsPerStep.toFixed(2)
      } s per step${evaluations})`,
    ],
    ...plan.notices.map((notice): [string, string] => ["Note", notice]),
  ];
}
