/**
 * The memory of a training, counted by taking its largest steps on a device that computes nothing: whatever is trained and
 * however, the same calls ask for the same memory.
 *
 * @module
 */

import { chunk } from "@std/collections/chunk";
import type { EncodedExample } from "../dataset/mod.ts";
import { forest } from "../dataset/mod.ts";
import type { WeightFacts } from "../model/empty_network.ts";
import { generateTokens } from "../model/generate.ts";
import { lossOf, type Network } from "../model/mod.ts";
import { trainableParameters } from "../model/trainable.ts";
import type { DryDevice } from "../tensor/dry_device.ts";
import { isPacked, noGrad, scope, sizeOf, type Tensor } from "../tensor/mod.ts";
import { packedBytes } from "../tensor/packed.ts";
import { AdamW } from "../train/optimizer.ts";
import type { TrainingSettings } from "../train/settings.ts";
import { ANSWERS_DEFAULTS, answersAtOnce, type TrainingAnswers } from "./training_answers.ts";
import { takeStep } from "../train/step.ts";
import type { TrainingData } from "../train/training_data.ts";

/** Steps that are taken in their order: memory for small batches may not serve larger ones. */
const FIRST_STEPS = 24;
/** Steps of all that are taken after them, the largest. */
const LARGEST_STEPS = 4;

/** Memory of a training. */
export interface TrainingMemory {
  /** Bytes of weights alone. */
  readonly weights: number;
  /** Bytes that tensors take at most. */
  readonly tensors: number;
}

/**
 * Counts what tensors take in a training.
 *
 * @param network The network on a {@linkcode DryDevice}, whose weights that learn are marked.
 * @param data Its data.
 * @param settings Its settings.
 * @param asked The number of steps, and the prompts that are answered on the way, with their limits.
 * @returns Bytes.
 */
export async function countMemory(
  network: Network,
  data: TrainingData,
  settings: TrainingSettings,
  { totalSteps, prompts, answers = { every: 1 } }: {
    readonly totalSteps: number;
    readonly prompts: readonly (readonly number[])[];
    readonly answers?: TrainingAnswers;
  },
): Promise<TrainingMemory> {
  const device = network.device as DryDevice;
  // Memory of a GPU is taken as a whole; that of a CPU as it is written to.
  const bytes = () => device.kind === "cpu" ? device.touchedBytes : device.allocatedBytes;
  const weights = bytes();
  const { recompute, evalEvery, maxGradientNorm, seed } = settings;
  using optimizer = new AdamW(trainableParameters(network), { reserveGradients: recompute });
  const take = async (at: number) => {
    await takeStep(network, optimizer, data.batchesOf(at), {
      ...{ step: at + 1, learningRate: 0, maxGradientNorm, recompute },
      dropoutSeed: network.hasDropout ? [seed, at] : undefined,
    });
  };
  for (let at = 0; at < Math.min(FIRST_STEPS, totalSteps); at++) await take(at);
  if (evalEvery > 0) evaluateLargest(network, data, settings);
  for (const at of largestSteps(data, totalSteps)) await take(at);
  await answer(network, prompts, answers);
  return { weights, tensors: bytes() };
}

/** Answers prompts that fit the context, as long as answers may be. */
async function answer(
  network: Network,
  prompts: readonly (readonly number[])[],
  answers: TrainingAnswers,
): Promise<void> {
  const asked = prompts.filter(({ length }) => length > 0 && length < network.contextLength);
  if (asked.length === 0) return;
  const batchSize = answersAtOnce(network, Math.max(...asked.map(({ length }) => length)), answers);
  const { maxNewTokens = ANSWERS_DEFAULTS.maxNewTokens } = answers;
  for await (const _ of generateTokens(network, asked, { maxNewTokens, batchSize }));
}

/** Steps with the most tokens, and with the most of them in a batch. */
function largestSteps(data: TrainingData, totalSteps: number): number[] {
  const sizes = Array.from({ length: totalSteps }, (_, at) => ({ at, tokens: data.sizeOf(at) }));
  return sizes.sort((a, b) => b.tokens - a.tokens).slice(0, LARGEST_STEPS).map(({ at }) => at);
}

