// `tunebook plan`: estimates a training before anything is loaded.

import { format as formatBytes } from "@std/fmt/bytes";
import type { Command } from "commander";
import { publishedModel, shapeOf, type TrainingPlan } from "../pipeline/plan.ts";
import { pick } from "../tensor/pick.ts";
import { assertFreezable, readLora } from "./adapter_options.ts";
import { describeDuration } from "./duration.ts";
import { readFormatOption } from "./format.ts";
import { onInterrupt } from "./interrupt.ts";
import { findForCommand } from "./load.ts";
import { addMethodOptions, assertMethod, type MethodOptions, readToLearn } from "./train_method.ts";
import { addTrainOptions, type TrainCommandOptions } from "./train_options.ts";

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
  assertMethod(options, command);
  const { quantize, dropout, freeze, merge, matmulPrecision } = options;
  assertFreezable(options);
  const lora = readLora(options);
  using interrupt = onInterrupt(() => console.error("Stopping"));
  const { signal } = interrupt;
  const planned = publishedModel(options.model, dropout) ??
    await shapeOf(await findForCommand(options.model, { weights: false, signal }), {
      dropout,
      quantize,
    });
  const learning = await readToLearn(options, signal);
  const format = await readFormatOption(options.format);
  const device = await pick({ device: options.device, matmulPrecision });
  const how = { format, quantize, lora, freeze, merge };
  const plan = await learning.plan(planned, device, options, how);
  device.close();
  const { model, epochs } = options;
  if (options.json) {
    console.log(JSON.stringify({ model, epochs, device: device.name, ...plan }, null, 2));
    return;
  }
  for (const [name, value] of describePlan(plan, learning.noun, options, device)) {
    console.log(`${name.padEnd(11)} ${value}`);
  }
}

/** Below this, other programs take so much of the processor that the time is another. */
const FREE = 0.85;

/** Says how much longer a training takes beside the programs that compute now. */
function describeShare({ processorShare: share }: TrainingPlan): [name: string, value: string][] {
  if (share >= FREE) return [];
  const taken = Math.round(100 * (1 - share));
  return [[
    "Note",
    `other programs take ${taken} % of the processor now; beside them, it takes ${
      (1 / share).toPrecision(2)
    } times as long`,
  ]];
}

function describePlan(
  plan: TrainingPlan,
  noun: string,
  { model, epochs }: TrainCommandOptions,
  { name, kind }: { name: string; kind: string },
): [name: string, value: string][] {
  const { weights, learning, examples, steps, totalSteps, tokensComputed, tokensPadded } = plan;
  const millions = (count: number) =>
    count < 1e6 ? count.toLocaleString("en-US") : `${(count / 1e6).toFixed(1)} million`;
  const memory = (bytes: number) => formatBytes(bytes, { binary: true });
  const more = { "the reference": plan.referenceSeconds, evaluations: plan.evaluationSeconds };
  const beside = Object.entries(more).filter(([, seconds]) => seconds > 0)
    .map(([what, seconds]) => `, ${what} ${describeDuration(seconds)}`).join("");
  return [
    [
      "Model",
      `${model}, ${millions(weights)} weights${
        learning === weights ? "" : `, ${millions(learning)} trainable`
      }`,
    ],
    [
      "Data",
      `${examples} ${noun}, ${steps} steps per epoch, ${epochs} epoch${epochs === 1 ? "" : "s"}${
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
      } s per step${beside})`,
    ],
    ...describeShare(plan),
    ...plan.notices.map((notice): [string, string] => ["Note", notice]),
  ];
}
