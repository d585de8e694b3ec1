// The exercises of chapter 4. The solutions here are independent of the library, which they check.

import { exercise } from "tunebook/course";

type Row = readonly number[];

const meanOf = (row: Row) => row.reduce((sum, x) => sum + x, 0) / row.length;
const varianceOf = (row: Row, divisor: number) =>
  row.reduce((sum, x) => sum + (x - meanOf(row)) ** 2, 0) / divisor;

const norms: [number[], number[], number[], number][] = [
  [[1, 2, 3, 4], [1, 1, 1, 1], [0, 0, 0, 0], 1e-5],
  [[0.01, -0.01, 0.02], [2, 1, 0.5], [0.5, 0, -1], 1e-3],
  [[5, -5], [1, 3], [1, 0], 0.5],
];

export const layerNorm = exercise({
  title: "4.1 Layer norm",
  inputs: norms,
  solution: (row: Row, weight: Row, bias: Row, epsilon: number) => {
    const deviation = Math.sqrt(varianceOf(row, row.length) + epsilon);
    return row.map((x, i) => (x - meanOf(row)) / deviation * weight[i] + bias[i]);
  },
  mistakes: {
    "Epsilon belongs under the root: add it to the variance": (
      row: Row,
      weight: Row,
      bias: Row,
      epsilon: number,
    ) => {
      const deviation = Math.sqrt(varianceOf(row, row.length)) + epsilon;
      return row.map((x, i) => (x - meanOf(row)) / deviation * weight[i] + bias[i]);
    },
    "This divides by n − 1; layer norm divides by n": (
      row: Row,
      weight: Row,
      bias: Row,
      epsilon: number,
    ) => {
      const deviation = Math.sqrt(varianceOf(row, row.length - 1) + epsilon);
      return row.map((x, i) => (x - meanOf(row)) / deviation * weight[i] + bias[i]);
    },
    "The mean is not subtracted": (row: Row, weight: Row, bias: Row, epsilon: number) => {
      const deviation = Math.sqrt(varianceOf(row, row.length) + epsilon);
      return row.map((x, i) => x / deviation * weight[i] + bias[i]);
    },
    "The bias is missing": (row: Row, weight: Row, _bias: Row, epsilon: number) => {
      const deviation = Math.sqrt(varianceOf(row, row.length) + epsilon);
      return row.map((x, i) => (x - meanOf(row)) / deviation * weight[i]);
    },
    "This divides by the variance, not by its square root": (
      row: Row,
      weight: Row,
      bias: Row,
      epsilon: number,
    ) => {
      const variance = varianceOf(row, row.length) + epsilon;
      return row.map((x, i) => (x - meanOf(row)) / variance * weight[i] + bias[i]);
    },
  },
  hint: "What are the mean and the variance of your result before the weight and the bias?",
});

const queries: [number[][], number, number][] = [
  [[[1, 2, 3, 4, 5, 6]], 0, 3],
  [[[1, 2, 3, 4, 5, 6, 7, 8], [11, 12, 13, 14, 15, 16, 17, 18]], 1, 2],
  [[[1, 2], [3, 4], [5, 6]], 1, 2],
];

export const headOf = exercise({
  title: "4.2 The features of a head",
  inputs: queries,
  solution: (q: number[][], head: number, heads: number) =>
    q.map((row) => row.slice(head * row.length / heads, (head + 1) * row.length / heads)),
  mistakes: {
    "This takes every n-th feature; the features of a head are neighbours": (
      q: number[][],
      head: number,
      heads: number,
    ) => q.map((row) => row.filter((_, i) => i % heads === head)),
    "This is always the first head": (q: number[][], _head: number, heads: number) =>
      q.map((row) => row.slice(0, row.length / heads)),
    "Heads count from 0": (q: number[][], head: number, heads: number) =>
      q.map((row) => row.slice((head - 1) * row.length / heads, head * row.length / heads)),
  },
  hint: "With 8 features and 2 heads, head 1 has the features 4, 5, 6 and 7 of every token.",
});

const powersOf = (row: Row) => {
  const powers = row.map((score) => Math.exp(score));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
};

