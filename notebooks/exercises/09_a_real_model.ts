// The exercises of chapter 9. The solutions here are independent of the library, which they check.

import { exercise } from "tunebook";

export const bytesOf = exercise({
  title: "9.1 How large is the file?",
  inputs: [[135e6, 16], [7e9, 4.5], [355e6, 32]],
  solution: (weights: number, bits: number) => weights * bits / 8 / 1e9,
  mistakes: {
    "These are gigabits: eight bits are a byte": (weights: number, bits: number) =>
      weights * bits / 1e9,
    "These are megabytes": (weights: number, bits: number) => weights * bits / 8 / 1e6,
  },
  hint: "Weights times bits, by 8 for bytes, by 10⁹ for gigabytes.",
});

export const fullTuning = exercise({
  title: "9.2 What training all weights takes",
  inputs: [[135e6], [1.1e9], [7e9]],
  solution: (weights: number) => 16 * weights / 1e9,
  mistakes: {
    "Weights and gradients only: AdamW keeps two averages for each weight": (weights: number) =>
      8 * weights / 1e9,
    "AdamW has two moments, not one": (weights: number) => 12 * weights / 1e9,
    "Only the weights: that is what answering takes": (weights: number) => 4 * weights / 1e9,
  },
  hint: "In float32 each weight needs itself, its gradient, and AdamW's two moments: four numbers.",
});

export const loraTuning = exercise({
  title: "9.3 What training an adapter takes",
  inputs: [[7e9, 4.5, 20e6], [135e6, 32, 1e6]],
  solution: (weights: number, bits: number, learning: number) =>
    (weights * bits / 8 + 16 * learning) / 1e9,
  mistakes: {
    "Frozen weights need no gradient and no moments": (
      weights: number,
      bits: number,
      learning: number,
    ) => (weights * bits / 8 + 12 * weights + 16 * learning) / 1e9,
    "The adapter's gradient and moments are missing": (
      weights: number,
      bits: number,
      learning: number,
    ) => (weights * bits / 8 + 4 * learning) / 1e9,
  },
  hint: "The frozen weights as they are stored, and sixteen bytes for each weight that learns.",
});

export const cacheSize = exercise({
  title: "9.4 What a long conversation takes",
  inputs: [[30, 192, 2048], [24, 1024, 1024], [1, 1, 1]],
  solution: (layers: number, keyWidth: number, tokens: number) =>
    2 * 4 * layers * keyWidth * tokens / 1e6,
  mistakes: {
    "Keys are counted, values are not": (layers: number, keyWidth: number, tokens: number) =>
      4 * layers * keyWidth * tokens / 1e6,
    "A float32 has four bytes": (layers: number, keyWidth: number, tokens: number) =>
      2 * layers * keyWidth * tokens / 1e6,
  },
  hint: "Each token leaves a key and a value in each layer, keyWidth numbers of four bytes each.",
});
