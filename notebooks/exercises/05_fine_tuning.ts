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
    "This is the mean of means: a token of a short batch would count more": (
      batches: BatchLoss[],
    ) => batches.reduce((sum, { loss }) => sum + loss, 0) / batches.length,
    "This is the sum over all tokens, not yet divided by how many they are": (
      batches: BatchLoss[],
    ) => batches.reduce((sum, { loss, tokens }) => sum + loss * tokens, 0),
  },
  hint: "Loss times tokens is what a batch adds to the sum; divide by all tokens together.",
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
    "Each element is clipped by itself: that turns the gradient's direction": (
      gradients: number[],
      largest: number,
    ) => gradients.map((g) => Math.max(-largest, Math.min(largest, g))),
    "Short gradients are made longer; only long ones are shortened": (
      gradients: number[],
      largest: number,
    ) => gradients.map((g) => g * largest / Math.hypot(...gradients)),
  },
  hint:
    "`Math.hypot(...list)` is its length. If that is too much, multiply all by the same factor.",
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
    "The cosine begins at step 0: it should begin where the warm-up ends": (
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
    "This falls in a straight line": (
      step: number,
      total: number,
      warmup: number,
      highest: number,
    ) =>
      step < warmup ? highest * step / warmup : highest * (1 - (step - warmup) / (total - warmup)),
  },
  hint:
    "After the warm-up: half of (1 + cos π·p), where p goes from 0 to 1 over the steps that are left.",
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
  title: "5.4 When to stop",
  inputs: [
    [[5, 4, 3, 3.5, 3.6, 2], 2],
    [[5, 4, 3, 3.5, 3.2, 2], 3],
    [[1, 2, 3], 5],
    [[3, 2, 1], 1],
    [[4, 3, 3.1, 2.9, 3, 3], 2],
  ],
  solution: stopAt,
  mistakes: {
    "This looks into the future: the lowest of all, though training had stopped before": (
      losses: number[],
    ) => losses.indexOf(Math.min(...losses)),
    "This is where training stops; its best weights are from an earlier evaluation": (
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
  hint:
    "Go through the losses once. Remember where the lowest so far was; stop when it is too long ago.",
});
