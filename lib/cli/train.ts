// `tunebook train`: supervised fine-tuning of a model on a file of instructions.

import { join, resolve } from "@std/path";
import { type Command, InvalidArgumentError } from "commander";
import {
  encodeExample,
  encodeExamples,
  type InstructionEntry,
  loadEntries,
  parseSplit,
  readOrder,
  splitEntries,
} from "../dataset/mod.ts";
import { generate, type LanguageModel, saveModel } from "../model/mod.ts";
import type { Mask, Tokenizer } from "../text/mod.ts";
import { findCheckpoint, sft, type Step, type Training } from "../train/mod.ts";
import { checkpointName } from "../weights/mod.ts";
import {
  deviceOption,
  jsonOption,
  maskOption,
  readCount,
  readRate,
  readWhole,
} from "./arguments.ts";
import { onInterrupt } from "./interrupt.ts";
import { loadForCommand } from "./load.ts";
import { progress } from "./progress.ts";
import { StepLog } from "./step_log.ts";

interface Options {
  model: string;
  data: string;
  out: string;
  epochs: number;
  batchSize: number;
  lr: number;
  weightDecay: number;
  seed: number;
  mask: Mask;
  evalEvery: number;
  evalIters: number;
  maxLength: number;
  steps?: number;
  split: [number, number, number];
  order: string;
  device?: "auto" | "cpu" | "webgpu";
  checkpointEvery: number;
  resume: boolean;
  otherBits: boolean;
  log?: string;
  json: boolean;
}

/** Adds the subcommand. */
export function register(program: Command): void {
  program.command("train")
    .summary("fine-tune a model on instructions")
    .description(
      "Fine-tunes all weights of a model on a JSON file of instructions (an array of objects with " +
        '"instruction", "input" and "output") in the Alpaca format, and saves it in Hugging Face\'s ' +
        "layout. Ctrl-C stops after the step under way and writes a checkpoint; --resume goes on " +
        "from the newest one, to the same bits.",
    )
    .requiredOption("--model <name|dir>", "nano, gpt2, gpt2-medium, hf:owner/name, or a directory")
    .requiredOption("--data <file|url>", "the instructions")
    .requiredOption(
      "--out <dir>",
      "where the model goes; a folder that exists, or one written with a / at its end, gets a " +
        "folder in it with a name of the model's, such as gpt2-medium355M-sft",
    )
    .option("--epochs <n>", "how often to go through the training part", readCount, 1)
    .option("--batch-size <n>", "examples a step", readCount, 8)
    .option("--lr <rate>", "learning rate", readRate, 5e-5)
    .option("--weight-decay <rate>", "AdamW's decoupled weight decay", readRate, 0.1)
    .option("--seed <n>", "decides the order of examples", readWhole, 123)
    .addOption(maskOption())
    .option("--eval-every <n>", "evaluate after every n steps; 0 for never", readWhole, 5)
    .option("--eval-iters <n>", "evaluate on n batches of each part", readCount, 5)
    .option("--max-length <n>", "the most tokens of an example", readCount, 1024)
    .option("--steps <n>", "stop after n steps", readCount)
    .option(
      "--split <train,test,validation>",
      "fractions, taken from the file in this order; 1,0,0 trains on all of it",
      readSplit,
      [0.85, 0.1, 0.05],
    )
    .option(
      "--order <name|file>",
      "shuffled, given, or a JSON file: an array of batches of indices into the training part",
      "shuffled",
    )
    .addOption(deviceOption())
    .option("--checkpoint-every <n>", "write a checkpoint after every n steps", readCount, 50)
    .option("--resume", "go on from the newest checkpoint in --out", false)
    .option(
      "--other-bits",
      "resume also where device, BLAS or threads differ from the checkpoint's",
      false,
    )
    .option("--log <file>", "one JSON line a step (default: steps.jsonl in --out)")
    .addOption(jsonOption())
    .addHelpText(
      "after",
      "\nExample:\n  tunebook train --model gpt2-medium --data instruction-data.json --out models/",
    )
    .action(train);
}

function readSplit(text: string): [number, number, number] {
  try {
    return parseSplit(text);
  } catch (error) {
    throw new InvalidArgumentError(`${(error as Error).message}.`);
  }
}

