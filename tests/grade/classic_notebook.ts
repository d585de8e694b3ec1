/** An assignment in one notebook, as classic courses have them: tests call functions and await nothing. */

import { answer, book, locked, test, written } from "./book.ts";
import type { Submission } from "./submissions/submission.ts";

/** Sources of answers by `grade_id`. */
export type Answers = Submission["answers"];

/** The instructor's notebook. */
export const CLASSIC = book(
  ["markdown", "# Numbers"],
  ["code", 'import assert from "node:assert/strict";', locked("setup")],
  [
    "code",
    `function squares(n: number): number[] {
  /// BEGIN SOLUTION
  if (n < 1) throw new RangeError("n must be at least 1");
  return Array.from({ length: n }, (_, i) => (i + 1) ** 2);
  /// END SOLUTION
}`,
    answer("squares"),
  ],
  ["code", "squares(5)"],
  [
    "code",
    `assert.deepEqual(squares(2), [1, 4]);
/// BEGIN HIDDEN TESTS
assert.deepEqual(squares(4), [1, 4, 9, 16]);
/// END HIDDEN TESTS`,
    test("squares_right", 2),
  ],
  ["code", "assert.throws(() => squares(0), RangeError);", test("squares_refuses", 1.5)],
  ["code", "const sum = (list: number[]) => list.reduce((a, b) => a + b, 0);", answer("sum")],
  [
    "code",
    `const lists = [[], [1], [1, 2], [3, 4, 5]];
lists.filter((list) => sum(list) === list.reduce((a, b) => a + b, 0)).length`,
    test("sum_cases", 4),
  ],
  ["markdown", "It is linear.", written("why", 3)],
  [
    "markdown",
    "Draw it.\n\n<!-- BEGIN MARK SCHEME -->\n- 2 points: axes.\n<!-- END MARK SCHEME -->",
    { task: true, locked: true, grade_id: "draw", points: 2 },
  ],
);
/** Its id; names have spaces. */
export const CLASSIC_ID = "Problem Set 1";

/** Answers that get full marks. */
export const GOOD: Answers = {
  squares: `function squares(n: number): number[] {
  if (n < 1) throw new RangeError("no");
  const list = [];
  for (let i = 1; i <= n; i++) list.push(i * i);
  return list;
}`,
  sum: "function sum(list: number[]) { let s = 0; for (const x of list) s += x; return s; }",
  why: "Each number is added once.",
};

/** Submissions to which nbgrader gives the same scores. */
export const AGREED: Readonly<Record<string, Answers>> = {
  good: GOOD,
  stub: {},
  wrong: { ...GOOD, squares: "function squares(n: number) { return [n]; }" },
  raising: { ...GOOD, squares: "function squares(n: number) { throw new Error('no ' + n); }" },
  // The visible test passes, the hidden one does not; two of four sums are right.
  partly: {
    ...GOOD,
    squares: "const squares = (n: number) => n < 1 ? [] : [1, 4].slice(0, n);",
    sum: "const sum = (list: number[]) => list.length > 1 ? NaN : list[0] ?? 0;",
  },
  talking: { ...GOOD, sum: `console.log("hello"); ${GOOD.sum}` },
  broken: { ...GOOD, squares: "function squares(n: number) {" },
  asynchronous: { ...GOOD, squares: "async function squares(n: number) { return [n]; }" },
};
