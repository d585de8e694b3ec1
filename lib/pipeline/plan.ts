/**
 * Estimates the tokens, memory and time of a training before anything is loaded.
 *
 * @module
 */

import { ollamaAdapters } from "../weights/resolved.ts";
import type { DatasetEntry, EntryFormat, PreferenceEntry } from "../dataset/mod.ts";
import { encodeExamples, encodePreferences, withAnswer } from "../dataset/mod.ts";
import { gpt2ToConfig } from "../model/families/gpt2.ts";
import type { ModelPlan } from "../model/families/family.ts";
import { isLinearWeight } from "../model/families/traits.ts";
import { isTextEntry } from "../dataset/chat_entry.ts";
import { emptyNetwork, type WeightFacts } from "../model/empty_network.ts";
import { addLora, type LoraOptions } from "../model/lora.ts";
import { loadLora } from "../model/lora_files.ts";
import {
  freeze,
  GPT2_SIZES,
  type Gpt2Config,
  type NamePattern,
  type Network,
  planModel,
} from "../model/mod.ts";
import type { Quantization } from "../model/quantize.ts";
import { openStoredModel, readJson } from "../model/stored_weights.ts";
import { trainableParameters } from "../model/trainable.ts";
import type { Device } from "../tensor/mod.ts";
import { DryDevice } from "../tensor/dry_device.ts";
import { hasTokenizerFiles, tokenizerFiles } from "../text/files.ts";
import { alpaca, gpt2Tokenizer } from "../text/mod.ts";
import { assertDpoOptions, resolveDpoOptions } from "../train/dpo_options.ts";
import { assertSftOptions } from "../train/options.ts";
import { resolveSftOptions } from "../train/settings.ts";
import type { FoundModel } from "./find_model.ts";
import { type FormatChoice, formatFor } from "./format.ts";
import type { DpoTrainOptions, TrainOptions } from "./model_options.ts";
import { encodeQuestion } from "./prompts.ts";
import { type Pass, type Rehearsal, rehearseDpo, rehearseSft } from "./rehearsal.ts";
import { assertAnswers, type TrainingAnswers, withBetter } from "./training_answers.ts";
import { measureSpeed, type Speed } from "./speed.ts";
import { countWeights, passFlops, stepFlops } from "./training_cost.ts";
import { countMemory, processBytes } from "./training_memory.ts";

/** A model's shape, and how it is asked: all that a plan needs. */
export interface PlannedModel extends FormatChoice {
  /** Widths, layers, and the shapes of its weights. */
  readonly shape: ModelPlan;
  /** How a weight is stored. */
  readonly factsOf: (parameter: string) => WeightFacts;
  /** Whether its tokenizer has files, which are copied when it is saved; others are made. */
  readonly hasTokenizerFiles: boolean;
  /** The directory of the adapter beside it, if there is one. */
  readonly adapter?: string;
}

/** How a model is loaded for a training, and saved after it. */
export interface LoadingOptions {
  /** How matrices are stored. */
  readonly quantize?: Quantization;
  /** The adapters that learn. */
  readonly lora?: LoraOptions;
  /** Which weights do not learn; none by default. */
  readonly freeze?: NamePattern;
  /** Whether what adapters learnt becomes part of the weights that are saved. */
  readonly merge?: boolean;
}

/** How a training is planned: as `Model.train()` takes it, and how the model is loaded for it. */
export interface PlanOptions
  extends LoadingOptions, Omit<TrainOptions, "validation" | "checkpoint"> {
  /** Entries to evaluate on; none by default. */
  readonly validation?: readonly DatasetEntry[];
}

/** How a training on preferences is planned: as `Model.dpo()` takes it, and how the model is loaded for it. */
export interface DpoPlanOptions extends LoadingOptions, Omit<DpoTrainOptions, "checkpoint"> {}

/** What one epoch computes. */
export interface Work {
  /** Updates of the weights. */
  steps: number;
  /** Tokens that padded batches would have. */
  tokensPadded: number;
  /** Tokens that are computed. */
  tokensComputed: number;
  /** Targets that count. */
  tokensCounted: number;
  /** Tokens of the largest batch. */
  largestBatch: number;
  /** Operations. */
  flops: number;
}

/** What a training will take. */
export interface TrainingPlan extends Work {
  /** How many weights the model has. */
  readonly weights: number;
  /** How many numbers learn. */
  readonly learning: number;
  /** Examples of which something counts. */
  readonly examples: number;
  /** Steps of the whole training. */
  readonly totalSteps: number;
  /** Notices about the data for the user. */
  readonly notices: readonly string[];
  /** The most memory of the process: tensors if the device is a CPU, and everything else. */
  readonly memoryBytes: number;
  /** The most memory that tensors take on the device. */
  readonly deviceBytes: number;
  /**
   * Arithmetic that the device does per second if no other program computes: the median of several measurements, by which all
   * times below are estimated.
   */
  readonly measuredFlopsPerSecond: number;
  /** Half of the measurements are at most this share away from each other. */
  readonly speedSpread: number;
  /** The share of the processor that other programs left when it was measured; 1 of a GPU. */
  readonly processorShare: number;
  /** About how long a step takes. */
  readonly secondsPerStep: number;
  /** About how long it takes to measure the reference of preferences; 0 without preferences. */
  readonly referenceSeconds: number;
  /** About how long all evaluations take. */
  readonly evaluationSeconds: number;
  /** About how long all of these take. */
  readonly seconds: number;
}

