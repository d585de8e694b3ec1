// The arithmetic of a training, estimated from a model's shapes.

import type { ModelPlan } from "../model/families/family.ts";
import { isLinearWeight } from "../model/families/traits.ts";
import { sizeOf } from "../tensor/tensor.ts";
import type { Pass } from "./rehearsal.ts";

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

/**
 * Multiplications and additions of batches that are computed without gradients.
 *
 * @param shape The model's shape.
 * @param passes The batches.
 * @returns Operations.
 */
export function passFlops(shape: ModelPlan, passes: readonly Pass[]): number {
  return passes.reduce((sum, pass) => {
    const { tokensComputed, edges } = pass.layOut();
    return sum + forwardFlops(shape, tokensComputed, new Set(edges.rows).size);
  }, 0);
}
