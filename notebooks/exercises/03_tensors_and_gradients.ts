// The exercises of chapter 3. The solutions here are independent of the library, which they check.

import { exercise } from "tunebook/course";

export const productSlopes = exercise({
  title: "3.1 The gradient of a product",
  inputs: [[3, -2, 1], [0.5, 4, -2], [0, 7, 1]],
  solution: (a: number, b: number, gradient: number) => [gradient * b, gradient * a],
  mistakes: {
    "The two are swapped: how much a matters depends on b": (
      a: number,
      b: number,
      gradient: number,
    ) => [gradient * a, gradient * b],
    "These are the slopes alone: multiply them by the gradient that arrives": (
      a: number,
      b: number,
    ) => [b, a],
    "These are the slopes of a sum": (_a: number, _b: number, gradient: number) => [
      gradient,
      gradient,
    ],
  },
  hint: "If a grows by 1, by how much does the product grow?",
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
    "Slopes are multiplied along one path; these are different paths": (
      _x: number,
      slopes: number[],
    ) => slopes.reduce((product, slope) => product * slope, 1),
  },
  hint: "If x moves, every use of it moves the loss. What do they do together?",
});

const functions: [(x: number) => number, number, number][] = [
  [(x) => x * x * x, 2, 0.01],
  [(x) => Math.sin(x), 1, 0.1],
  [(x) => 5 * x, -3, 0.5],
];

export const centralDifference = exercise({
  title: "3.3 Check a gradient numerically",
  inputs: functions,
  solution: (f: (x: number) => number, x: number, h: number) => (f(x + h) - f(x - h)) / (2 * h),
  mistakes: {
    "This looks to one side only: its error shrinks like h, the error of a central difference like h²":
      (
        f: (x: number) => number,
        x: number,
        h: number,
      ) => (f(x + h) - f(x)) / h,
    "The divisor is wrong: the two points are not h apart": (
      f: (x: number) => number,
      x: number,
      h: number,
    ) => (f(x + h) - f(x - h)) / h,
  },
  hint: "Draw f with the two points: what is the slope of the line through them?",
  tolerance: 1e-6,
});

export type Matrix = number[][];

/**
 * Multiplies two matrices.
 *
 * @param a (m, k).
 * @param b (k, n).
 * @returns The product, (m, n).
 * @throws {RangeError} If the shapes do not fit.
 */
export function multiply(a: Matrix, b: Matrix): Matrix {
  if (a[0].length !== b.length) {
    throw new RangeError(
      `Cannot multiply (${a.length}, ${a[0].length}) by (${b.length}, ${b[0].length}): ` +
        "expected as many columns on the left as rows on the right",
    );
  }
  return a.map((row) =>
    b[0].map((_, j) => row.reduce((sum, value, k) => sum + value * b[k][j], 0))
  );
}

/** Exchanges a matrix's rows and columns. */
export const transpose = (a: Matrix): Matrix => a[0].map((_, j) => a.map((row) => row[j]));

const rightA = (b: Matrix, gradient: Matrix) => multiply(gradient, transpose(b));
const rightB = (a: Matrix, gradient: Matrix) => multiply(transpose(a), gradient);

export const matmulGradients = exercise({
  title: "3.4 The gradients of a matrix product",
  inputs: [
    [[[1, 2], [3, 4]], [[0, 1], [2, 3]], [[1, 0], [2, 1]]], // square: every product has a shape that fits
    [[[1, 2]], [[3], [4]], [[1]]],
    [[[1, 2], [3, 4], [5, 6]], [[1, 0, 2], [0, 1, 1]], [[1, 2, 3], [0, 1, 0], [2, 0, 1]]],
  ],
  solution: (a: Matrix, b: Matrix, gradient: Matrix) => ({
    a: rightA(b, gradient),
    b: rightB(a, gradient),
  }),
  mistakes: {
    "The gradients are transposed: each has the shape of its matrix": (
      a: Matrix,
      b: Matrix,
      gradient: Matrix,
    ) => ({ a: transpose(rightA(b, gradient)), b: transpose(rightB(a, gradient)) }),
    "The factors of both gradients are in the wrong order": (
      a: Matrix,
      b: Matrix,
      gradient: Matrix,
    ) => ({ a: multiply(transpose(b), gradient), b: multiply(gradient, transpose(a)) }),
    "The factors of a's gradient are in the wrong order": (
      a: Matrix,
      b: Matrix,
      gradient: Matrix,
    ) => ({ a: multiply(transpose(b), gradient), b: rightB(a, gradient) }),
    "The factors of b's gradient are in the wrong order": (
      a: Matrix,
      b: Matrix,
      gradient: Matrix,
    ) => ({ a: rightA(b, gradient), b: multiply(gradient, transpose(a)) }),
    "The gradients are exchanged: a's depends on b, and b's on a": (
      a: Matrix,
      b: Matrix,
      gradient: Matrix,
    ) => ({ a: rightB(a, gradient), b: rightA(b, gradient) }),
    "The other factor has to be transposed": (a: Matrix, b: Matrix, gradient: Matrix) => ({
      a: multiply(gradient, b),
      b: multiply(a, gradient),
    }),
  },
  hint: "Write down the shapes of a, b and the gradient. Which products are possible at all?",
});

export const slowReads = exercise({
  title: "3.5 Reads per thread",
  inputs: [[64, 1], [64, 16], [1024, 32]],
  solution: (n: number, tile: number) => 2 * n / tile,
  mistakes: {
    "This is the number without tiles, where each thread reads a row and a column": (n: number) =>
      2 * n,
    "Only one of the two matrices is counted": (n: number, tile: number) => n / tile,
    "A tile is loaded by tile² threads, but each thread uses one row or column of it, not one element":
      (
        n: number,
        tile: number,
      ) => 2 * n / tile ** 2,
  },
  hint: "How many pairs of tiles does a thread go through, and what does it load of each?",
});
