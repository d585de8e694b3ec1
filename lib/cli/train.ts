// `tunebook train`: supervised fine-tuning of a model on a file of instructions.

import { type Command, Option } from "commander";
import { readOrder } from "../dataset/batches.ts";
import { isChatEntry, isTextEntry } from "../dataset/chat_entry.ts";
import { type DatasetEntry, type EntryFormat, findLeaks, type Split } from "../dataset/mod.ts";
import type { FormatName, Model } from "../pipeline/mod.ts";
import { setCommand } from "../pipeline/program.ts";
import { TrainingFolder } from "../pipeline/training_folder.ts";
import { ChatTemplate, type Mask } from "../text/mod.ts";
import { type Communicator, StoppedByRank, TensorBoard, type Training } from "../train/mod.ts";
import type { WritableDtype } from "../weights/mod.ts";
import {
  type AdapterOptions,
  adapterOptions,
  assertAdapted,
  assertFreezable,
  freezeAsAsked,
  readLora,
} from "./adapter_options.ts";
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
import { formatOption, noteOnFormat, readFormatOption } from "./format.ts";
import { FORWARDED, INTERRUPTED, onInterrupt } from "./interrupt.ts";
import { loadForCommand } from "./load.ts";
import { withProfile } from "./profile.ts";
import { progress } from "./progress.ts";
import { withRanks } from "./ranks.ts";
import { addFieldOptions, dataOption, type DataOptions, readData } from "./read_data.ts";
import {
  type PartOptions,
  partOptions,
  type SplitCommandOptions,
  splitData,
  splitOptions,
} from "./split_options.ts";
import { StepLog } from "./step_log.ts";
import { describeEnd, describeFormatChoice, describeStep, sayBest } from "./training_report.ts";
import {
  readEvalIters,
  toSftOptions,
  type TrainingOptions,
  trainingOptions,
  withLoraDefaults,
} from "./training_options.ts";
import { LORA_DEFAULTS, SFT_DEFAULTS } from "../train/defaults.ts";

interface Options
  extends DataOptions, TrainingOptions, AdapterOptions, SplitCommandOptions, PartOptions {
  model: string;
  data: string;
  out: string;
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
  checkpointEvery: number;
  type: "f32" | "f16" | "bf16";
  profile: boolean;
  overwrite: boolean;
  resume: boolean;
  otherBits: boolean;
  log?: string;
  json: boolean;
}

/** Adds the subcommand. */
export function register(program: Command): void {
  const command = program.command("train")
    .summary("fine-tune a model on instructions")
    .description(
      "Fine-tunes a model on a file of instructions, in the Alpaca format or by a chat template, of " +
        "conversations or of texts, and saves it in Hugging Face's layout. Forms of data are recognised by " +
        "their fields; a field that would be lost is refused. " +
        "Ctrl-C stops after the current step and writes a checkpoint; --resume continues " +
        "from the newest one, with bit-identical results. Under mpirun or srun, ranks share each batch.",
    )
    .addOption(configOption())
    .optionsGroup("Model, data and result:")
    .addOption(modelOption())
    .addOption(dataOption().makeOptionMandatory())
    .requiredOption(
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
      `learning rate; ${LORA_DEFAULTS.learningRate} is LoRA's default`,
      readRate,
      SFT_DEFAULTS.learningRate,
    )
    .option(
      "--weight-decay <rate>",
      "AdamW's decoupled weight decay",
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
    )
    .optionsGroup("Checkpoints and logs:")
    .option("--checkpoint-every <n>", "write a checkpoint after every n steps", readCount, 50)
    .option("--profile", "measure the time of each kernel; writes profile.html to --out", false)
    .option("--resume", "continue from the newest checkpoint in --out", false)
    .option(
      "--other-bits",
      "resume even if device, BLAS or threads differ from the checkpoint's",
      false,
    )
    .option("--log <file>", "a file with one JSON line per step (default: steps.jsonl in --out)")
    .addOption(jsonOption())
    .addHelpText(
      "after",
      "\nExamples:\n  tunebook train --model gpt2-medium --data instruction-data.json --out models/\n" +
        "  tunebook train --model smollm2-135m-instruct --data chats.jsonl --out models/ --lora-rank 8\n" +
        "  tunebook train --model nano --data data.json --out models/nano-sft --freeze wte,first:2\n" +
        "  tunebook train --config run.yaml --resume\n" +
        "where run.yaml has lines such as:\n" +
        "  model: smollm2-135m-instruct\n  data: chats.jsonl\n  out: models/helper\n  lora-rank: 8\n  lr: 2e-4",
    )
    .action((options: Options, command: Command) =>
      withRanks("train", options, (ranks) => train(options, command, ranks))
    );
  command.optionsGroup("Fields of the data, and its parts:");
  addFieldOptions(command);
  for (const option of [...splitOptions(), ...partOptions()]) command.addOption(option);
  command.optionsGroup("Learning rate, memory, and the end:");
  for (const option of trainingOptions()) command.addOption(option);
  command.optionsGroup("Adapters and frozen weights:");
  for (const option of adapterOptions()) command.addOption(option);
}