/**
 * The shape of a published model, for which no file is needed.
 *
 * @param name `gpt2`, `gpt2-medium`, …
 * @param dropout The dropout to train with.
 * @returns Its shape; undefined for other names.
 */
export function publishedModel(name: string, dropout = 0): PlannedModel | undefined {
  const published: Readonly<Record<string, Gpt2Config>> = GPT2_SIZES;
  if (!Object.hasOwn(published, name)) return undefined;
  const shape = planModel(gpt2ToConfig(published[name]), name, dropout);
  return {
    shape,
    factsOf: storedAs(shape, "F32"),
    tokenizer: gpt2Tokenizer(),
    format: alpaca,
    isTaught: false,
    hasTokenizerFiles: false,
  };
}

/**
 * Reads a model's shape from its files; weights need not be there yet.
 *
 * @param found The model.
 * @param options The dropout to train with, and whether the stored types of weights matter.
 * @returns Its shape.
 */
export async function shapeOf(
  found: FoundModel,
  { dropout = 0, quantize }: Pick<PlanOptions, "quantize"> & { readonly dropout?: number } = {},
): Promise<PlannedModel> {
  const { source } = found;
  const rest = {
    ...found,
    isTaught: found.taught?.format !== undefined,
    hasTokenizerFiles: hasTokenizerFiles(source),
  };
  if (source.kind === "directory" && quantize !== "stored") {
    const config = await readJson(source.config);
    const shape = planModel(config, source.config, dropout);
    const type = TORCH_TYPES[String(config.dtype ?? config.torch_dtype)] ?? "F32";
    return { ...rest, shape, factsOf: storedAs(shape, type) };
  }
  using stored = await openStoredModel(source);
  const shape = planModel(stored.config, stored.path, dropout);
  const facts = new Map(
    Array.from(shape.shapes.keys(), (parameter) => [parameter, stored.find(shape, parameter)]),
  );
  // Adapters of an Ollama model are merged, after which their weights are float32.
  const adapted = ollamaAdapters(source).length > 0;
  return {
    ...rest,
    shape,
    factsOf: (parameter) => ({
      ...facts.get(parameter)!,
      ...(adapted && facts.get(parameter)!.isLinear && { type: "F32" }),
    }),
  };
}

const TORCH_TYPES: Readonly<Record<string, string>> = { float16: "F16", bfloat16: "BF16" };

function storedAs({ family, shapes }: ModelPlan, type: string): PlannedModel["factsOf"] {
  return (parameter) => {
    const shape = shapes.get(parameter)!;
    const isLinear = isLinearWeight(family, parameter, shape);
    return { parameter, tensor: parameter, shape, type, isLinear, transposed: false };
  };
}

/**
 * Plans a training.
 *
 * @param model The model's shape and format.
 * @param entries What it will be trained on.
 * @param device Where; matrix products are timed on it.
 * @param options How.
 * @returns The estimate.
 */
export async function planTraining(
  model: PlannedModel,
  entries: readonly DatasetEntry[],
  device: Device,
  options: PlanOptions,
): Promise<TrainingPlan> {
  const { format: named, validation = [], answers, earlyStopping, ...others } = options;
  const { quantize, lora, freeze, merge, ...rest } = others;
  if (answers) assertAnswers(answers);
  const format = formatFor(model, entries, named);
  const given = {
    ...rest,
    examples: encodeExamples(entries, model.tokenizer, format),
    validation: encodeExamples(validation, model.tokenizer, format),
    ...(earlyStopping && { earlyStopping: withBetter(earlyStopping, answers?.metrics ?? []) }),
    ...(answers && { measurement: { every: answers.every, measure: unmeasured, settings: {} } }),
  };
  assertSftOptions(given);
  const rehearse = (network: Network) => rehearseSft(network, resolveSftOptions(given, network));
  const prompts = answers ? promptsOf(model, validation, format) : [];
  const asked = { prompts, ...(answers && { answers }) };
  return await planRehearsal(model, device, { quantize, lora, freeze, merge }, rehearse, asked);
}

/**
 * Plans a training on preferences.
 *
 * @param model The model's shape and format.
 * @param preferences What it will be trained on.
 * @param device Where; matrix products are timed on it.
 * @param options How.
 * @returns The estimate.
 */
