// The exercises of chapter 8. The solutions here are independent of the library, which they check.

import { exercise } from "tunebook/course";

type Matrix = number[][];

const dot = (a: number[], b: number[]) => a.reduce((sum, value, i) => sum + value * b[i], 0);

const needed = (strengths: number[], share: number, power: number, past: number) => {
  const all = strengths.reduce((sum, s) => sum + s ** power, 0);
  let sum = 0;
  const last = strengths.findIndex((s) => (sum += s ** power) >= share * all - 1e-9);
  return last + past;
};

export const rankNeeded = exercise({
  title: "8.1 The rank that is needed",
  inputs: [[[4, 3, 2, 1], 0.8], [[10, 1, 1], 0.9], [[1, 1, 1, 1, 1], 0.9], [[5, 0, 0], 0.5], [
    [1, 1, 1, 1],
    0.5,
  ]],
  solution: (strengths: number[], share: number) => needed(strengths, share, 2, 1),
  mistakes: {
    "This adds up the strengths, not their squares": (strengths: number[], share: number) =>
      needed(strengths, share, 1, 1),
    "Exactly the share is enough: stop as soon as the sum is at least as large": (
      strengths: number[],
      share: number,
    ) => {
      const all = strengths.reduce((sum, s) => sum + s ** 2, 0);
      let sum = 0;
      return strengths.findIndex((s) => (sum += s ** 2) > share * all + 1e-9) + 1;
    },
    "One direction is missing: the one that reaches the share counts too": (
      strengths: number[],
      share: number,
    ) => needed(strengths, share, 2, 0),
  },
  hint: "What is the whole sum? After how many directions is the share of it reached?",
});

export const loraSize = exercise({
  title: "8.2 How many weights learn?",
  inputs: [[768, 2304, 8], [128, 128, 1], [4096, 4096, 16]],
  solution: (inWidth: number, outWidth: number, rank: number) => rank * (inWidth + outWidth),
  mistakes: {
    "This is the matrix itself, times the rank: A and B are thin": (
      inWidth: number,
      outWidth: number,
      rank: number,
    ) => rank * inWidth * outWidth,
    "Only A is counted": (inWidth: number, _: number, rank: number) => rank * inWidth,
    "Only B is counted": (_: number, outWidth: number, rank: number) => rank * outWidth,
    "This is what full fine-tuning trains": (inWidth: number, outWidth: number) =>
      inWidth * outWidth,
  },
  hint: "Draw A and B beside each other: how many rows and columns has each?",
});

/** x (in), W (in, out), A (r, in), B (out, r). */
const adapt = (x: number[], w: Matrix, a: Matrix, b: Matrix, factor: number) => {
  const narrow = a.map((row) => factor * dot(row, x));
  return w[0].map((_, j) => dot(x, w.map((row) => row[j])) + dot(b[j], narrow));
};

const LAYER: [number[], Matrix, Matrix, Matrix, number] = [
  [1, 2, -1],
  [[1, 0], [0.5, 1], [2, -1]],
  [[1, 0, 1], [0, 2, 0]],
  [[1, 0.5], [-1, 1]],
  6,
];
const THIN: [number[], Matrix, Matrix, Matrix, number] = [
  [0.5, -1],
  [[1, 2], [3, 4]],
  [[2, 1]],
  [[1], [3]],
  2,
];
const FRESH: [number[], Matrix, Matrix, Matrix, number] = [
  [1, -2],
  [[1, 2], [3, 4]],
  [[0.3, -0.4], [1, 2]],
  [[0, 0], [0, 0]],
  16,
];

type Layer = typeof LAYER;

export const adapted = exercise({
  title: "8.3 A layer with an adapter",
  inputs: [LAYER, THIN, FRESH],
  solution: (...[x, w, a, b, alpha]: Layer) => adapt(x, w, a, b, alpha / a.length),
  mistakes: {
    "The adapter is scaled by alpha; it should be alpha / rank": (...[x, w, a, b, alpha]: Layer) =>
      adapt(x, w, a, b, alpha),
    "The adapter is not scaled: alpha / rank is missing": (...[x, w, a, b]: Layer) =>
      adapt(x, w, a, b, 1),
    "The frozen weight is left out: the adapter comes on top of it": (
      ...[x, w, a, b, alpha]: Layer
    ) => adapt(x, w.map((row) => row.map(() => 0)), a, b, alpha / a.length),
    "The adapter is left out": (...[x, w, a, b]: Layer) => adapt(x, w, a, b, 0),
  },
  hint: "Compute A x first: how many numbers is that? What is added to each output?",
});

