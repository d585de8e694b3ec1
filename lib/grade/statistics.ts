/**
 * What scores say about an assignment and its questions: numbers only.
 *
 * @module
 */

/** What describes a list of scores. */
export interface Distribution {
  readonly count: number;
  readonly mean: number;
  /** Of the sample, with n − 1; NaN below two scores. */
  readonly standardDeviation: number;
  readonly minimum: number;
  readonly median: number;
  readonly maximum: number;
}

/**
 * Describes scores.
 *
 * @param scores The scores, or other numbers such as seconds.
 * @returns Their distribution; NaN where no score is.
 */
export function distribution(scores: readonly number[]): Distribution {
  const sorted = [...scores].sort((a, b) => a - b);
  const count = sorted.length;
  const average = mean(sorted);
  const squares = sorted.reduce((sum, score) => sum + (score - average) ** 2, 0);
  const middle = (count - 1) / 2;
  return {
    count,
    mean: average,
    standardDeviation: count < 2 ? NaN : Math.sqrt(squares / (count - 1)),
    minimum: sorted[0] ?? NaN,
    median: count === 0 ? NaN : (sorted[Math.floor(middle)] + sorted[Math.ceil(middle)]) / 2,
    maximum: sorted[count - 1] ?? NaN,
  };
}

/**
 * How well a question tells good students from others: the correlation of its scores with the students' totals
 * without it (corrected item-total correlation; for scores of 0 and 1, the point-biserial correlation).
 *
 * @param item The question's scores, one per student.
 * @param totals The totals of the same students, the question included.
 * @returns From −1 to 1; NaN where all scores are equal.
 * @throws {RangeError} If the lengths differ.
 */
export function itemDiscrimination(item: readonly number[], totals: readonly number[]): number {
  if (item.length !== totals.length) {
    throw new RangeError(`Found ${totals.length} totals, expected ${item.length}`);
  }
  const rest = totals.map((total, i) => total - item[i]);
  const [x, y] = [mean(item), mean(rest)];
  let [xy, xx, yy] = [0, 0, 0];
  for (const [i, score] of item.entries()) {
    xy += (score - x) * (rest[i] - y);
    xx += (score - x) ** 2;
    yy += (rest[i] - y) ** 2;
  }
  return xx === 0 || yy === 0 ? NaN : xy / Math.sqrt(xx * yy);
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? NaN : values.reduce((sum, value) => sum + value, 0) / values.length;
}
