// `tunebook plan`: what a training will take, before anything is loaded.

import { format as formatBytes } from "@std/fmt/bytes";
import type { Command } from "commander";
import {
  encodeExamples,
  loadDataset,
  orderBatches,
  reportLengths,
  splitEntries,
} from "../dataset/mod.ts";
import { GPT2_SIZES, type Gpt2Config, planModel } from "../model/mod.ts";
import { gpt2Shapes } from "../model/gpt2.ts";
import { openStoredModel } from "../model/stored_weights.ts";
import { readJson } from "../model/stored_weights.ts";
import { type Device, matmul, scope, sizeOf, Tensor } from "../tensor/mod.ts";
import { pick } from "../tensor/pick.ts";
import { gpt2Tokenizer, type Mask, openTokenizer } from "../text/mod.ts";
import { forest } from "../dataset/mod.ts";
import { withCounted } from "../train/evaluate.ts";
import { type AdapterOptions, adapterOptions } from "./adapter_options.ts";
import {
  deviceOption,
  jsonOption,
  maskOption,
  modelOption,
  readCount,
  readWhole,
  splitOption,
} from "./arguments.ts";
import { chooseFormat, formatOption, type TextSource } from "./format.ts";
import { onInterrupt } from "./interrupt.ts";
import { resolveForCommand } from "./load.ts";
import {
  countLearning,
  countWeights,
  estimateMemory,
  type Shape,
  stepFlops,
  type Way,
  type Work,
} from "./training_cost.ts";

interface Options extends Pick<AdapterOptions, "loraRank" | "loraTargets" | "quantize"> {
  model: string;
  data: string;
  epochs: number;
  batchSize: number;
  seed: number;
  mask: Mask;
  format?: string;
  maxLength: number;
  split: [number, number, number];
  device?: "auto" | "cpu" | "webgpu";
  json: boolean;
}

/** Adds the subcommand. */
export function register(program: Command): void {
  const command = program.command("plan")
    .summary("estimate memory and time of a training, before anything is loaded")
    .description(
      "Reads a model's configuration and the data, times one matrix product on the device, and says " +
        "how many tokens a training computes, how much memory it needs and about how long it takes. " +
        "No weights are read or downloaded; of a model on the hub only configuration and tokenizer are.",
    )
    .addOption(modelOption())
    .requiredOption("--data <file|url>", "the instructions or conversations")
    .option("--epochs <n>", "how often to go through the training part", readCount, 1)
    .option("--batch-size <n>", "examples a step", readCount, 8)
    .option("--seed <n>", "decides the order of examples", readWhole, 123)
    .addOption(maskOption())
    .addOption(formatOption())
    .option("--max-length <n>", "the most tokens of an example", readCount, 1024)
    .addOption(splitOption())
    .addOption(deviceOption())
    .addOption(jsonOption())
    .action(plan);
  const counted = ["loraRank", "loraTargets", "quantize"];
  for (const option of adapterOptions()) {
    if (counted.includes(option.attributeName())) command.addOption(option);
  }
}

