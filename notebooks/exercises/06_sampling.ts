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
  inputs: [[[2, 1, 0], 1], [[2, 1, 0], 0.5], [[1000, 999], 1], [[0.5], 2], [[900, 0], 1]],
  solution: softmaxOf,
  mistakes: {
    "This multiplies by the temperature; a higher one should make the distribution flatter": (
      logits: number[],
      temperature: number,
    ) => softmaxOf(logits, 1 / temperature),
    "The logits are too large for exp(): subtract the largest one first": (
      logits: number[],
      temperature: number,
    ) => divide(logits.map((logit) => Math.exp(logit / temperature))),
    "The temperature has no effect: divide the whole exponent by it": (logits: number[]) =>
      softmaxOf(logits, 1),
    "The results do not add up to 1: divide by their sum": (
      logits: number[],
      temperature: number,
    ) => logits.map((logit) => Math.exp((logit - Math.max(...logits)) / temperature)),
    "These are exp(logit / temperature), too large for large logits, and not divided by their sum":
      (
        logits: number[],
        temperature: number,
      ) => logits.map((logit) => Math.exp(logit / temperature)),
    "The smallest logit is subtracted: the largest one still overflows": (
      logits: number[],
      temperature: number,
    ) => divide(logits.map((logit) => Math.exp((logit - Math.min(...logits)) / temperature))),
  },
  hint: "Do your results add up to 1? Does a higher temperature bring them closer together?",
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
    "What is kept does not add up to 1: divide by its sum": (
      probabilities: number[],
      k: number,
    ) => {
      const least = nth(probabilities, Math.min(k, probabilities.length));
      return probabilities.map((p) => p >= least ? p : 0);
    },
    "This keeps the first k, not the k most likely": (probabilities: number[], k: number) =>
      divide(probabilities.map((p, i) => i < k ? p : 0)),
  },
  hint: "What is the smallest probability that you keep? Do the kept ones add up to 1?",
});

const TINY = 1e-12; // sums of decimals are not exact

/** Keeps the most likely tokens as long as `goesOn` says so, given the sum so far and the next probability. */
const keep = (probabilities: number[], goesOn: (sum: number, next: number) => boolean) => {
  const order = [...probabilities.keys()].sort((a, b) => probabilities[b] - probabilities[a]);
  const kept = new Set<number>();
  let sum = 0;
  for (const i of order) {
    if (!goesOn(sum, probabilities[i])) break;
    kept.add(i);
    sum += probabilities[i];
  }
  return probabilities.map((p, i) => kept.has(i) ? p : 0);
};

export const topP = exercise({
  title: "6.4 Top-p",
  inputs: [
    [[0.1, 0.5, 0.15, 0.25], 0.7],
    [[0.6, 0.3, 0.1], 0.5],
    [[0.25, 0.5, 0.25], 0.5], // exactly the mark
    [[0.3, 0.3, 0.4], 1],
  ],
  solution: (probabilities: number[], share: number) =>
    divide(keep(probabilities, (sum) => sum < share - TINY)),
  mistakes: {
    "The token that passes the mark is left out: the kept ones must add up to at least p": (
      probabilities: number[],
      share: number,
    ) => divide(keep(probabilities, (sum, next) => sum === 0 || sum + next <= share + TINY)),
    "Nothing is kept if the first token passes the mark, and 0 / 0 is NaN: keep the one that passes":
      (
        probabilities: number[],
        share: number,
      ) => divide(keep(probabilities, (sum, next) => sum + next <= share + TINY)),
    "The token that reaches the mark is left out, and where it is the first, 0 / 0 is NaN": (
      probabilities: number[],
      share: number,
    ) => divide(keep(probabilities, (sum, next) => sum + next < share - TINY)),
    "Exactly p is enough: stop as soon as the sum is at least p, not only above it": (
      probabilities: number[],
      share: number,
    ) => divide(keep(probabilities, (sum) => sum <= share + TINY)),
    "What is kept does not add up to 1: divide by its sum": (
      probabilities: number[],
      share: number,
    ) => keep(probabilities, (sum) => sum < share - TINY),
    "This leaves out tokens that are less likely than p, but p is a sum": (
      probabilities: number[],
      share: number,
    ) => divide(probabilities.map((p) => p >= share ? p : 0)),
  },
  hint: "Add up the probabilities from the most likely down: after which one may you stop?",
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
    "This always takes the most likely token: the needle is not used": (probabilities: number[]) =>
      probabilities.indexOf(Math.max(...probabilities)),
    "The needle is compared with each probability, not with the sum so far": (
      probabilities: number[],
      needle: number,
    ) => probabilities.findIndex((p) => p > needle),
  },
  hint: "Where on the bar does the second piece begin, and where does it end?",
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
  hint: "What is the entropy of a fair coin, and of a coin that always shows heads?",
});