async function train(options: Options): Promise<void> {
  const out = await outputDirectory(options.out, options.model);
  const checkpoints = join(out, "checkpoint");
  if (!options.resume && await findCheckpoint(checkpoints)) {
    throw new Error(
      `Cannot begin in "${out}": it holds the checkpoint of a training; give --resume to go on, ` +
        "or another --out",
    );
  }
  using interrupt = onInterrupt(() =>
    console.error("Stopping after this step; press Ctrl-C again to end at once")
  );
  const { signal } = interrupt;
  const parts = splitEntries(await loadEntries(options.data, { signal }), options.split);
  const order = options.order === "given" || options.order === "shuffled"
    ? options.order
    : await readOrder(options.order, parts.train.length);
  const { model, tokenizer } = await loadForCommand(options.model, { ...options, signal });

  await Deno.mkdir(out, { recursive: true });
  using training = sft(model, {
    examples: encodeExamples(parts.train, tokenizer),
    validation: encodeExamples(parts.validation, tokenizer),
    epochs: options.epochs,
    maxSteps: options.steps,
    batchSize: options.batchSize,
    order,
    learningRate: options.lr,
    weightDecay: options.weightDecay,
    seed: options.seed,
    mask: options.mask,
    maxLength: options.maxLength,
    evalEvery: options.evalEvery,
    evalIters: options.evalIters,
    checkpoint: { directory: checkpoints, every: options.checkpointEvery },
    resume: options.resume,
    confirmOtherBits: (differences) => options.otherBits || askForOtherBits(differences),
    signal,
    sample: sampler(parts.validation[0] ?? parts.test[0] ?? parts.train[0], tokenizer),
  });
  for (const notice of training.notices) console.error(`Note: ${notice}`);
  await training.start();
  if (training.resumedFrom) console.error(`Resumed after step ${training.step}`);
  const log = await StepLog.open(options.log ?? join(out, "steps.jsonl"), training.step);

  console.error(
    `${parts.train.length} examples, ${training.totalSteps} steps, ${model.device.name}`,
  );
  const stopped = await runSteps(training, log, signal);
  if (stopped) {
    const saved = await training.save();
    console.error(
      `Stopped after step ${training.step} of ${training.totalSteps}; saved "${saved}"`,
    );
    console.error("Go on with the same command and --resume");
    Deno.exitCode = 130;
    return;
  }
  await finish(out, checkpoints, model, parts.test, training, options);
}

/** Takes all steps; says whether it was stopped before the last. */
async function runSteps(training: Training, log: StepLog, signal: AbortSignal): Promise<boolean> {
  const bar = progress("Training", training.totalSteps);
  try {
    for await (const step of training) {
      await log.write(step);
      bar.update(step.step, describe(step));
      if (step.sample !== undefined) {
        bar.finish();
        console.error(`Sample after epoch ${step.epoch}:\n${step.sample}\n`);
      }
    }
    return false;
  } catch (error) {
    if (signal.aborted) return true;
    throw error;
  } finally {
    bar.finish();
  }
}

function describe({ loss, evaluation, tokensComputed, seconds }: Step): string {
  const rate = `${Math.round(tokensComputed / seconds)} tokens/s`;
  const losses = evaluation
    ? `loss ${evaluation.trainLoss.toFixed(3)}` +
      (evaluation.validationLoss === undefined
        ? ""
        : `, validation ${evaluation.validationLoss.toFixed(3)}`)
    : `loss ${loss.toFixed(3)}`;
  return `${losses}, ${rate}`;
}

async function finish(
  out: string,
  checkpoints: string,
  model: LanguageModel,
  test: readonly InstructionEntry[],
  training: Training,
  options: Options,
): Promise<void> {
  const { sha256 } = await saveModel(model, out);
  if (test.length > 0) {
    await Deno.writeTextFile(join(out, "test.json"), `${JSON.stringify(test, null, 4)}\n`);
  }
  await Deno.remove(checkpoints, { recursive: true });
  const last = training.history.at(-1);
  console.error(`Saved "${out}"`);
  if (options.json) {
    const result = {
      out,
      steps: training.step,
      loss: last?.loss ?? null,
      evaluation: last?.evaluation ?? null,
      seconds: training.history.reduce((sum, { seconds }) => sum + seconds, 0),
      tokensComputed: training.history.reduce((sum, step) => sum + step.tokensComputed, 0),
      tokensCounted: training.history.reduce((sum, step) => sum + step.tokensCounted, 0),
      device: model.device.name,
      sha256,
    };
    console.log(JSON.stringify(result, null, 2));
  }
}

/** `--out` itself, or a folder of the model's name in it where it is a folder of several. */
async function outputDirectory(out: string, model: string): Promise<string> {
  const info = await Deno.stat(out).catch(() => undefined);
  if (info && !info.isDirectory) throw new Error(`Cannot write to "${out}": it is not a folder`);
  if (!info) return /[/\\]$/.test(out) ? join(out, checkpointName(model)) : resolve(out);
  const entries = await Array.fromAsync(Deno.readDir(out), ({ name }) => name);
  const isModel = ["config.json", "checkpoint", "steps.jsonl"].some((name) =>
    entries.includes(name)
  );
  return isModel ? resolve(out) : join(resolve(out), checkpointName(model));
}

/** Answers an entry, for people to see what the model has learnt. */
function sampler(entry: InstructionEntry, tokenizer: Tokenizer) {
  return async (model: LanguageModel) => {
    const { promptIds } = encodeExample(entry, tokenizer);
    const options = { maxNewTokens: 48, eosId: tokenizer.eosId };
    const [{ tokens }] = await generate(model, [promptIds], options);
    const input = entry.input ? `\n  ${entry.input}` : "";
    return `  ${entry.instruction}${input}\n→ ${tokenizer.decode(tokens).trim()}`;
  };
}

function askForOtherBits(differences: readonly string[]): boolean {
  console.error("The checkpoint was made otherwise, so the result will differ in its last bits:");
  for (const difference of differences) console.error(`  ${difference}`);
  return Deno.stdin.isTerminal() && confirm("Go on?");
}
