// The exercises of chapter 6. The solutions here are independent of the library, which they check.

import { exercise } from "tunebook/course";

const divide = (weights: number[]) => {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
};

const softmaxOf = (logits: number[], temperature: number) => {
  const largest = Math.max(...logits);
  return divide(logits.map((logit) => Math.exp((logit - largest) / temperature)));
};

export const softmax = exercise({
  title: "6.1 Softmax with a temperature",
  inputs: [[[2, 1, 0], 1], [[2, 1, 0], 0.5], [[1000, 999], 1], [[0.5], 2]],
  solution: softmaxOf,
  mistakes: {
    "The logits are multiplied by the temperature: higher should be flatter": (
      logits: number[],
      temperature: number,
    ) => softmaxOf(logits, 1 / temperature),
    "Too large for exp(): subtract the largest logit first": (
      logits: number[],
      temperature: number,
    ) => divide(logits.map((logit) => Math.exp(logit / temperature))),
    "The temperature is not used": (logits: number[]) => softmaxOf(logits, 1),
  },
  hint: "exp((logit − largest) / temperature), divided by the sum of all of them.",
});

const nth = (probabilities: number[], k: number) => probabilities.toSorted((a, b) => b - a)[k - 1];

export const topK = exercise({
  title: "6.3 Top-k",
  inputs: [[[0.1, 0.5, 0.15, 0.25], 2], [[0.4, 0.6], 5], [[0.2, 0.7, 0.1], 1]],
  solution: (probabilities: number[], k: number) => {
    const least = nth(probabilities, Math.min(k, probabilities.length));
    return divide(probabilities.map((p) => p >= least ? p : 0));
  },
  mistakes: {
    "The probabilities that are left do not add up to 1": (probabilities: number[], k: number) => {
      const least = nth(probabilities, Math.min(k, probabilities.length));
      return probabilities.map((p) => p >= least ? p : 0);
    },
    "The first k are kept, not the k most likely": (probabilities: number[], k: number) =>
      divide(probabilities.map((p, i) => i < k ? p : 0)),
  },
  hint: "Sort a copy to find the k-th largest; keep what is at least that; divide by the new sum.",
});

const nucleus = (probabilities: number[], share: number, past: number) => {
  const order = [...probabilities.keys()].sort((a, b) => probabilities[b] - probabilities[a]);
  const kept = new Set<number>();
  let sum = 0;
  for (const i of order) {
    if (sum >= share - 1e-12) break;
    if (past === 0 && sum + probabilities[i] > share + 1e-12 && kept.size > 0) break;
    kept.add(i);
    sum += probabilities[i];
  }
  return divide(probabilities.map((p, i) => kept.has(i) ? p : 0));
};

export const topP = exercise({
  title: "6.4 Top-p",
  inputs: [[[0.1, 0.5, 0.15, 0.25], 0.7], [[0.6, 0.3, 0.1], 0.5], [[0.3, 0.3, 0.4], 1]],
  solution: (probabilities: number[], share: number) => nucleus(probabilities, share, 1),
  mistakes: {
    "The token that passes the mark is left out: the kept ones must add up to at least p": (
      probabilities: number[],
      share: number,
    ) => nucleus(probabilities, share, 0),
    "Tokens less likely than p are left out: p is about the sum": (
      probabilities: number[],
      share: number,
    ) => divide(probabilities.map((p) => p >= share ? p : 0)),
  },
  hint: "Go down from the most likely and add up; stop as soon as the sum is at least p.",
});

export const draw = exercise({
  title: "6.5 Draw a token",
  inputs: [
    [[0.5, 0.25, 0.25], 0.1],
    [[0.5, 0.25, 0.25], 0.6],
    [[0.5, 0.25, 0.25], 0.9],
    [[0, 0.2, 0.8], 0],
    [[1], 0.99],
  ],
  solution: (probabilities: number[], needle: number) => {
    let sum = 0;
    return probabilities.findIndex((p) => (sum += p) > needle);
  },
  mistakes: {
    "This is always the most likely: the draw is not used": (probabilities: number[]) =>
      probabilities.indexOf(Math.max(...probabilities)),
    "The needle is compared with each probability, not with the sum so far": (
      probabilities: number[],
      needle: number,
    ) => probabilities.findIndex((p) => p > needle),
  },
  hint:
    "Lay the probabilities end to end: the first place where the running sum passes the needle.",
});

export const entropy = exercise({
  title: "6.2 How uncertain is it?",
  inputs: [[[0.5, 0.5]], [[1, 0]], [[0.25, 0.25, 0.25, 0.25]], [[0.9, 0.1]]],
  solution: (probabilities: number[]) =>
    probabilities.reduce((sum, p) => p > 0 ? sum - p * Math.log2(p) : sum, 0),
  mistakes: {
    "These are nats; for bits take the logarithm to base 2": (probabilities: number[]) =>
      probabilities.reduce((sum, p) => p > 0 ? sum - p * Math.log(p) : sum, 0),
    "The sign is wrong: logarithms of probabilities are negative": (probabilities: number[]) =>
      probabilities.reduce((sum, p) => p > 0 ? sum + p * Math.log2(p) : sum, 0),
    "0 · log 0 is not a number here; leave out what never happens": (probabilities: number[]) =>
      -probabilities.reduce((sum, p) => sum + p * Math.log2(p), 0),
  },
  hint: "−Σ p log₂ p over the probabilities above 0.",
});
