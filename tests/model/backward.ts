// A batch's loss with its gradients, as a step of training computes them.

import { lossOf, type Network } from "../../lib/model/mod.ts";
import type { ForestBatch } from "../../lib/dataset/mod.ts";
import { backward, scope, type Tensor } from "../../lib/tensor/mod.ts";

/** Computes a batch's loss and leaves its gradients at the model's parameters; the caller disposes of the loss. */
export function lossWithGradients(
  model: Network,
  batch: ForestBatch,
  options?: Parameters<typeof lossOf>[2],
): Tensor {
  return scope(() => {
    const loss = lossOf(model, batch, options);
    backward(loss);
    return loss;
  });
}
