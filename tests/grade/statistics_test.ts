// Statistics of scores, checked by hand.

import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { distribution, itemDiscrimination } from "../../lib/grade/statistics.ts";

Deno.test("a distribution is described", () => {
  const { standardDeviation, ...rest } = distribution([4, 1, 3, 2]);
  assertEquals(rest, { count: 4, mean: 2.5, minimum: 1, median: 2.5, maximum: 4 });
  assertAlmostEquals(standardDeviation, Math.sqrt(5 / 3), 1e-12);
  assertEquals(distribution([7]).median, 7);
  assertEquals(distribution([7]).standardDeviation, NaN);
  assertEquals(distribution([]).mean, NaN);
});

Deno.test("discrimination correlates a question with the other questions", () => {
  // The rest is 1, 2, 3, 4: the covariance sum is 2, the squares' sums are 1 and 5.
  assertAlmostEquals(itemDiscrimination([0, 0, 1, 1], [1, 2, 4, 5]), 2 / Math.sqrt(5), 1e-12);
  assertAlmostEquals(itemDiscrimination([1, 0], [1, 3]), -1, 1e-12);
  assertEquals(itemDiscrimination([1, 1], [2, 3]), NaN);
  assertThrows(() => itemDiscrimination([1], []), RangeError);
});