/** Measures the loss of the longest batches that evaluations have. */
function evaluateLargest(
  network: Network,
  { evaluated, count }: TrainingData,
  { batchSize, evalIters }: TrainingSettings,
): void {
  const most = evalIters === "all" ? evaluated.validation.length : evalIters * batchSize;
  const batches = [evaluated.train, evaluated.validation].flatMap((part) =>
    chunk(part.slice(0, most), batchSize)
  );
  batches.sort((a, b) => tokensOf(b) - tokensOf(a));
  for (const batch of batches.slice(0, LARGEST_STEPS)) {
    using _loss = scope(() => noGrad(() => lossOf(network, forest(batch, count))));
  }
}

function tokensOf(examples: readonly EncodedExample[]): number {
  return examples.reduce(
    (sum, { promptIds, responseIds }) => sum + promptIds.length + responseIds.length,
    0,
  );
}

const MIB = 2 ** 20;

/** What training adds to a process beside tensors and copies of them: buffers of BLAS and of kernels, and the heap. */
const WORKING = 104 * MIB;

/** Copies of frozen weights that V8 has not collected when their hash is made: it collects garbage after this many bytes. */
const UNCOLLECTED = 80 * MIB;

/** What it takes to make a `tokenizer.json` of a GGUF file's tokens, for each of them. */
const BYTES_PER_TOKEN = 768;

/** What is known of the model besides its network. */
export interface Storing {
  /** How a weight is stored. */
  readonly factsOf: (parameter: string) => WeightFacts;
  /** Whether its tokenizer is in a GGUF file, of which another form is made. */
  readonly hasGgufTokenizer: boolean;
  /** Whether adapters are merged into the weights that are saved. */
  readonly merges: boolean;
}

/**
 * The most memory of a process that trains.
 *
 * @param base What the process holds without the model: the runtime, the library, tokenizer and data.
 * @param network The network.
 * @param settings Its settings.
 * @param counted From {@linkcode countMemory}.
 * @param storing How the model is read and saved.
 * @returns Bytes: the larger of what loading it and what training and saving it takes.
 */
export function processBytes(
  base: number,
  network: Network,
  { restoreBest }: TrainingSettings,
  counted: TrainingMemory,
  { factsOf, hasGgufTokenizer, merges }: Storing,
): number {
  const { weights, tensors } = network.device.kind === "cpu" ? counted : NOTHING;
  const parameters = [...network.parameters];
  const reading = Math.max(
    ...parameters.map(([name, tensor]) => readingBytes(factsOf(name), tensor)),
  );
  const learning = [...trainableParameters(network).values()];
  const adapts = [...network.linears.values()].some(({ adapter }) => adapter !== undefined);
  const all = [...network.parameters.values()];
  const bytesOf = (tensors: readonly Tensor[]) =>
    tensors.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const largest = (tensors: readonly Tensor[]) => 4 * Math.max(...tensors.map(({ size }) => size));
  // Weights and moments are copied one after the other to the files that they are saved in, and collected later.
  const saving = 3 * largest(adapts && !merges ? learning : [...learning, ...all]);
  const frozen = bytesOf(all.filter(({ requiresGrad }) => !requiresGrad));
  const writing = saving + Math.min(UNCOLLECTED, frozen) +
    (hasGgufTokenizer ? BYTES_PER_TOKEN * network.vocabularySize : 0);
  const merged = merges
    ? 4 * [...network.linears.values()].reduce((sum, { weight }) => sum + weight.size, 0)
    : 0;
  // The best weights and, while these are replaced, the previous ones.
  const copies = restoreBest ? 2 * bytesOf(learning) : 0;
  return base + WORKING + Math.max(weights + reading, tensors + merged + copies + writing);
}

const NOTHING: TrainingMemory = { weights: 0, tensors: 0 };

/** Bytes beside the device's that it takes to read a weight: as it is stored, or as float32 where that is packed or turned. */
function readingBytes({ shape, type, transposed }: WeightFacts, { dtype, size }: Tensor): number {
  const stored = type.toLowerCase();
  const isRead = isPacked(stored) && !transposed && (dtype === "f32" || dtype === stored);
  if (!isRead) return 2 * 4 * size;
  return packedBytes(stored, sizeOf(shape.slice(0, -1)), shape.at(-1) ?? 1).total;
}