async function plan(options: Options): Promise<void> {
  const way = readWay(options);
  using interrupt = onInterrupt(() => console.error("Stopping"));
  const { signal } = interrupt;
  const { config, ...text } = await readConfig(options.model, signal);
  const { train } = splitEntries(await loadDataset(options.data, { signal }), {
    fractions: options.split,
  });
  const format = await chooseFormat(options.format, text, train);
  const all = encodeExamples(train, text.tokenizer, format);
  const maxLength = Math.min(options.maxLength, config.contextLength);
  const { message } = reportLengths(all, { mask: options.mask, maxLength });
  const examples = withCounted(all, { mask: options.mask, maxLength });
  const work: Work = {
    steps: 0,
    tokensPadded: 0,
    tokensComputed: 0,
    tokensCounted: 0,
    largestBatch: 0,
    largestLossRows: 0,
    flops: 0,
  };
  const { batchSize, seed, mask } = options;
  const dropLast = examples.length >= batchSize; // as sft() does
  for (const indices of orderBatches(examples.length, { batchSize, seed, dropLast })) {
    const part = indices.map((i) => examples[i]);
    const batch = forest(part, { mask, maxLength });
    const lossRows = new Set(batch.edges.rows).size;
    const longest = Math.max(
      ...part.map(({ promptIds, responseIds }) => promptIds.length + responseIds.length - 1),
    );
    work.steps++;
    work.tokensPadded += part.length * Math.min(longest, maxLength);
    work.tokensComputed += batch.tokensComputed;
    work.tokensCounted += batch.tokensCounted;
    work.largestBatch = Math.max(work.largestBatch, batch.tokensComputed);
    work.largestLossRows = Math.max(work.largestLossRows, lossRows);
    work.flops += stepFlops(config, way, batch.tokensComputed, lossRows);
  }
  const [weights, learning] = [countWeights(config), countLearning(config, way)];
  const memory = estimateMemory(config, way, work);
  const device = await pick({ device: options.device });
  const rate = await measureRate(device, config.width, work.largestBatch);
  // AdamW reads and writes 28 bytes a weight; about 3 ns each on two cores.
  const secondsPerStep = work.flops / work.steps / rate + learning * 3e-9;
  const seconds = secondsPerStep * work.steps * options.epochs;
  const result = {
    model: options.model,
    weights,
    learning,
    examples: examples.length,
    notice: message ?? null,
    epochs: options.epochs,
    ...work,
    memoryBytes: memory,
    device: device.name,
    measuredFlopsPerSecond: Math.round(rate),
    secondsPerStep,
    seconds,
  };
  device.close();
  if (options.json) return console.log(JSON.stringify(result, null, 2));
  const saved = work.tokensPadded / work.tokensComputed;
  const lines = [
    [
      "Model",
      `${options.model}, ${(weights / 1e6).toFixed(1)} million weights${
        learning === weights ? "" : `, ${(learning / 1e6).toFixed(1)} million learn`
      }`,
    ],
    [
      "Data",
      `${examples.length} examples, ${work.steps} steps an epoch, ${options.epochs} epoch${
        options.epochs === 1 ? "" : "s"
      }`,
    ],
    [
      "Tokens",
      `${work.tokensComputed} computed an epoch (${work.tokensPadded} if padded, ` +
      `${saved.toFixed(2)}× as many), ${work.tokensCounted} counted`,
    ],
    ["Arithmetic", `${(work.flops / 1e9).toPrecision(3)} GFLOP an epoch`],
    ["Memory", `about ${formatBytes(memory, { binary: true })}`],
    ["Device", `${device.name}, ${(rate / 1e9).toPrecision(3)} GFLOP/s measured`],
    ["Time", `about ${describeTime(seconds)} (${secondsPerStep.toFixed(2)} s a step)`],
  ];
  for (const [name, value] of lines) console.log(`${name.padEnd(11)} ${value}`);
  if (message) console.log(`Note        ${message}`);
}

function readWay({ loraRank, loraTargets, quantize }: Options): Way {
  if (quantize === "keep") {
    throw new TypeError(
      'Cannot plan with --quantize "keep": expected "nf4", "nf4_double", "f16" or "bf16"',
    );
  }
  if (loraRank === undefined && (loraTargets !== undefined || quantize !== undefined)) {
    throw new TypeError("Cannot plan: --lora-targets and --quantize go with --lora-rank");
  }
  return { loraRank, loraTargets, quantize };
}

/** Configuration and tokenizer, from a model's files or from what is known of published models. */
async function readConfig(
  name: string,
  signal: AbortSignal,
): Promise<TextSource & { config: Shape }> {
  const published: Readonly<Record<string, Gpt2Config>> = GPT2_SIZES;
  if (Object.hasOwn(published, name)) {
    const config = { ...published[name], shapes: gpt2Shapes(published[name]) };
    return { config, tokenizer: gpt2Tokenizer() };
  }
  const source = await resolveForCommand(name, { weights: false, signal });
  const tokenizer = await openTokenizer(source);
  if (source.kind === "directory") { // its weights need not be there yet
    const config = planModel(await readJson(source.config), source.config);
    return { config, tokenizer, source };
  }
  using stored = await openStoredModel(source);
  return { config: planModel(stored.config, stored.path), tokenizer, source };
}

/** Arithmetic a second, of a product of the model's shape. */
async function measureRate(device: Device, width: number, rows: number): Promise<number> {
  const [a, b] = [[rows, width], [width, 4 * width]].map((shape) =>
    Tensor.from(device, new Float32Array(sizeOf(shape)).fill(0.5), shape)
  );
  let best = Infinity;
  for (let round = 0; round < 4; round++) {
    await device.sync();
    const began = performance.now();
    scope(() => void matmul(a, b));
    await device.sync();
    best = Math.min(best, performance.now() - began);
  }
  return 8 * rows * width * width / (best / 1000);
}

function describeTime(seconds: number): string {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}
