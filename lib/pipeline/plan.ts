/**
 * Estimates the tokens, memory and time of a training before anything is loaded.
 *
 * @module
 */

import { ollamaAdapters } from "../weights/resolved.ts";
import type { DatasetEntry } from "../dataset/mod.ts";
import { encodeExamples } from "../dataset/mod.ts";
import { gpt2ToConfig } from "../model/families/gpt2.ts";
import type { ModelPlan } from "../model/families/family.ts";
import { isLinearWeight } from "../model/families/traits.ts";
import { emptyNetwork, type WeightFacts } from "../model/empty_network.ts";
import { addLora, type LoraOptions } from "../model/lora.ts";
import { loadLora } from "../model/lora_files.ts";
import { freeze, GPT2_SIZES, type Gpt2Config, type NamePattern, planModel } from "../model/mod.ts";
import type { Quantization } from "../model/quantize.ts";
import { openStoredModel, readJson } from "../model/stored_weights.ts";
import { trainableParameters } from "../model/trainable.ts";
import type { Device } from "../tensor/mod.ts";
import { DryDevice } from "../tensor/dry_device.ts";
import { alpaca, gpt2Tokenizer } from "../text/mod.ts";
import { assertSftOptions } from "../train/options.ts";
import { resolveSftOptions } from "../train/settings.ts";
import { TrainingData } from "../train/training_data.ts";
import type { FoundModel } from "./find_model.ts";
import { type FormatChoice, formatFor } from "./format.ts";
import type { TrainOptions } from "./model_options.ts";
import { ANSWERS_DEFAULTS, assertAnswers, withBetter } from "./training_answers.ts";
import { measureSpeed, type Speed } from "./speed.ts";
import { countWeights, evaluationFlops, stepFlops } from "./training_cost.ts";
import { countMemory, processBytes } from "./training_memory.ts";

/** A model's shape, and how it is asked: all that a plan needs. */
export interface PlannedModel extends FormatChoice {
  /** Widths, layers, and the shapes of its weights. */
  readonly shape: ModelPlan;
  /** How a weight is stored. */
  readonly factsOf: (parameter: string) => WeightFacts;
  /** Whether its tokenizer is in a GGUF file. */
  readonly hasGgufTokenizer: boolean;
  /** The directory of the adapter beside it, if there is one. */
  readonly adapter?: string;
}

/** How a training is planned: as `Model.train()` takes it, and how the model is loaded for it. */
export interface PlanOptions extends Omit<TrainOptions, "validation" | "checkpoint"> {
  /** Entries to evaluate on; none by default. */
  readonly validation?: readonly DatasetEntry[];
  /** How matrices are stored. */
  readonly quantize?: Quantization;
  /** The adapters that learn. */
  readonly lora?: LoraOptions;
  /** Which weights do not learn; none by default. */
  readonly freeze?: NamePattern;
  /** Whether what adapters learnt becomes part of the weights that are saved. */
  readonly merge?: boolean;
}

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
  /** Arithmetic that the device does per second: the median of several measurements. */
  readonly measuredFlopsPerSecond: number;
  /** Half of the measurements are at most this share away from each other. */
  readonly speedSpread: number;
  /** About how long a step takes. */
  readonly secondsPerStep: number;
  /** About how long all evaluations take. */
  readonly evaluationSeconds: number;
  /** About how long all steps and evaluations take. */
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
    hasGgufTokenizer: false,
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
    hasGgufTokenizer: source.kind === "gguf",
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
  const { shape, tokenizer } = model;
  const { format: named, validation = [], answers, earlyStopping, ...others } = options;
  const { quantize, lora, freeze: frozen, merge, ...rest } = others;
  if (answers) assertAnswers(answers);
  const format = formatFor(model, entries, named);
  const given = {
    ...rest,
    examples: encodeExamples(entries, tokenizer, format),
    validation: encodeExamples(validation, tokenizer, format),
    ...(earlyStopping && { earlyStopping: withBetter(earlyStopping, answers?.metrics ?? []) }),
    ...(answers && { measurement: { every: answers.every, measure: unmeasured, settings: {} } }),
  };
  assertSftOptions(given);
  using dry = closing(new DryDevice(device));
  const network = emptyNetwork(shape, dry.device, model.factsOf, quantize);
  if (model.adapter !== undefined) await loadLora(network, model.adapter);
  if (lora) addLora(network, lora);
  if (frozen !== undefined) freeze(network, frozen);
  const settings = resolveSftOptions(given, network);
  const data = new TrainingData(network, settings);
  const parameters = [...trainableParameters(network).values()];
  const learning = parameters.reduce((sum, { size }) => sum + size, 0);
  const totalSteps = Math.min(data.stepsPerEpoch * settings.epochs, settings.maxSteps);

  const adapts = [...network.linears.values()].some(({ adapter }) => adapter !== undefined);
  const work = workOf(shape, data, adapts ? learning : undefined);
  const speed = await measureSpeed(device, shape.width, work.largestBatch);
  // What this process holds by now, the training's will hold too: the runtime, the library, tokenizer and data.
  const base = Deno.memoryUsage().rss;
  const prompts = answers
    ? given.validation.slice(0, answers.count ?? ANSWERS_DEFAULTS.count).map(({ promptIds }) =>
      promptIds
    )
    : [];
  const memory = await countMemory(network, data, settings, { totalSteps, prompts, answers });
  // AdamW reads and writes 28 bytes for each weight; about 3 ns each on two cores.
  const secondsPerStep = work.flops / work.steps / speed.flopsPerSecond + learning * 3e-9;
  const evaluationSeconds = evaluationFlops(shape, data, settings, totalSteps) /
    speed.flopsPerSecond;
  return {
    weights: countWeights(shape),
    learning,
    examples: data.examples.length,
    totalSteps,
    notices: data.notices,
    ...work,
    memoryBytes: processBytes(base, network, settings, memory, {
      factsOf: model.factsOf,
      hasGgufTokenizer: model.hasGgufTokenizer,
      merges: merge === true,
    }),
    deviceBytes: memory.tensors,
    ...describeSpeed(speed),
    secondsPerStep,
    evaluationSeconds,
    seconds: secondsPerStep * totalSteps + evaluationSeconds,
  };
}

function unmeasured(): Promise<never> {
  return Promise.reject(new TypeError("Cannot measure in a plan"));
}

function closing(device: DryDevice): Disposable & { readonly device: DryDevice } {
  return { device, [Symbol.dispose]: () => device.close() };
}

function describeSpeed({ flopsPerSecond, spread }: Speed) {
  return { measuredFlopsPerSecond: Math.round(flopsPerSecond), speedSpread: spread };
}

/** What the first epoch computes. */
function workOf(shape: ModelPlan, data: TrainingData, adapted: number | undefined): Work {
  const work: Work = {
    steps: data.stepsPerEpoch,
    tokensPadded: 0,
    tokensComputed: 0,
    tokensCounted: 0,
    largestBatch: 0,
    flops: 0,
  };
  for (let step = 0; step < data.stepsPerEpoch; step++) {
    for (const batch of data.batchesOf(step)) {
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
