/**
 * The memory of a training, counted by taking its largest steps on a device that computes nothing: whatever is trained and
 * however, the same calls ask for the same memory.
 *
 * @module
 */

import type { WeightFacts } from "../model/empty_network.ts";
import { mergedCopy } from "../model/lora.ts";
import { generateTokens } from "../model/generate.ts";
import type { Network } from "../model/mod.ts";
import { trainableParameters } from "../model/trainable.ts";
import type { DryDevice } from "../tensor/dry_device.ts";
import { dequantize, isPacked, sizeOf, type Tensor } from "../tensor/mod.ts";
import { packedBytes } from "../tensor/packed.ts";
import { AdamW } from "../train/optimizer.ts";
import type { LoopSettings } from "../train/settings.ts";
import type { Pass, Rehearsal } from "./rehearsal.ts";
import { ANSWERS_DEFAULTS, answersAtOnce, type TrainingAnswers } from "./training_answers.ts";

/** Steps that are taken in their order: memory for small batches may not serve larger ones. */
const FIRST_STEPS = 24;
/** Evaluations between them. */
const FIRST_EVALUATIONS = 2;
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
 * @param rehearsal The training.
 * @param asked The number of steps; the prompts that are answered on the way, with their limits; whether adapters are merged
 * into the weights that are saved.
 * @returns Bytes.
 */
export async function countMemory(
  network: Network,
  rehearsal: Rehearsal,
  { totalSteps, prompts, answers = { every: 1 }, merges }: {
    readonly totalSteps: number;
    readonly prompts: readonly (readonly number[])[];
    readonly answers?: TrainingAnswers;
    readonly merges: boolean;
  },
): Promise<TrainingMemory> {
  const device = network.device as DryDevice;
  // Memory of a GPU is taken as a whole; that of a CPU as it is written to.
  const bytes = () => device.kind === "cpu" ? device.touchedBytes : device.allocatedBytes;
  const weights = bytes();
  using optimizer = new AdamW(trainableParameters(network), {
    reserveGradients: rehearsal.settings.recompute,
  });
  const { evalEvery } = rehearsal.settings;
  computePasses(rehearsal.prepared);
  for (let at = 0; at < Math.min(FIRST_STEPS, totalSteps); at++) {
    await rehearsal.take(at, optimizer);
    const isDue = (at + 1) % evalEvery === 0;
    if (isDue && at < FIRST_EVALUATIONS * evalEvery) computePasses(rehearsal.evaluated);
  }
  computePasses(rehearsal.evaluated);
  for (const at of largestSteps(rehearsal, totalSteps)) await rehearsal.take(at, optimizer);
  await answer(network, prompts, answers);
  if (merges) {
    using merged = mergedCopy(network);
    widenPacked(merged.network);
  }
  return { weights, tensors: bytes() };
}

/** Answers prompts that fit the context, as long as answers may be. */
async function answer(
  network: Network,
  prompts: readonly (readonly number[])[],
  answers: TrainingAnswers,
): Promise<void> {
  const asked = prompts.filter(({ length }) => length < network.contextLength)
    .slice(0, answers.count ?? ANSWERS_DEFAULTS.count);
  if (asked.length === 0) return;
  const batchSize = answersAtOnce(network, Math.max(...asked.map(({ length }) => length)), answers);
  const { maxNewTokens = ANSWERS_DEFAULTS.maxNewTokens } = answers;
  for await (const _ of generateTokens(network, asked, { maxNewTokens, batchSize }));
}

/** Widens packed weights one after the other, as they are when they are written. */
function widenPacked({ parameters }: Network): void {
  for (const tensor of parameters.values()) {
    if (isPacked(tensor.dtype)) dequantize(tensor).dispose();
  }
}

/** Steps with the most tokens, and with the most of them in a batch. */
function largestSteps(rehearsal: Rehearsal, totalSteps: number): number[] {
  const sizes = Array.from(
    { length: totalSteps },
    (_, at) => ({ at, tokens: rehearsal.sizeOf(at) }),
  );
  return sizes.sort((a, b) => b.tokens - a.tokens).slice(0, LARGEST_STEPS).map(({ at }) => at);
}

/** Computes the first batches without gradients in their order, as with steps, then the longest. */
function computePasses(passes: readonly Pass[]): void {
  for (const pass of passes.slice(0, FIRST_STEPS)) pass.compute();
  const longest = passes.toSorted((a, b) => b.tokens - a.tokens);
  for (const pass of longest.slice(0, LARGEST_STEPS)) pass.compute();
}

const MIB = 2 ** 20;

/** What training adds to a process beside tensors: scratch memory of kernels, parts of weights that are written, and the heap. */
const WORKING = 92 * MIB;

/**
 * The share of weights in float32 that the heap keeps beside them: what was read for one is given back in pieces, between
 * others, that do not fit the next. Measured: 2.7 % of 1.1 billion weights.
 */
const LEFT_BY_READING = 1 / 32;

/**
 * The most memory of a process that trains.
 *
 * @param base What the process holds without the model: the runtime, the library, the tokenizer and its files, the data.
 * @param network The network.
 * @param settings Its settings.
 * @param model What {@linkcode countMemory} counted, and how a weight is stored.
 * @returns Bytes: the larger of what loading it and what training and saving it takes.
 */
export function processBytes(
  base: number,
  network: Network,
  { restoreBest }: LoopSettings,
  { counted, factsOf }: {
    readonly counted: TrainingMemory;
    readonly factsOf: (parameter: string) => WeightFacts;
  },
): number {
  const { weights, tensors } = network.device.kind === "cpu" ? counted : NOTHING;
  const isCpu = network.device.kind === "cpu";
  let loaded = 0;
  let left = 0;
  let loading = weights;
  // Weights are read one after the other, the embedding first, when there is little else.
  for (const [name, tensor] of network.parameters) {
    if (isCpu) loaded += tensor.byteLength;
    if (isCpu && tensor.dtype === "f32") left += tensor.byteLength * LEFT_BY_READING;
    loading = Math.max(loading, loaded + readingBytes(factsOf(name), tensor));
  }
  const learning = [...trainableParameters(network).values()];
  const best = restoreBest ? learning.reduce((sum, { byteLength }) => sum + byteLength, 0) : 0;
  return Math.ceil(base + WORKING + left + Math.max(loading, tensors + best));
}

const NOTHING: TrainingMemory = { weights: 0, tensors: 0 };

/**
 * Bytes beside the weight's own that it takes to read it: as it is stored, here and on the device where it is widened there,
 * or as float32 where that is packed or turned.
 */
function readingBytes({ shape, type, transposed }: WeightFacts, { dtype, size }: Tensor): number {
  const stored = type.toLowerCase();
  const isRead = isPacked(stored) && !transposed && (dtype === "f32" || dtype === stored);
  if (!isRead) return 2 * 4 * size;
  const { total } = packedBytes(stored, sizeOf(shape.slice(0, -1)), shape.at(-1) ?? 1);
  return dtype === "f32" ? 2 * total : total;
}
