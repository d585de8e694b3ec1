/** How threads share out `linearCrossEntropy`: rows of logits; the final sum is one thread's. */
import { implement, ints } from "../../cpu/kernel.ts";
import type { backwardKernel, forwardKernel, lossKernel } from "./linear_cross_entropy.ts";

export const crossEntropyForward = implement<typeof forwardKernel>("crossEntropy.forward", (
  context,
  { logits, starts, targets, statistics, targetLogits },
  { rows, tokens, firstToken },
) => {
  const [rowStarts, targetIds] = [ints(starts), ints(targets)];
  const statisticsAt = context.reserve(2);
  const rowAt = context.reserve(tokens);
  const { first, last } = context.share(rows);
  for (let row = first; row < last; row++) {
    const begun = firstToken > 0;
    context.floats.set(begun ? statistics.subarray(row * 2, row * 2 + 2) : START, statisticsAt / 4);
    context.floats.set(logits.subarray(row * tokens, (row + 1) * tokens), rowAt / 4);
    context.wasm.crossEntropyForward(rowAt, tokens, statisticsAt);
    context.store(statisticsAt, statistics, { first: row * 2, last: row * 2 + 2 });
    for (let edge = rowStarts[row]; edge < rowStarts[row + 1]; edge++) {
      const token = targetIds[edge] - firstToken;
      if (token >= 0 && token < tokens) targetLogits[edge] = logits[row * tokens + token];
    }
  }
});

/** No maximum and no sum yet. */
const START = [-3.4028234663852886e38, 0];

export const crossEntropyLoss = implement<typeof lossKernel>("crossEntropy.loss", (
  context,
  { statistics, starts, counts, targetLogits, loss },
  { rows, factor },
) => {
  if (context.thread !== 0) return;
  const rowStarts = ints(starts);
  let sum = 0;
  for (let row = 0; row < rows; row++) {
    const logSum = statistics[row * 2] + Math.log(statistics[row * 2 + 1]);
    for (let edge = rowStarts[row]; edge < rowStarts[row + 1]; edge++) {
      sum += counts[edge] * (logSum - targetLogits[edge]);
    }
  }
  loss[0] = sum * factor;
});

export const crossEntropyBackward = implement<typeof backwardKernel>("crossEntropy.backward", (
  context,
  { logits, starts, targets, counts, statistics, dLoss },
  { rows, tokens, firstToken, factor },
) => {
  const [rowStarts, targetIds] = [ints(starts), ints(targets)];
  const rowAt = context.reserve(tokens);
  const scale = dLoss[0] * factor;
  const { first, last } = context.share(rows);
  for (let row = first; row < last; row++) {
    const logSum = statistics[row * 2] + Math.log(statistics[row * 2 + 1]);
    let count = 0;
    for (let edge = rowStarts[row]; edge < rowStarts[row + 1]; edge++) count += counts[edge];
    context.floats.set(logits.subarray(row * tokens, (row + 1) * tokens), rowAt / 4);
    context.wasm.crossEntropyBackward(rowAt, tokens, logSum, scale * count);
    context.store(rowAt, logits, { first: row * tokens, last: (row + 1) * tokens });
    for (let edge = rowStarts[row]; edge < rowStarts[row + 1]; edge++) {
      const token = targetIds[edge] - firstToken;
      if (token >= 0 && token < tokens) logits[row * tokens + token] -= scale * counts[edge];
    }
  }
});
