// The exercises of chapter 3. The solutions here are independent of the library, which they check.

import { exercise } from "tunebook/course";

export const productSlopes = exercise({
  title: "3.1 The gradient of a product",
  inputs: [[3, -2, 1], [0.5, 4, -2], [0, 7, 1]],
  solution: (a: number, b: number, gradient: number) => [gradient * b, gradient * a],
  mistakes: {
    "The slopes are swapped: moving a matters as much as b is large": (
      a: number,
      b: number,
      gradient: number,
    ) => [gradient * a, gradient * b],
    "The gradient that comes in is not handed on": (a: number, b: number) => [b, a],
    "These are the slopes of a sum": (_a: number, _b: number, gradient: number) => [
      gradient,
      gradient,
    ],
  },
  hint:
    "If a grows by a little, a · b grows by b times that; then the gradient coming in multiplies it.",
});

export const usedTwice = exercise({
  title: "3.2 A number that is used twice",
  inputs: [[2, [3, 4]], [1, [0.5, -0.5, 2]], [5, [1]]],
  solution: (_x: number, slopes: number[]) => slopes.reduce((sum, slope) => sum + slope, 0),
  mistakes: {
    "The last use overwrites the others: gradients add up": (_x: number, slopes: number[]) =>
      slopes.at(-1),
    "Gradients of several uses add up, they are not averaged": (_x: number, slopes: number[]) =>
      slopes.reduce((sum, slope) => sum + slope, 0) / slopes.length,
    "Multiplying is for uses behind one another; these stand side by side": (
      _x: number,
      slopes: number[],
    ) => slopes.reduce((product, slope) => product * slope, 1),
  },
  hint: "Moving x moves the result by every way there is, so the ways add up.",
});

const functions: [(x: number) => number, number, number][] = [
  [(x) => x * x * x, 2, 0.01],
  [Math.sin, 1, 0.1],
  [(x) => 5 * x, -3, 0.5],
];

export const centralDifference = exercise({
  title: "3.3 Check a gradient by numbers",
  inputs: functions,
  solution: (f: (x: number) => number, x: number, h: number) => (f(x + h) - f(x - h)) / (2 * h),
  mistakes: {
    "This looks to one side only: its error shrinks with h, the central one's with h²": (
      f: (x: number) => number,
      x: number,
      h: number,
    ) => (f(x + h) - f(x)) / h,
    "The two points are 2 h apart": (f: (x: number) => number, x: number, h: number) =>
      (f(x + h) - f(x - h)) / h,
  },
  hint: "The difference of f a little above and a little below x, by how far these are apart.",
  tolerance: 1e-6,
});

type Matrix = number[][];

const multiply = (a: Matrix, b: Matrix): Matrix =>
  a.map((row) => b[0].map((_, j) => row.reduce((sum, value, k) => sum + value * b[k][j], 0)));
const transpose = (a: Matrix): Matrix => a[0].map((_, j) => a.map((row) => row[j]));

export const matmulGradients = exercise({
  title: "3.4 The gradients of a matrix product",
  inputs: [
    [[[1, 2]], [[3], [4]], [[1]]],
    [[[1, 2], [3, 4], [5, 6]], [[1, 0, 2], [0, 1, 1]], [[1, 2, 3], [0, 1, 0], [2, 0, 1]]],
  ],
  solution: (a: Matrix, b: Matrix, gradient: Matrix) => ({
    a: multiply(gradient, transpose(b)),
    b: multiply(transpose(a), gradient),
  }),
  mistakes: {
    "The gradients are transposed: each has the shape of its matrix": (
      a: Matrix,
      b: Matrix,
      gradient: Matrix,
    ) => ({
      a: transpose(multiply(gradient, transpose(b))),
      b: transpose(multiply(transpose(a), gradient)),
    }),
  },
  hint: "Only one product has the right shape: (m, n) by (n, k) for a, (k, m) by (m, n) for b.",
});

export const slowReads = exercise({
  title: "3.5 Reads a thread",
  inputs: [[64, 1], [64, 16], [1024, 32]],
  solution: (n: number, tile: number) => 2 * n / tile,
  mistakes: {
    "This is without tiles: each thread reads a row and a column": (n: number) => 2 * n,
    "Only one of the two matrices is counted": (n: number, tile: number) => n / tile,
    "The tile is shared by tile² threads, but a thread also uses tile values of it": (
      n: number,
      tile: number,
    ) => 2 * n / tile ** 2,
  },
  hint:
    "There are n / tile pairs of tiles on the way, and of each a thread loads one element of a and one of b.",
});
