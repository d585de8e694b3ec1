/**
 * The loss of a model on examples that it is not trained on.
 *
 * @module
 */

import { assertExamples } from "../dataset/encode.ts";
import type { EncodedExample } from "../dataset/encode.ts";
import { forest } from "../dataset/forest.ts";
import { withCounted } from "../dataset/sequences.ts";
import type { Communicator } from "../mpi/mod.ts";
import { assertKnownOptions, type OptionNames } from "../options.ts";
import { assertNetwork } from "../model/model.ts";
import { lossOf, type Network } from "../model/model.ts";
import { noGrad, scope } from "../tensor/mod.ts";
import type { Mask } from "../text/mod.ts";
import type { Evaluation } from "./options.ts";
import { SFT_DEFAULTS } from "./defaults.ts";
import type { TrainingSettings } from "./settings.ts";
import { lossWeight } from "./step.ts";
import { agree, assertNotStopped } from "./ranks.ts";
import type { TrainingData } from "./training_data.ts";

/** The result of a measurement. */
export interface MeasuredLoss {
  /** Mean negative log-likelihood per counted token, in nats. */
  readonly loss: number;
  /** How many tokens counted. */
  readonly tokens: number;
  /** How many examples had counted tokens. */
  readonly examples: number;
}

/** Options of {@linkcode measureLoss}. */
export interface MeasureOptions {
  /** Which tokens count; `prompt` by default. */
  readonly mask?: Mask;
  /** The most tokens of a sequence; the model's context by default. */
  readonly maxLength?: number;
  /** Examples per batch. 8 by default; it affects the result only by rounding. */
  readonly batchSize?: number;
  /** Stops it: the call rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Called after each batch with the examples done and the total. */
  readonly onProgress?: (done: number, total: number) => void;
}

const NAMES: OptionNames<MeasureOptions> = {
  mask: true,
  maxLength: true,
  batchSize: true,
  signal: true,
  onProgress: true,
};

/**
 * Measures the mean loss over all counted tokens of examples, weighted by the examples' weights.
 *
 * @param model The model.
 * @param examples The examples.
 * @param options Mask and lengths.
 * @returns The mean and the number of tokens. Examples without counted tokens are left out.
 * @throws {RangeError} If no token counts.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Gpt2, measureLoss, pick } from "tunebook";
 *
 * const device = await pick({ device: "cpu" });
 * const network = Gpt2.create(device, {
 *   vocabularySize: 9, contextLength: 8, width: 4, layers: 1, heads: 2,
 * });
 * const example = { promptIds: [1, 2], responseIds: [3, 8], instructionLength: 1 };
 * const { loss, tokens } = await measureLoss(network, [example]);
 * assertEquals([loss.toFixed(1), tokens], [Math.log(9).toFixed(1), 2]); // as good as guessing
 * device.close();
 * ```
 */
export async function measureLoss(
  model: Network,
  examples: readonly EncodedExample[],
  options: MeasureOptions = {},
): Promise<MeasuredLoss> {
  assertKnownOptions("measure the loss", options, NAMES);
  assertNetwork("measure the loss", model);
  assertExamples("measure the loss of", examples);
  const { loss, tokens, examples: counted } = await sumLosses(model, examples, options);
  return { loss, tokens, examples: counted };
}

/** A measurement, and the sum of the weights that its mean is over. */
interface WeighedLoss extends MeasuredLoss {
  readonly weight: number;
}

/** How a training measures: other ranks, if there are any, take turns with the batches. */
interface SharedMeasureOptions extends MeasureOptions {
  readonly communicator?: Communicator;
}

/** Measures a mean loss, and what it is over. */
async function sumLosses(
  model: Network,
  examples: readonly EncodedExample[],
  options: SharedMeasureOptions,
): Promise<WeighedLoss> {
  const { mask = SFT_DEFAULTS.mask, batchSize = SFT_DEFAULTS.batchSize } = options;
  const { signal, onProgress, communicator } = options;
  const { rank, size } = communicator ?? { rank: 0, size: 1 };
  const maxLength = Math.min(options.maxLength ?? Infinity, model.contextLength);
  const counted = withCounted(examples, { mask, maxLength });
  let sum = 0;
  let weight = 0;
  let tokens = 0;
  const measure = async (first: number): Promise<number[]> => {
    if (first >= counted.length) return [0, 0, 0];
    const batch = forest(counted.slice(first, first + batchSize), { mask, maxLength });
    using loss = scope(() => noGrad(() => lossOf(model, batch)));
    return [await loss.item() * lossWeight(batch), lossWeight(batch), batch.tokensCounted];
  };
  for (let first = 0; first < counted.length; first += batchSize * size) {
    if (!communicator) signal?.throwIfAborted();
    const own = await measure(first + batchSize * rank);
    const all = await communicator?.gather([...own, Number(signal?.aborted ?? false)]) ?? [own];
    if (communicator) assertNotStopped(all.map((one) => one[3]), signal);
    // In the order of batches, so that the sum has one process's bits.
    for (const one of all) {
      sum += one[0];
      weight += one[1];
      tokens += one[2];
    }
    const done = Math.min(first + batchSize * size, counted.length);
    onProgress?.(done, counted.length);
  }
  if (tokens === 0) {
    throw agree(
      new RangeError(
        `Cannot measure the loss of ${examples.length} examples: no token counts under the mask "${mask}"`,
      ),
    );
  }
  return { loss: sum / weight, weight, tokens, examples: counted.length };
}

/**
 * Measures the training and validation loss.
 *
 * @param model The model.
 * @param data The training's data.
 * @param options The number of batches and their size.
 * @param signal Stops it: the call rejects with the signal's reason.
 * @returns The losses.
 */
export async function evaluate(
  model: Network,
  { evaluated: { train, validation }, count }: TrainingData,
  { batchSize, evalIters, communicator }: TrainingSettings,
  signal?: AbortSignal,
): Promise<Evaluation> {
  const most = evalIters === "all" ? validation.length : evalIters * batchSize;
  const measure = (examples: readonly EncodedExample[]) =>
    measureTopics(model, examples.slice(0, most), {
      ...count,
      batchSize,
      signal,
      communicator,
    });
  const trained = await measure(train);
  if (validation.length === 0) {
    return { trainLoss: trained.loss, ...(trained.topics && { topicLosses: trained.topics }) };
  }
  const validated = await measure(validation);
  return {
    trainLoss: trained.loss,
    validationLoss: validated.loss,
    ...(validated.topics && { topicLosses: validated.topics }),
  };
}

/** Measures a mean loss and, if the examples have several topics, that of each topic, in one pass. */
async function measureTopics(
  model: Network,
  examples: readonly EncodedExample[],
  options: SharedMeasureOptions,
): Promise<{ loss: number; topics?: Readonly<Record<string, number>> }> {
  const byTopic = Map.groupBy(examples, ({ topic }) => topic ?? WITHOUT_TOPIC);
  if (byTopic.size < 2) return await sumLosses(model, examples, options);
  const topics: Record<string, number> = {};
  let sum = 0;
  let weights = 0;
  for (const [topic, members] of byTopic) {
    const { loss, weight } = await sumLosses(model, members, options);
    topics[topic] = loss;
    sum += loss * weight;
    weights += weight;
  }
  return { loss: sum / weights, topics };
}

/** The name of the examples that have no topic, among others that have one. */
const WITHOUT_TOPIC = "without topic";