export async function planPreferences(
  model: PlannedModel,
  preferences: readonly PreferenceEntry[],
  device: Device,
  options: DpoPlanOptions,
): Promise<TrainingPlan> {
  const { format: named, validation = [], ...others } = options;
  const { quantize, lora, freeze, merge, ...rest } = others;
  const format = formatFor(model, preferences.map((one) => withAnswer(one, "chosen")), named);
  const given = {
    ...rest,
    pairs: encodePreferences(preferences, model.tokenizer, format),
    validation: encodePreferences(validation, model.tokenizer, format),
  };
  assertDpoOptions(given);
  const rehearse = (network: Network) => rehearseDpo(network, resolveDpoOptions(given, network));
  return await planRehearsal(model, device, { quantize, lora, freeze, merge }, rehearse);
}

/** Plans whatever can be rehearsed. */
async function planRehearsal(
  model: PlannedModel,
  device: Device,
  { quantize, lora, freeze: frozen, merge }: LoadingOptions,
  rehearse: (network: Network) => Rehearsal,
  asked: { prompts: readonly (readonly number[])[]; answers?: TrainingAnswers } = { prompts: [] },
): Promise<TrainingPlan> {
  const { shape } = model;
  using dry = closing(new DryDevice(device));
  const network = emptyNetwork(shape, dry.device, model.factsOf, quantize);
  if (model.adapter !== undefined) await loadLora(network, model.adapter);
  if (lora) addLora(network, lora);
  if (frozen !== undefined) freeze(network, frozen);
  const rehearsal = rehearse(network);
  const { settings, stepsPerEpoch, examples, notices } = rehearsal;
  const parameters = [...trainableParameters(network).values()];
  const learning = parameters.reduce((sum, { size }) => sum + size, 0);
  const totalSteps = Math.min(stepsPerEpoch * settings.epochs, settings.maxSteps);

  const adapts = [...network.linears.values()].some(({ adapter }) => adapter !== undefined);
  const work = workOf(shape, rehearsal, adapts ? learning : undefined);
  const speed = await measureSpeed(device, shape.width, work.largestBatch);
  // The files of a tokenizer without files are made as the model is saved, and the heap keeps what that took.
  if (!model.hasTokenizerFiles) tokenizerFiles(model.tokenizer);
  // What this process holds by now, the training's will hold too: the runtime, the library, tokenizer and data.
  const base = Deno.memoryUsage().rss;
  const memory = await countMemory(network, rehearsal, {
    totalSteps,
    merges: merge === true && adapts,
    ...asked,
  });
  // AdamW reads and writes 28 bytes for each weight; about 3 ns each on two cores.
  const secondsPerStep = work.flops / work.steps / speed.flopsPerSecond + learning * 3e-9;
  const secondsOf = (passes: readonly Pass[]) => passFlops(shape, passes) / speed.flopsPerSecond;
  const referenceSeconds = secondsOf(rehearsal.prepared);
  const evaluations = settings.evalEvery === 0 ? 0 : Math.ceil(totalSteps / settings.evalEvery);
  const evaluationSeconds = evaluations * secondsOf(rehearsal.evaluated);
  return {
    weights: countWeights(shape),
    learning,
    examples,
    totalSteps,
    notices,
    ...work,
    memoryBytes: processBytes(base, network, settings, {
      counted: memory,
      factsOf: model.factsOf,
    }),
    deviceBytes: memory.tensors,
    ...describeSpeed(speed),
    secondsPerStep,
    referenceSeconds,
    evaluationSeconds,
    seconds: referenceSeconds + secondsPerStep * totalSteps + evaluationSeconds,
  };
}

/** The prompts of entries that ask something. */
function promptsOf(
  { tokenizer }: PlannedModel,
  entries: readonly DatasetEntry[],
  format: EntryFormat,
): number[][] {
  return entries.filter((entry) => !isTextEntry(entry))
    .map((entry) => encodeQuestion(entry, tokenizer, format));
}

function unmeasured(): Promise<never> {
  return Promise.reject(new TypeError("Cannot measure in a plan"));
}

function closing(device: DryDevice): Disposable & { readonly device: DryDevice } {
  return { device, [Symbol.dispose]: () => device.close() };
}

function describeSpeed({ flopsPerSecond, spread, share }: Speed) {
  return {
    measuredFlopsPerSecond: Math.round(flopsPerSecond),
    speedSpread: spread,
    processorShare: share,
  };
}

/** What the first epoch computes. */
function workOf(shape: ModelPlan, rehearsal: Rehearsal, adapted: number | undefined): Work {
  const { stepsPerEpoch } = rehearsal;
  const work: Work = {
    steps: stepsPerEpoch,
    tokensPadded: 0,
    tokensComputed: 0,
    tokensCounted: 0,
    largestBatch: 0,
    flops: 0,
  };
  for (let step = 0; step < stepsPerEpoch; step++) {
    for (const batch of rehearsal.batchesOf(step)) {
      work.tokensPadded += batch.tokensPadded;
      work.tokensComputed += batch.tokensComputed;
      work.tokensCounted += batch.tokensCounted;
      work.largestBatch = Math.max(work.largestBatch, batch.tokensComputed);
      const lossRows = new Set(batch.edges.rows).size;
      work.flops += stepFlops(shape, batch.tokensComputed, lossRows, adapted);
    }
  }
  return work;
}