/** Trains, alone or as one of several ranks, of which rank 0 reads and writes the folder. */
async function train(
  given: Options,
  command: Command,
  ranks?: Communicator,
): Promise<void> {
  let options = given;
  const folder = ranks && ranks.rank > 0
    ? undefined
    : await TrainingFolder.find(options.out, options.model);
  await using _lock = await folder?.lock();
  setCommand(`tunebook train --model ${options.model} --data ${options.data}`);
  const begins = folder === undefined || await mayBegin(folder, options);
  // Where rank 0 has nothing to do, nobody has.
  if (!begins || ranks) {
    const all = await ranks?.gather([Number(begins)]);
    if (all?.[0][0] !== 1) return;
  }
  using interrupt = onInterrupt(
    () => console.error("Stopping after this step; press Ctrl-C again to end at once"),
    ranks ? [FORWARDED] : [],
  );
  const { signal } = interrupt;
  const lora = readLora(options);
  assertFreezable(options);
  const entries = await readData(options.data, { ...options, signal });
  const parts = await splitData(entries, options, signal);
  const order = options.order === "given" || options.order === "shuffled"
    ? options.order
    : await readOrder(options.order, parts.train.length);
  const format = await readFormatOption(options.format);
  const model = await loadForCommand(options.model, { ...options, lora, signal });
  assertAdapted(model, options);
  freezeAsAsked(model, options);
  noteOnFormat(model, format);
  sayFormat(model, entries, format);
  if (model.adapter) {
    const isGiven = (name: string) => command.getOptionValueSource(name) !== "default";
    options = withLoraDefaults(options, isGiven, parts.train.length);
  }
  using training = model.train(parts.train, {
    format,
    validation: parts.validation,
    epochs: options.epochs,
    maxSteps: options.steps,
    batchSize: options.batchSize,
    order,
    learningRate: options.lr,
    weightDecay: options.weightDecay,
    seed: options.seed,
    mask: options.mask,
    maxLength: options.maxLength,
    // Without a test part there is nothing to compare with.
    evalEvery: parts.validation.length === 0 ? 0 : options.evalEvery,
    evalIters: options.evalIters,
    ...toSftOptions(options),
    ...(folder && {
      checkpoint: { directory: folder.checkpoints, every: options.checkpointEvery },
    }),
    resume: options.resume,
    confirmOtherBits: (differences) => confirmOtherBits(differences, options),
    signal,
    ...(ranks && { communicator: ranks }),
    sample: () => sampleOf(model, [...parts.validation, ...parts.test, ...parts.train]),
  });
  for (const notice of [...training.notices, ...describeLeaks(parts)]) {
    console.error(`Note: ${notice}`);
  }
  await folder?.open();
  await training.start();
  if (!folder) {
    if (await runSteps(training, { signal })) Deno.exitCode = INTERRUPTED;
    return;
  }
  if (training.resumedFrom) console.error(`Resumed after step ${training.step}`);
  else if (options.resume) {
    console.error("No checkpoint to resume from: starting from the beginning");
  }
  const log = await StepLog.open(options.log ?? folder.log, training.step);

  console.error(
    `${parts.train.length} examples, ${training.totalSteps} steps, ${model.device.name}`,
  );
  const { tensorboard } = options;
  using board = tensorboard ? await TensorBoard.open(tensorboard, training.step) : undefined;
  const takeSteps = () => runSteps(training, { log, board, signal });
  const stopped = options.profile
    ? await withProfile(model.device, folder.path, takeSteps)
    : await takeSteps();
  if (stopped) {
    const saved = await training.save();
    console.error(
      `Stopped after step ${training.step} of ${training.totalSteps}; saved "${saved}"`,
    );
    console.error("To continue, run the same command with --resume");
    Deno.exitCode = INTERRUPTED;
    return;
  }
  const { best } = training;
  if (best) sayBest(best, training);
  const steps = await log.read();
  const sum = (name: "seconds" | "tokensComputed" | "tokensCounted") =>
    steps.reduce((total, step) => total + step[name], 0);
  const dtype = options.type.toUpperCase() as WritableDtype;
  const record = await folder.finish(model, { dtype, merge: options.merge }, parts.test, {
    steps: training.step,
    loss: steps.at(-1)?.loss ?? null,
    evaluation: steps.at(-1)?.evaluation ?? null,
    ...(best && { best: { step: best.step, validationLoss: best.validationLoss } }),
    seconds: sum("seconds"),
    tokensComputed: sum("tokensComputed"),
    tokensCounted: sum("tokensCounted"),
    device: model.device.name,
  });
  console.error(describeEnd(steps, folder.path));
  if (options.json) console.log(JSON.stringify(record, null, 2));
}