export const attentionWeights = exercise({
  title: "4.3 From scores to weights",
  inputs: [[[1, 2, 3, 4], 1, 4], [[0.5, -1, 2], 2, 16], [[3, 9], 0, 9]],
  solution: (products: Row, position: number, headDim: number) =>
    powersOf(products.map((p, key) => key <= position ? p / Math.sqrt(headDim) : -Infinity)),
  mistakes: {
    "The scores are not divided by √headDim": (products: Row, position: number) =>
      powersOf(products.map((p, key) => key <= position ? p : -Infinity)),
    "This divides by headDim, not by its square root": (
      products: Row,
      position: number,
      headDim: number,
    ) => powersOf(products.map((p, key) => key <= position ? p / headDim : -Infinity)),
    "A token must not see what comes after it": (
      products: Row,
      _position: number,
      headDim: number,
    ) => powersOf(products.map((p) => p / Math.sqrt(headDim))),
    "A masked score of 0 still gets weight, e⁰ = 1: it has to be −∞": (
      products: Row,
      position: number,
      headDim: number,
    ) => powersOf(products.map((p, key) => key <= position ? p / Math.sqrt(headDim) : 0)),
    "A token sees itself too": (products: Row, position: number, headDim: number) => {
      const seen = (key: number) => key < position || position === 0 && key === 0;
      return powersOf(products.map((p, key) => seen(key) ? p / Math.sqrt(headDim) : -Infinity));
    },
    "Masked after the softmax: the rows no longer sum to 1": (
      products: Row,
      position: number,
      headDim: number,
    ) =>
      powersOf(products.map((p) => p / Math.sqrt(headDim)))
        .map((weight, key) => key <= position ? weight : 0),
  },
  hint: "Do the weights add up to 1? Does a later token get any?",
});

const block = (width: number) => 12 * width ** 2 + 13 * width;

export const countWeights = exercise({
  title: "4.4 How many weights?",
  inputs: [[50257, 1024, 768, 12], [50257, 256, 128, 4], [10, 5, 2, 1]],
  solution: (vocabulary: number, context: number, width: number, layers: number) =>
    (vocabulary + context) * width + layers * block(width) + 2 * width,
  mistakes: {
    "The output head counts twice: it is the token embedding": (
      vocabulary: number,
      context: number,
      width: number,
      layers: number,
    ) => (2 * vocabulary + context) * width + layers * block(width) + 2 * width,
    "The biases and norms of the blocks are missing": (
      vocabulary: number,
      context: number,
      width: number,
      layers: number,
    ) => (vocabulary + context) * width + layers * 12 * width ** 2 + 2 * width,
    "The last norm is missing": (
      vocabulary: number,
      context: number,
      width: number,
      layers: number,
    ) => (vocabulary + context) * width + layers * block(width),
    "The rows for positions are missing": (
      vocabulary: number,
      _context: number,
      width: number,
      layers: number,
    ) => vocabulary * width + layers * block(width) + 2 * width,
  },
  hint: "Go up the tower above, part by part: which have matrices, which have biases?",
});

export const firstDivergence = exercise({
  title: "4.5 The first divergence",
  inputs: [
    [[1e-7, 2e-7, 0.01, 0.5, 0.2], 1e-5],
    [[1e-7, NaN, 3], 1e-5],
    [[1e-7, 2e-7, 9e-6], 1e-5],
    [[0.2, 0.1], 0.15],
    [[1e-9, 1e-9, 2e-6, 0.01], 1e-6],
    [[0.5, 0.75], 0.5],
  ],
  solution: (errors: Row, tolerance: number) => errors.findIndex((error) => !(error <= tolerance)),
  mistakes: {
    "This is the largest error: errors grow on their way up, so look for the first": (
      errors: Row,
    ) => errors.indexOf(Math.max(...errors)),
    "NaN is the worst error of all, and every comparison with it is false": (
      errors: Row,
      tolerance: number,
    ) => errors.findIndex((error) => error > tolerance),
    "An error that equals the tolerance is still within it": (errors: Row, tolerance: number) =>
      errors.findIndex((error) => !(error < tolerance)),
    "This is the last stage that is still right": (errors: Row, tolerance: number) =>
      errors.findIndex((error) => !(error <= tolerance)) - 1,
  },
  hint: "Is NaN within the tolerance? What does your comparison say?",
});
