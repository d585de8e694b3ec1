// The arithmetic of a training, estimated from a model's shapes.

import { chunk } from "@std/collections/chunk";
import { forest } from "../dataset/mod.ts";
import type { ModelPlan } from "../model/families/family.ts";
import { isLinearWeight } from "../model/families/traits.ts";
import { sizeOf } from "../tensor/tensor.ts";
import type { TrainingSettings } from "../train/settings.ts";
import type { TrainingData } from "../train/training_data.ts";

/** How many weights the model has. */
export function countWeights({ shapes }: Pick<ModelPlan, "shapes">): number {
  return [...shapes.values()].reduce((sum, shape) => sum + sizeOf(shape), 0);
}

/** Multiplications and additions of a forward pass: those of the blocks' matrices and of the head. */
function forwardFlops(
  { family, shapes, width, vocabularySize }: ModelPlan,
  tokens: number,
  lossRows: number,
): number {
  const elements = [...shapes].filter(([name, shape]) => isLinearWeight(family, name, shape))
    .reduce((sum, [, shape]) => sum + sizeOf(shape), 0);
  return 2 * (tokens * elements + lossRows * width * vocabularySize);
}

/**
 * Multiplications and additions of one step: forward, the gradients of what flows through the layers, and as much again
 * for the weights' own where these learn.
 *
 * @param shape The model's shape.
 * @param tokens Tokens of the batch.
 * @param lossRows Tokens that predict something.
 * @param adapted How many numbers its adapters have, if these learn and the weights do not.
 * @returns Operations.
 */
export function stepFlops(
  shape: ModelPlan,
  tokens: number,
  lossRows: number,
  adapted?: number,
): number {
  const forward = forwardFlops(shape, tokens, lossRows);
  return adapted === undefined ? 3 * forward : 2 * forward + 6 * tokens * adapted;
}

/** Multiplications and additions of all evaluations. */
export function evaluationFlops(
  shape: ModelPlan,
  { evaluated, count }: TrainingData,
  { batchSize, evalEvery, evalIters }: TrainingSettings,
  totalSteps: number,
): number {
  if (evalEvery === 0) return 0;
  const evaluations = Math.ceil(totalSteps / evalEvery);
  const most = evalIters === "all" ? evaluated.validation.length : evalIters * batchSize;
  let flops = 0;
  for (const part of [evaluated.train, evaluated.validation]) {
    for (const examples of chunk(part.slice(0, most), batchSize)) {
      const batch = forest(examples, count);
      flops += forwardFlops(shape, batch.tokensComputed, new Set(batch.edges.rows).size);
    }
  }
  return evaluations * flops;
}