/** Says in which format prompts are written, if that was not asked for. */
function sayFormat(
  { format, taught }: Model,
  entries: readonly DatasetEntry[],
  asked: FormatName | EntryFormat | undefined,
): void {
  if (asked !== undefined || entries.every(isTextEntry)) return;
  // Conversations choose a template by the model's special tokens, and say so themselves.
  if (!(format instanceof ChatTemplate) && entries.some(isChatEntry)) return;
  console.error(describeFormatChoice(format, taught.format !== undefined));
}

/** Whether there is anything to do in the folder, which is refused if it is another training's. */
async function mayBegin(folder: TrainingFolder, options: Options): Promise<boolean> {
  const resumes = await folder.hasCheckpoint();
  if (resumes && !options.resume) {
    throw new Error(
      `Cannot start in "${folder.path}": it holds a checkpoint of a training; give --resume to ` +
        "continue, or another --out",
    );
  }
  const finished = options.resume && !resumes ? await folder.finished() : undefined;
  if (finished) {
    console.error(
      `Nothing to do: the training in "${folder.path}" was finished after ${finished.steps} steps, and --epochs or ` +
        "--steps cannot extend it; to train further, give its folder as --model and another --out",
    );
    if (options.json) console.log(JSON.stringify(finished, null, 2));
    return false;
  }
  if (!resumes && !options.overwrite) {
    await folder.assertOwn(options.model, "give another --out, or --overwrite");
  }
  return true;
}

/** What entries of one part say that another part says too. */
function describeLeaks(parts: Split<DatasetEntry>): string[] {
  const leaked = Map.groupBy(findLeaks(parts), ({ to }) => to.part);
  return Array.from(leaked, ([part, leaks]) => {
    const entries = new Set(leaks.map(({ to }) => to.index)).size;
    return `${entries} of ${
      parts[part].length
    } entries of the ${part} part are nearly the same as one that ` +
      "is learnt or evaluated before, so scores on them measure memory; --group near keeps such entries together, and " +
      '"tunebook data split" lists them';
  });
}

/** Takes all steps. Returns whether it was stopped before the last. */
async function runSteps(
  training: Training,
  { log, board, signal }: { log?: StepLog; board?: TensorBoard; signal: AbortSignal },
): Promise<boolean> {
  const bar = progress("Training", training.totalSteps);
  const [first, began] = [training.step, performance.now()];
  try {
    for await (const step of training) {
      await log?.write(step);
      await board?.write(step);
      const each = (performance.now() - began) / 1000 / (step.step - first);
      bar.update(step.step, describeStep(step, each * (step.totalSteps - step.step)));
      if (step.warning) {
        bar.finish();
        console.error(`Warning: ${step.warning}`);
      }
      if (step.evaluation?.warnings) {
        bar.finish();
        for (const warning of step.evaluation.warnings) console.error(`Warning: ${warning}`);
      }
      if (step.sample !== undefined) {
        bar.finish();
        console.error(`Sample after epoch ${step.epoch}:\n${step.sample}\n`);
      }
    }
    return false;
  } catch (error) {
    if (error === signal.reason || error instanceof StoppedByRank) return true;
    throw error;
  } finally {
    bar.finish();
  }
}

/** Answers the first entry whose prompt fits the context, to show what the model has learnt. */
async function sampleOf(model: Model, entries: readonly DatasetEntry[]): Promise<string> {
  const fits = (entry: DatasetEntry) =>
    !isTextEntry(entry) &&
    model.encodePrompt(entry).length <= model.network.contextLength;
  const entry = entries.find(fits);
  if (!entry) return "  no entry has a prompt that fits the model's context";
  return `  ${describeEntry(entry)}\n→ ${await model.answer(entry, { maxNewTokens: 48 })}`;
}

function describeEntry(entry: DatasetEntry): string {
  if (isChatEntry(entry)) {
    return entry.messages.findLast(({ role }) => role === "user")?.content ?? "";
  }
  if (isTextEntry(entry)) return entry.text;
  return entry.instruction + (entry.input ? `\n  ${entry.input}` : "");
}

/** Whether to continue although the last bits will differ. */
function confirmOtherBits(differences: readonly string[], options: Options): boolean {
  if (options.otherBits) return true;
  if (options.json || !Deno.stdin.isTerminal()) {
    console.error("The result would differ in its last bits; --other-bits continues anyway");
    return false;
  }
  console.error("The checkpoint was made differently, so the result will differ in its last bits:");
  for (const difference of differences) console.error(`  ${difference}`);
  return confirm("Continue?");
}
