// The exercises of chapter 5. The solutions here are independent of the library, which they check.

import { exercise } from "tunebook/course";

/** A batch's mean loss, and over how many tokens it is. */
export interface BatchLoss {
  loss: number;
  tokens: number;
}

export const meanLoss = exercise({
  title: "5.1 The mean loss of several batches",
  inputs: [
    [[{ loss: 2, tokens: 10 }, { loss: 4, tokens: 30 }]],
    [[{ loss: 1, tokens: 1 }, { loss: 0, tokens: 99 }]],
    [[{ loss: 3, tokens: 7 }]],
  ],
  solution: (batches: BatchLoss[]) =>
    batches.reduce((sum, { loss, tokens }) => sum + loss * tokens, 0) /
    batches.reduce((sum, { tokens }) => sum + tokens, 0),
  mistakes: {
    "This is the mean of the means: a token of a short batch counts more than one of a long batch":
      (
        batches: BatchLoss[],
      ) => batches.reduce((sum, { loss }) => sum + loss, 0) / batches.length,
    "This is the sum over all tokens: divide it by their number": (
      batches: BatchLoss[],
    ) => batches.reduce((sum, { loss, tokens }) => sum + loss * tokens, 0),
  },
  hint: "What is the sum of the losses of all tokens of one batch?",
});

const clipped = (gradients: number[], largest: number) => {
  const norm = Math.hypot(...gradients);
  return norm > largest ? gradients.map((g) => g * largest / norm) : gradients;
};

export const clip = exercise({
  title: "5.2 Clip a gradient",
  inputs: [[[3, 4], 1], [[0.3, 0.4], 1], [[-6, 8, 0], 5]],
  solution: clipped,
  mistakes: {
    "This clips each element by itself, which changes the direction": (
      gradients: number[],
      largest: number,
    ) => gradients.map((g) => Math.max(-largest, Math.min(largest, g))),
    "This also makes short gradients longer": (
      gradients: number[],
      largest: number,
    ) => gradients.map((g) => g * largest / Math.hypot(...gradients)),
  },
  hint: "Which factor makes a gradient of length 5 one of length 1? When should it be 1?",
});

const cosineRate = (step: number, total: number, warmup: number, highest: number) =>
  step < warmup
    ? highest * step / warmup
    : highest * 0.5 * (1 + Math.cos(Math.PI * (step - warmup) / (total - warmup)));

export const schedule = exercise({
  title: "5.3 Warm up, then follow a cosine",
  inputs: [[0, 100, 10, 1], [5, 100, 10, 1], [10, 100, 10, 1], [40, 100, 10, 2], [100, 100, 10, 1]],
  solution: cosineRate,
  mistakes: {
    "The cosine begins at step 0; it should begin at the end of the warm-up": (
      step: number,
      total: number,
      warmup: number,
      highest: number,
    ) =>
      step < warmup
        ? highest * step / warmup
        : highest * 0.5 * (1 + Math.cos(Math.PI * step / total)),
    "There is no warm-up": (step: number, total: number, warmup: number, highest: number) =>
      highest * 0.5 * (1 + Math.cos(Math.PI * Math.max(0, step - warmup) / (total - warmup))),
    "After the warm-up this falls in a straight line": (
      step: number,
      total: number,
      warmup: number,
      highest: number,
    ) =>
      step < warmup ? highest * step / warmup : highest * (1 - (step - warmup) / (total - warmup)),
  },
  hint: "What is the rate at the end of the warm-up, and what at the last step?",
});

export const forgetting = exercise({
  title: "5.4 What forgetting costs",
  inputs: [[1, 1.5], [2, 2], [1.25, 3.5], [3, 2.5]],
  solution: (before: number, after: number) => Math.exp(after) / Math.exp(before),
  mistakes: {
    "This is the quotient of the losses; a perplexity is e to the power of a loss": (
      before: number,
      after: number,
    ) => after / before,
    "This is the difference of the perplexities, not their quotient": (
      before: number,
      after: number,
    ) => Math.exp(after) - Math.exp(before),
    "This is how far it has fallen: divide the perplexity after by the one before": (
      before: number,
      after: number,
    ) => Math.exp(before - after),
    "A loss in nats has base e, not 2": (before: number, after: number) => 2 ** (after - before),
  },
  hint: "Compute both perplexities first. Which one is divided by which?",
});

const stopAt = (losses: number[], patience: number) => {
  let best = 0;
  for (let i = 1; i < losses.length; i++) {
    if (losses[i] < losses[best]) best = i;
    else if (i - best >= patience) break;
  }
  return best;
};

export const earlyStopping = exercise({
  title: "5.5 When to stop",
  inputs: [
    [[5, 4, 3, 3.5, 3.6, 2], 2],
    [[5, 4, 3, 3.5, 3.2, 2], 3],
    [[1, 2, 3], 5],
    [[3, 2, 1], 1],
    [[4, 3, 3.1, 2.9, 3, 3], 2],
    [[5, 3, 3.5, 3.4, 2], 2],
    [[4, 3, 3, 3.5, 2], 2],
    [[3, 3.5, 3.6, 2, 3, 3, 3, 1], 2],
  ],
  solution: stopAt,
  mistakes: {
    "Only a new lowest loss starts the patience again; this one is lower than the one before it": (
      losses: number[],
      patience: number,
    ) => {
      let [best, waited] = [0, 0];
      for (let i = 1; i < losses.length && waited < patience; i++) {
        waited = losses[i] < losses[i - 1] ? 0 : waited + 1;
        if (losses[i] < losses[best]) best = i;
      }
      return best;
    },
    "A loss that equals the lowest is not a new lowest loss": (
      losses: number[],
      patience: number,
    ) => {
      let best = 0;
      for (let i = 1; i < losses.length; i++) {
        if (losses[i] <= losses[best]) best = i;
        else if (i - best >= patience) break;
      }
      return best;
    },
    "This stops one evaluation too late": (losses: number[], patience: number) =>
      stopAt(losses, patience + 1),
    "This looks into the future: training has stopped before that evaluation": (
      losses: number[],
    ) => losses.indexOf(Math.min(...losses)),
    "This is where training stops; the best weights are from an earlier evaluation": (
      losses: number[],
      patience: number,
    ) => {
      let best = 0;
      for (let i = 1; i < losses.length; i++) {
        if (losses[i] < losses[best]) best = i;
        else if (i - best >= patience) return i;
      }
      return losses.length - 1;
    },
  },
  hint: "Which two things do you know at each evaluation: which one was best, and how long ago?",
});
