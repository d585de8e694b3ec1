/**
 * Estimates the tokens, memory and time of a training before anything is loaded.
 *
 * @module
 */

import type { DatasetEntry, EntryFormat } from "../dataset/mod.ts";
import { encodeExamples, forest, orderBatches, reportLengths } from "../dataset/mod.ts";
import { gpt2ToConfig } from "../model/families/gpt2.ts";
import { GPT2_SIZES, type Gpt2Config, planModel } from "../model/mod.ts";
import { openStoredModel, readJson } from "../model/stored_weights.ts";
import { type Device, matmul, scope, sizeOf, Tensor } from "../tensor/mod.ts";
import { alpaca, gpt2Tokenizer, type Mask } from "../text/mod.ts";
import { withCounted } from "../dataset/sequences.ts";
import type { FoundModel } from "./find_model.ts";
import { type FormatChoice, formatFor, type FormatName } from "./format.ts";
import {
  countLearning,
  countWeights,
  estimateMemory,
  type Shape,
  stepFlops,
  type Way,
  type Work,
} from "./training_cost.ts";

/** A model's shape, and how it is asked: all that a plan needs. */
export interface PlannedModel extends FormatChoice {
  /** Widths, layers, and the shapes of its weights. */
  readonly shape: Shape;
}

/** How a training is planned. */
export interface PlanOptions {
  /** How often to go through the entries. */
  readonly epochs: number;
  /** Examples in a batch. */
  readonly batchSize: number;
  /** Whether an incomplete last batch of each epoch is left out. */
  readonly dropLast?: boolean;
  /** Decides the order of examples. */
  readonly seed: number;
  /** Which tokens count. */
  readonly mask: Mask;
  /** The most tokens of a sequence. */
  readonly maxLength: number;
  /** How entries are written; as the model was taught by default. */
  readonly format?: FormatName | EntryFormat;
  /** Whether all weights learn or adapters do, and how the others are packed. */
  readonly way: Way;
}

/** What a training will take. */
export interface TrainingPlan extends Work {
  /** How many weights the model has. */
  readonly weights: number;
  /** How many numbers learn. */
  readonly learning: number;
  /** Examples of which something counts. */
  readonly examples: number;
  /** A notice about the data for the user. */
  readonly notice: string | null;
  /** Memory of the device, at its peak. */
  readonly memoryBytes: number;
  /** Arithmetic that the device does in a second, as it was measured. */
  readonly measuredFlopsPerSecond: number;
  /** About how long a step takes. */
  readonly secondsPerStep: number;
  /** About how long all epochs take. */
  readonly seconds: number;
}

/**
 * The shape of a published model, for which no file is needed.
 *
 * @param name `gpt2`, `gpt2-medium`, …
 * @returns Its shape; undefined for other names.
 */
export function publishedModel(name: string): PlannedModel | undefined {
  const published: Readonly<Record<string, Gpt2Config>> = GPT2_SIZES;
  if (!Object.hasOwn(published, name)) return undefined;
  const shape = planModel(gpt2ToConfig(published[name]), name);
  return { shape, tokenizer: gpt2Tokenizer(), format: alpaca, isTaught: false };
}

/**
 * Reads a model's shape from its files; weights need not be there yet.
 *
 * @param found The model.
 * @returns Its shape.
 */
export async function shapeOf(found: FoundModel): Promise<PlannedModel> {
  const { source } = found;
  const rest = { ...found, isTaught: found.taught?.format !== undefined };
  if (source.kind === "directory") {
    return { ...rest, shape: planModel(await readJson(source.config), source.config) };
  }
  using stored = await openStoredModel(source);
  return { ...rest, shape: planModel(stored.config, stored.path) };
}

/**
 * Plans a training.
 *
 * @param model The model's shape and format.
 * @param entries What it will be trained on.
 * @param device Where; one matrix product is timed on it.
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
  const { batchSize, seed, mask, way, epochs } = options;
  const all = encodeExamples(entries, tokenizer, formatFor(model, entries, options.format));
  const maxLength = Math.min(options.maxLength, shape.contextLength);
  const { message } = reportLengths(all, { mask, maxLength });
  const examples = withCounted(all, { mask, maxLength });
  const work: Work = {
    steps: 0,
    tokensPadded: 0,
    tokensComputed: 0,
    tokensCounted: 0,
    largestBatch: 0,
    largestLossRows: 0,
    flops: 0,
  };
  const dropLast = options.dropLast === true && examples.length >= batchSize; // as sft() does
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
    work.flops += stepFlops(shape, way, batch.tokensComputed, lossRows);
  }
  const learning = countLearning(shape, way);
  const rate = await measureRate(device, shape.width, work.largestBatch);
  // AdamW reads and writes 28 bytes for each weight; about 3 ns each on two cores.
  const secondsPerStep = work.flops / work.steps / rate + learning * 3e-9;
  return {
    weights: countWeights(shape),
    learning,
    examples: examples.length,
    notice: message ?? null,
    ...work,
    memoryBytes: estimateMemory(shape, way, work),
    measuredFlopsPerSecond: Math.round(rate),
    secondsPerStep,
    seconds: secondsPerStep * work.steps * epochs,
  };
}

/** Arithmetic per second, of a product of the model's shape. */
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
