// `tunebook train`: fine-tuning of a model on a file of instructions, or of preferences.

import type { Command } from "commander";
import { isChatEntry, isTextEntry } from "../dataset/chat_entry.ts";
import { type DatasetEntry, type EntryFormat, findLeaks, type Split } from "../dataset/mod.ts";
import type { FormatName, Model } from "../pipeline/mod.ts";
import { setCommand } from "../pipeline/program.ts";
import { TrainingFolder, type TrainingSummary } from "../pipeline/training_folder.ts";
import { ChatTemplate } from "../text/mod.ts";
import {
  type Best,
  type Communicator,
  type Step,
  StoppedByRank,
  TensorBoard,
  type Training,
} from "../train/mod.ts";
import type { LoopSettings } from "../train/settings.ts";
import type { WritableDtype } from "../weights/mod.ts";
import { assertAdapted, assertFreezable, freezeAsAsked, readLora } from "./adapter_options.ts";
import { noteOnFormat, noteOnGuess, readFormatOption } from "./format.ts";
import { FORWARDED, INTERRUPTED, onInterrupt } from "./interrupt.ts";
import { loadForCommand } from "./load.ts";
import { withProfile } from "./profile.ts";
import { progress } from "./progress.ts";
import { withRanks } from "./ranks.ts";
import { StepLog } from "./step_log.ts";
import {
  describeEnd,
  describeFormatChoice,
  describeObservation,
  describeStep,
  sayBest,
} from "./training_report.ts";
import {
  addMethodOptions,
  assertMethod,
  type MethodOptions,
  readToLearn,
  withMethodDefaults,
} from "./train_method.ts";
import { addTrainOptions, type TrainCommandOptions } from "./train_options.ts";

type Options = TrainCommandOptions & MethodOptions & { out: string };

/** Adds the subcommand. */
export function register(program: Command): void {
  const command = program.command("train")
    .summary("fine-tune a model on instructions or preferences")
    .description(
      "Fine-tunes a model on a file of instructions, in the Alpaca format or by a chat template, of " +
        "conversations or of texts, or with --method dpo on pairs of a chosen and a rejected answer, " +
        "and saves it in Hugging Face's layout. Forms of data are recognised by " +
        "their fields; a field that would be lost is refused. " +
        "Ctrl-C stops after the current step and writes a checkpoint; --resume continues " +
        "from the newest one, with bit-identical results. Under mpirun or srun, ranks share each batch.",
    )
    .addHelpText(
      "after",
      "\nExamples:\n  tunebook train --model gpt2-medium --data instruction-data.json --out models/\n" +
        "  tunebook train --model smollm2-135m-instruct --data chats.jsonl --out models/ --lora-rank 8\n" +
        "  tunebook train --model nano --data data.json --out models/nano-sft --freeze wte,first:2\n" +
        "  tunebook train --method dpo --model models/nano-sft --data pairs.jsonl --out models/nano-dpo\n" +
        "  tunebook train --config run.yaml --resume\n" +
        "where run.yaml has lines such as:\n" +
        "  model: smollm2-135m-instruct\n  data: chats.jsonl\n  out: models/helper\n  lora-rank: 8\n  lr: 2e-4",
    )
    .action((options: Options, command: Command) =>
      withRanks("train", options, (ranks) => train(options, command, ranks))
    );
  addTrainOptions(command);
  addMethodOptions(command);
  command.options.find(({ long }) => long === "--out")!.makeOptionMandatory();
}

/** Trains, alone or as one of several ranks, of which rank 0 reads and writes the folder. */
async function train(
  given: Options,
  command: Command,
  ranks?: Communicator,
): Promise<void> {
  let options = given;
  assertMethod(options, command, ranks);
  const folder = ranks && ranks.rank > 0
    ? undefined
    : await TrainingFolder.find(options.out, options.model);
  await using _lock = await folder?.lock();
  const method = options.method === "dpo" ? " --method dpo" : "";
  setCommand(`tunebook train${method} --model ${options.model} --data ${options.data}`);
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
  const learning = await readToLearn(options, signal);
  const { parts } = learning;
  const format = await readFormatOption(options.format);
  const model = await loadForCommand(options.model, { ...options, lora, signal });
  assertAdapted(model, options);
  freezeAsAsked(model, options);
  noteOnFormat(model, format);
  noteOnGuess(model, format, parts.train);
  sayFormat(model, parts.train, format);
  options = withMethodDefaults(options, command, {
    adapted: model.adapter !== undefined,
    examples: parts.train.length,
  });
  using training = learning.begin(model, options, {
    format,
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
    `${parts.train.length} ${learning.noun}, ${training.totalSteps} steps, ${model.device.name}`,
  );
  if (options.method === "dpo" && !training.resumedFrom) {
    const pairs = parts.train.length + parts.validation.length;
    console.error(`Measuring the reference on ${pairs} pairs, before the first step`);
  }
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
  const { summary, notices } = await folder.finish(
    model,
    { dtype, merge: options.merge },
    learning.test,
    {
      ...(options.method === "dpo" && { method: options.method }),
      steps: training.step,
      loss: steps.at(-1)?.loss ?? null,
      evaluation: steps.at(-1)?.evaluation ?? null,
      ...(best && { best: describeBest(best) }),
      seconds: sum("seconds"),
      tokensComputed: sum("tokensComputed"),
      tokensCounted: sum("tokensCounted"),
      device: model.device.name,
    },
  );
  for (const notice of notices) console.error(`Note: ${notice}`);
  console.error(describeEnd(steps, folder.path));
  if (options.json) console.log(JSON.stringify(summary, null, 2));
}

function describeBest({ step, validationLoss, score }: Best): TrainingSummary["best"] {
  return { step, ...(score === undefined ? { validationLoss } : { score }) };
}

/** Says in which format prompts are written, if that was not asked for. */
function sayFormat(
  { format, taught }: Model,
  entries: readonly DatasetEntry[],
  asked: FormatName | EntryFormat | undefined,
): void {
  if (asked !== undefined || entries.every(isTextEntry)) return;
  // Conversations choose a template by the model's special tokens, which noteOnGuess() says.
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
  training: Training<Step, LoopSettings>,
  { log, board, signal }: { log?: StepLog; board?: TensorBoard; signal: AbortSignal },
): Promise<boolean> {
  const bar = progress("Training", training.totalSteps);
  const first = training.step;
  let began: number | undefined; // what is measured before the first step takes no part in the time left
  try {
    for await (const step of training) {
      await log?.write(step);
      await board?.write(step);
      began ??= performance.now() - 1000 * step.seconds;
      const each = (performance.now() - began) / 1000 / (step.step - first);
      const secondsLeft = each * (step.totalSteps - step.step);
      const detail = describeStep({ ...step, evaluation: undefined }, secondsLeft);
      if (step.evaluation) bar.keep(step.step, describeStep(step, secondsLeft), detail);
      else bar.update(step.step, detail);
      if (step.warning) {
        bar.finish();
        console.error(`Warning: ${step.warning}`);
      }
      if (step.evaluation?.warnings) {
        bar.finish();
        for (const warning of step.evaluation.warnings) console.error(`Warning: ${warning}`);
      }
      if (step.observation) {
        bar.finish();
        console.error(describeObservation(step.step, step.observation));
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
