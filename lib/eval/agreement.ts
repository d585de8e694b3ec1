/** How far two raters agree: people with each other, or a judge with people. */

/**
 * Cohen's kappa: the agreement of two raters beyond what chance gives, 1 if they always agree and 0 if no more than by chance.
 *
 * @param a One rater's categories.
 * @param b The other's, of the same things in the same order.
 * @returns The kappa; `NaN` where both use a single category, as for scikit-learn.
 * @throws {RangeError} If the numbers of ratings differ, or there are none.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { cohenKappa } from "tunebook/eval";
 *
 * assertEquals(cohenKappa(["a", "a", "b", "b"], ["a", "a", "b", "a"]), 0.5);
 * ```
 */
export function cohenKappa<Category>(a: readonly Category[], b: readonly Category[]): number {
  assertPairs(a, b);
  const count = (ratings: readonly Category[]) =>
    new Map([...Map.groupBy(ratings, (one) => one)].map(([one, all]) => [one, all.length]));
  const [countsA, countsB] = [count(a), count(b)];
  const observed = a.filter((rating, i) => rating === b[i]).length / a.length;
  let chance = 0;
  for (const [category, times] of countsA) {
    chance += times * (countsB.get(category) ?? 0) / a.length ** 2;
  }
  return (observed - chance) / (1 - chance);
}

/**
 * Spearman's rank correlation: 1 if both raters put things in the same order, -1 in the opposite one. Equal scores share the
 * mean of their ranks.
 *
 * @param a One rater's scores.
 * @param b The other's, of the same things in the same order.
 * @returns The correlation; `NaN` where a rater gives everything the same score.
 * @throws {RangeError} If the numbers of scores differ, or there are none.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { spearman } from "tunebook/eval";
 *
 * assertEquals(spearman([10, 20, 30], [1, 2, 9]), 1);
 * ```
 */
export function spearman(a: readonly number[], b: readonly number[]): number {
  assertPairs(a, b);
  const [ranksA, ranksB] = [ranksOf(a), ranksOf(b)];
  const middle = (a.length + 1) / 2;
  const product = (x: readonly number[], y: readonly number[]) =>
    x.reduce((sum, rank, i) => sum + (rank - middle) * (y[i] - middle), 0);
  return product(ranksA, ranksB) / Math.sqrt(product(ranksA, ranksA) * product(ranksB, ranksB));
}

function ranksOf(values: readonly number[]): number[] {
  const order = [...values.keys()].sort((i, j) => values[i] - values[j]);
  const ranks = new Array<number>(values.length);
  for (let start = 0; start < order.length;) {
    let end = start;
    while (end < order.length && values[order[end]] === values[order[start]]) end++;
    for (let k = start; k < end; k++) ranks[order[k]] = (start + 1 + end) / 2;
    start = end;
  }
  return ranks;
}

function assertPairs(a: readonly unknown[], b: readonly unknown[]): void {
  if (a.length > 0 && a.length === b.length) return;
  throw new RangeError(
    `Cannot compare ${a.length} with ${b.length} ratings: expected equal numbers, at least one`,
  );
}
