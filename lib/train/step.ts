/**
 * One training step: forward, backward, clip, update.
 *
 * @module
 */

import type { ForestBatch } from "../dataset/mod.ts";
import { lossOf, type Network } from "../model/model.ts";
import { Random } from "../random.ts";
import { backward, globalNorm, scope, type Tensor } from "../tensor/mod.ts";
import { type BatchRows, computingRows } from "../tensor/ops/dropout/batch_rows.ts";
import type { GradientSum } from "./gradient_sum.ts";
import type { AdamW } from "./optimizer.ts";
import { agree } from "./ranks.ts";

/** How the loss of a batch is computed. */
export interface BatchLoss<Batch> {
  /** The batch's share of the divisor of losses, such as the number of its counted tokens. */
  weigh(batch: Batch): number;
  /** The sum of the batch's losses divided by the normalizer: a scalar. */
  compute(
    network: Network,
    batch: Batch,
    options: { normalizer: number; dropoutSeed?: number; recompute?: boolean },
  ): Tensor;
}

/** The mean cross-entropy of counted tokens. */
const crossEntropy: BatchLoss<ForestBatch> = { weigh: lossWeight, compute: lossOf };

/** Settings of {@linkcode accumulateGradients}. */
export interface GradientSettings<Batch = ForestBatch> {
  /** How a batch's loss is computed; as mean cross-entropy of counted tokens by default. */
  readonly loss?: BatchLoss<Batch>;
  /** Seed of the dropout, different for each batch; without it nothing is dropped. */
  readonly dropoutSeed?: readonly number[];
  /** Whether activations are recomputed for the gradients instead of being kept. */
  readonly recompute?: boolean;
  /** Stops between two batches. */
  readonly signal?: AbortSignal;
  /** The other ranks, if the batches are shared with them. */
  readonly shared?: SharedStep;
}

/** What a rank must know of a step whose batches it shares with others. */
export interface SharedStep {
  /** The divisor of losses: all counts, of all ranks. */
  readonly normalizer: number;
  /** For each batch that this rank computes a part of: its number in the step, and its rows in the whole batch. */
  readonly parts: readonly { readonly at: number; readonly rows?: BatchRows }[];
  /** Sums the gradients. */
  readonly sum: GradientSum;
}

/** Settings of {@linkcode takeStep}. */
export interface StepSettings<Batch = ForestBatch> extends GradientSettings<Batch> {
  /** The step's number, from 1. */
  readonly step: number;
  /** The learning rate of this step. */
  readonly learningRate: number;
  /** The gradient norm, over all parameters, is clipped to this. */
  readonly maxGradientNorm: number;
}

/** The measurements of a step. */
export interface StepResult {
  /** Mean loss before the update. */
  readonly loss: number;
  /** Euclidean norm of all gradients before clipping. */
  readonly gradientNorm: number;
}

/**
 * Takes one step: forward, backward, clip, update. If it is stopped or fails, the weights are
 * unchanged and no gradients remain.
 *
 * @param network The network, changed in place.
 * @param optimizer The optimizer of the trainable parameters.
 * @param batches One batch, or several whose gradients add up to those of one large batch.
 * @param settings Learning rate, clipping, dropout, memory, stopping.
 * @returns The loss and the gradient norm.
 * @throws {RangeError} If the loss or the gradient norm is not finite.
 */
export async function takeStep<Batch extends ForestBatch>(
  network: Network,
  optimizer: AdamW,
  batches: readonly Batch[],
  settings: StepSettings<Batch>,
): Promise<StepResult> {
  const { step, learningRate, maxGradientNorm } = settings;
  optimizer.zeroGrad();
  try {
    const parameters = [...optimizer.parameters.values()];
    const result = await accumulateGradients(network, parameters, batches, settings);
    const { loss, gradientNorm } = result;
    if (!Number.isFinite(loss) || !Number.isFinite(gradientNorm)) {
      // With other ranks, all have computed the same.
      throw agree(
        new RangeError(
          `Cannot continue after step ${
            step - 1
          }: the next loss is ${loss} and the gradient norm ` +
            `${gradientNorm}; the model keeps its weights (a lower learning rate than ${learningRate} may help)`,
        ),
      );
    }
    const clip = Math.min(1, maxGradientNorm / (gradientNorm + 1e-6));
    optimizer.step(learningRate, clip);
    // A GPU need not be waited for: the next read does. What goes wrong until then, that read tells.
    const { device } = network;
    if (device.submit) device.submit();
    else await device.sync();
    return result;
  } catch (error) {
    optimizer.zeroGrad();
    throw error;
  }
}

/**
 * Runs forward and backward through batches. Each batch's loss is divided by the counted tokens of
 * all of them, so that loss and gradients equal those of one batch with all examples.
 *
 * @param network The network.
 * @param parameters Its trainable parameters; gradients are added to existing ones.
 * @param batches The batches, at least one; this rank's parts, of which there may be none, if they are shared.
 * @param settings The loss, dropout, memory, stopping, other ranks.
 * @returns The loss and the gradient norm, those of all ranks.
 */
export async function accumulateGradients<Batch extends ForestBatch>(
  network: Network,
  parameters: Iterable<Tensor>,
  batches: readonly Batch[],
  { loss: { weigh, compute } = crossEntropy, dropoutSeed, recompute, signal, shared }:
    GradientSettings<Batch> = {},
): Promise<StepResult> {
  const normalizer = shared?.normalizer ?? batches.reduce((sum, batch) => sum + weigh(batch), 0);
  const forwardBackward = (batch: Batch, index: number): Tensor => {
    const { at, rows } = shared?.parts[index] ?? { at: index };
    const seed = dropoutSeed && new Random(at === 0 ? dropoutSeed : [...dropoutSeed, at]).uint32();
    return computingRows(rows, () =>
      scope(() => {
        const loss = compute(network, batch, { normalizer, dropoutSeed: seed, recompute });
        backward(loss);
        return loss;
      }));
  };
  let sum = 0;
  for (const [at, batch] of batches.slice(0, -1).entries()) {
    using loss = forwardBackward(batch, at);
    sum += await loss.item();
    signal?.throwIfAborted();
  }
  // The last batch's loss is awaited together with the norm.
  using loss = batches.length > 0
    ? forwardBackward(batches.at(-1)!, batches.length - 1)
    : undefined;
  if (shared) {
    const [all] = await shared.sum.run(async () => [sum + ((await loss?.item()) ?? 0)]);
    return { loss: all, gradientNorm: await globalNorm(gradientsOf(parameters)) };
  }
  const norm = globalNorm(gradientsOf(parameters));
  const [gradientNorm, last] = await Promise.all([norm, loss!.item()]);
  return { loss: sum + last, gradientNorm };
}

function gradientsOf(parameters: Iterable<Tensor>): Tensor[] {
  return Array.from(parameters, ({ grad }) => grad).filter((grad) => grad !== undefined);
}

/**
 * The divisor of a batch's loss.
 *
 * @param batch The batch.
 * @returns The sum of its edges' counts: the number of its counted targets, each times its example's weight.
 */
export function lossWeight({ edges }: ForestBatch): number {
  return edges.counts.reduce((sum, count) => sum + count, 0);
}