/** W (in, out) plus (B A)ᵀ. */
const add = (w: Matrix, a: Matrix, b: Matrix, factor: number, turned = true) =>
  w.map((row, i) =>
    row.map((value, j) => {
      const [from, to] = turned ? [i, j] : [j, i];
      return value + factor * b[to].reduce((sum, part, r) => sum + part * a[r][from], 0);
    })
  );

type Pair = [Matrix, Matrix, Matrix, number];

export const merged = exercise({
  title: "8.4 Merge",
  inputs: [
    [[[1, 2], [3, 4]], [[1, 2]], [[3], [5]], 2] as Pair,
    [[[0, 1], [1, 0]], [[1, 0], [0.5, 1]], [[1, 2], [-1, 0]], 4] as Pair,
  ],
  solution: (...[w, a, b, alpha]: Pair) => add(w, a, b, alpha / a.length),
  mistakes: {
    "B A has the shape (out, in), but W has (in, out): transpose it": (
      ...[w, a, b, alpha]: Pair
    ) => add(w, a, b, alpha / a.length, false),
    "The factor alpha / rank is missing": (...[w, a, b]: Pair) => add(w, a, b, 1),
    "The factor is alpha; it should be alpha / rank": (...[w, a, b, alpha]: Pair) =>
      add(w, a, b, alpha),
    "This is only the change: add it to W": (...[w, a, b, alpha]: Pair) =>
      add(w.map((row) => row.map(() => 0)), a, b, alpha / a.length),
  },
  hint: "Which row of B leads to output j, and which column of A comes from input i?",
});

const pack = (values: number[], levels: number[], largest: number) =>
  values.map((value) => {
    const nearest = levels.reduce((best, level) =>
      Math.abs(value / largest - level) < Math.abs(value / largest - best) ? level : best
    );
    return largest * nearest;
  });

const sizeOf = (values: number[]) => Math.max(...values.map(Math.abs));

export const packed = exercise({
  title: "8.5 Pack a block",
  inputs: [
    [[0.08, -0.4, 0.25, 0.02], [-1, -0.5, 0, 0.5, 1]], // no value halfway between two levels
    [[3, 1, 2, -1], [-1, 0, 0.4, 1]],
    [[0.6, 0.35], [-1, -0.7, -0.3, 0, 0.3, 0.7, 1]],
  ],
  solution: (values: number[], levels: number[]) => pack(values, levels, sizeOf(values)),
  mistakes: {
    "The scale is the largest value; it should be the largest absolute value": (
      values: number[],
      levels: number[],
    ) => pack(values, levels, Math.max(...values)),
    "These are the levels; multiply them by the scale again": (
      values: number[],
      levels: number[],
    ) => pack(values, levels, sizeOf(values)).map((value) => value / sizeOf(values)),
    "There is no scale: divide the block by its largest absolute value": (
      values: number[],
      levels: number[],
    ) => pack(values, levels, 1),
    "Each value takes the level below it, not the nearest one": (
      values: number[],
      levels: number[],
    ) =>
      values.map((value) =>
        sizeOf(values) * levels.findLast((level) => level <= value / sizeOf(values) + 1e-12)!
      ),
  },
  hint: "Which value of the block should become exactly 1 or −1 when it is packed?",
});

export const bitsPerWeight = exercise({
  title: "8.6 Bits per weight",
  inputs: [[64, false], [64, true], [32, false], [128, true]],
  solution: (blockSize: number, double: boolean) =>
    4 + (double ? (8 + 32 / 256) / blockSize : 32 / blockSize),
  mistakes: {
    "The scales are missing": (_: number, __: boolean) => 4,
    "Each weight pays for a whole scale; the weights of a block share it": (
      _: number,
      double: boolean,
    ) => 4 + (double ? 8 + 32 / 256 : 32),
    "The second scales, one per 256 blocks, are missing": (blockSize: number, double: boolean) =>
      4 + (double ? 8 : 32) / blockSize,
    "Double quantisation changes nothing here": (blockSize: number) => 4 + 32 / blockSize,
  },
  hint: "How many weights share one scale, and how many scales share one of the second kind?",
});
