/**
 * The loss of a model on examples that it is not trained on.
 *
 * @module
 */

import { assertExamples } from "../dataset/encode.ts";
import { type EncodedExample, forest } from "../dataset/mod.ts";
import { withCounted } from "../dataset/sequences.ts";
import { assertKnownOptions, type OptionNames } from "../options.ts";
import { assertNetwork } from "../model/model.ts";
import { lossOf, type Network } from "../model/mod.ts";
import { noGrad, scope } from "../tensor/mod.ts";
import type { Mask } from "../text/mod.ts";
import type { Evaluation } from "./options.ts";
import { SFT_DEFAULTS } from "./defaults.ts";
import type { TrainingSettings } from "./settings.ts";
import { lossWeight } from "./step.ts";
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
  const { mask = SFT_DEFAULTS.mask, batchSize = SFT_DEFAULTS.batchSize } = options;
  const { signal, onProgress } = options;
  const maxLength = Math.min(options.maxLength ?? Infinity, model.contextLength);
  const counted = withCounted(examples, { mask, maxLength });
  let sum = 0;
  let weight = 0;
  let tokens = 0;
  for (let first = 0; first < counted.length; first += batchSize) {
    signal?.throwIfAborted();
    const batch = forest(counted.slice(first, first + batchSize), { mask, maxLength });
    using loss = scope(() => noGrad(() => lossOf(model, batch)));
    sum += await loss.item() * lossWeight(batch);
    weight += lossWeight(batch);
    tokens += batch.tokensCounted;
    onProgress?.(Math.min(first + batchSize, counted.length), counted.length);
  }
  if (tokens === 0) {
    throw new RangeError(
      `Cannot measure the loss of ${examples.length} examples: no token counts under the mask "${mask}"`,
    );
  }
  return { loss: sum / weight, tokens, examples: counted.length };
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
  { batchSize, evalIters }: TrainingSettings,
  signal?: AbortSignal,
): Promise<Evaluation> {
  const most = evalIters === "all" ? validation.length : evalIters * batchSize;
  const measure = async (examples: readonly EncodedExample[]) => {
    const options = { ...count, batchSize, signal };
    return (await measureLoss(model, examples.slice(0, most), options)).loss;
  };
  const trainLoss = await measure(train);
  return validation.length === 0
    ? { trainLoss }
    : { trainLoss, validationLoss: await measure(validation) };
}
