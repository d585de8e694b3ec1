/**
 * Statistics of examples, resampled: the common part of intervals and comparisons.
 *
 * @module
 */
import type { Answered, Measure } from "./metrics/metric.ts";
import type { Random } from "../random.ts";

/** The statistics of all examples, one row of numbers for each. */
export interface StatisticsTable {
  /** The numbers, row after row. */
  readonly values: Float64Array;
  /** How many numbers a row has. */
  readonly width: number;
  /** How many rows there are. */
  readonly rows: number;
}

/**
 * Measures all entries.
 *
 * @param measure The metric.
 * @param entries The entries.
 * @returns A row of statistics for each.
 */
export function tabulate(measure: Measure, entries: readonly Answered[]): StatisticsTable {
  const rows = entries.map((entry, index) => measure.measure(entry, index));
  const width = rows[0]?.length ?? 0;
  const values = new Float64Array(rows.length * width);
  for (const [i, row] of rows.entries()) values.set(row, i * width);
  return { values, width, rows: rows.length };
}

/**
 * The statistics of one example.
 *
 * @param table The table.
 * @param row The example's place.
 * @returns Its numbers.
 */
export function rowOf({ values, width }: StatisticsTable, row: number): number[] {
  return [...values.subarray(row * width, (row + 1) * width)];
}

/**
 * Adds up rows.
 *
 * @param table The table.
 * @param rows Which rows, as often as they count.
 * @param sum Receives the sums.
 */
export function addRows(table: StatisticsTable, rows: ArrayLike<number>, sum: Float64Array): void {
  const { values, width } = table;
  sum.fill(0);
  for (let k = 0; k < rows.length; k++) {
    const start = rows[k] * width;
    for (let column = 0; column < width; column++) sum[column] += values[start + column];
  }
}

/**
 * Adds up all rows.
 *
 * @param table The table.
 * @returns The sums.
 */
export function total(table: StatisticsTable): Float64Array {
  const sum = new Float64Array(table.width);
  addRows(table, Uint32Array.from({ length: table.rows }, (_, i) => i), sum);
  return sum;
}

/**
 * Draws rows with replacement, as many as there are.
 *
 * @param random The source of numbers.
 * @param rows Receives the drawn places.
 */
export function drawRows(random: Random, rows: Uint32Array): void {
  for (let k = 0; k < rows.length; k++) rows[k] = random.integer(rows.length);
}

/**
 * The percentile interval.
 *
 * @param sorted Values in ascending order.
 * @param confidence The fraction of values between its ends.
 * @returns Both ends.
 */
export function percentileInterval(sorted: Float64Array, confidence: number): [number, number] {
  const tail = (1 - confidence) / 2;
  const quantile = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.max(0, Math.round(share * (sorted.length - 1))))];
  return [quantile(tail), quantile(1 - tail)];
}

/**
 * Refuses numbers of draws and confidences that cannot be.
 *
 * @param samples The number of resamples.
 * @param confidence The confidence level.
 * @throws {RangeError} If one is out of range.
 */
export function assertResampling(samples: number, confidence: number): void {
  if (!(Number.isInteger(samples) && samples > 0)) {
    throw new RangeError(`Cannot draw ${samples} times: expected a positive integer`);
  }
  if (!(confidence > 0 && confidence < 1)) {
    throw new RangeError(
      `Cannot find an interval of confidence ${confidence}: expected between 0 and 1`,
    );
  }
}
