/**
 * Entries that are unlike the others: much longer or shorter, or written in characters that take many tokens.
 *
 * @module
 */

/** A measure by which an entry can be unlike the others. */
export type OutlierMeasure = "prompt tokens" | "response tokens" | "characters per token";

/** An entry that is unlike the others. */
export interface Outlier {
  /** The entry's index. */
  index: number;
  /** By which measure. */
  measure: OutlierMeasure;
  /** Its value. */
  value: number;
  /** The values between which the others are. */
  fences: readonly [low: number, high: number];
}

/** How many interquartile ranges from the quartiles a value is "far out". */
const FAR_OUT = 3;

/** The least interquartile range, as a fraction of the median, where nearly all values are equal. */
const LEAST_RANGE = 0.05;

/**
 * Finds values far out: more than three interquartile ranges below the first quartile or above the third (Tukey, "Exploratory
 * Data Analysis", 1977). A range below a twentieth of the median counts as that.
 *
 * @param values The values.
 * @param measure What they are.
 * @returns Those far out, the farthest first.
 */
export function findOutliers(values: readonly number[], measure: OutlierMeasure): Outlier[] {
  if (values.length === 0) return [];
  const sorted = values.toSorted((a, b) => a - b);
  const [first, median, third] = [0.25, 0.5, 0.75].map((share) => quantile(sorted, share));
  const range = Math.max(third - first, LEAST_RANGE * median);
  const [low, high] = [first - FAR_OUT * range, third + FAR_OUT * range];
  const excess = (value: number) => Math.max(low - value, value - high);
  return [...values.keys()]
    .filter((index) => excess(values[index]) > 0)
    .map((index): Outlier => ({ index, measure, value: values[index], fences: [low, high] }))
    .sort((a, b) => excess(b.value) - excess(a.value) || a.index - b.index);
}

/** A quantile by linear interpolation, NumPy's default. */
function quantile(sorted: readonly number[], share: number): number {
  const at = share * (sorted.length - 1);
  const below = Math.floor(at);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
}
