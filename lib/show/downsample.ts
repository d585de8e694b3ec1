// Downsamples long series, so that a chart stays small and looks the same.

/**
 * Selects the points that shape a line: "Largest Triangle Three Buckets" (S. Steinarsson,
 * "Downsampling Time Series for Visual Representation", 2013). The first and the last point stay.
 *
 * @param x Positions, ascending and finite.
 * @param y Values, finite.
 * @param count How many points to keep, at least 3.
 * @returns Indices of the points kept, ascending; all if there are no more than `count`.
 */
export function largestTriangles(
  x: ArrayLike<number>,
  y: ArrayLike<number>,
  count: number,
): number[] {
  const n = x.length;
  if (n <= count) return Array.from({ length: n }, (_, i) => i);
  const kept = [0];
  const bucket = (n - 2) / (count - 2);
  for (let b = 0; b < count - 2; b++) {
    const start = Math.floor(b * bucket) + 1;
    const end = Math.floor((b + 1) * bucket) + 1;
    const nextEnd = Math.min(Math.floor((b + 2) * bucket) + 1, n);
    let meanX = 0;
    let meanY = 0;
    for (let i = end; i < nextEnd; i++) {
      meanX += x[i];
      meanY += y[i];
    }
    const size = nextEnd - end;
    meanX /= size;
    meanY /= size;
    const a = kept[kept.length - 1];
    let best = start;
    let bestArea = -1;
    for (let i = start; i < end; i++) {
      const area = Math.abs((x[a] - meanX) * (y[i] - y[a]) - (x[a] - x[i]) * (meanY - y[a]));
      if (area > bestArea) [best, bestArea] = [i, area];
    }
    kept.push(best);
  }
  kept.push(n - 1);
  return kept;
}

/**
 * Indices spread evenly over a list.
 *
 * @param length The length of the list.
 * @param count How many to keep.
 * @returns Ascending indices, including the first and the last; all if `length <= count`.
 */
export function spread(length: number, count: number): number[] {
  if (length <= count) return Array.from({ length }, (_, i) => i);
  return Array.from({ length: count }, (_, i) => Math.round(i * (length - 1) / (count - 1)));
}

/**
 * Shrinks a grid by averaging blocks of cells.
 *
 * @param z Rows of numbers; nulls are ignored.
 * @param maxRows The most rows to keep.
 * @param maxColumns The most columns to keep.
 * @returns The smaller grid and the block's size.
 */
export function shrinkGrid(
  z: readonly (readonly (number | null)[])[],
  maxRows: number,
  maxColumns: number,
): { z: (number | null)[][]; rowBlock: number; columnBlock: number } {
  const columns = z.reduce((most, row) => Math.max(most, row.length), 0);
  const rowBlock = Math.max(1, Math.ceil(z.length / maxRows));
  const columnBlock = Math.max(1, Math.ceil(columns / maxColumns));
  const result: (number | null)[][] = [];
  for (let r = 0; r < z.length; r += rowBlock) {
    const row: (number | null)[] = [];
    for (let c = 0; c < columns; c += columnBlock) {
      let sum = 0;
      let count = 0;
      for (const cells of z.slice(r, r + rowBlock)) {
        for (const cell of cells.slice(c, c + columnBlock)) {
          if (cell === null || !Number.isFinite(cell)) continue;
          sum += cell;
          count++;
        }
      }
      row.push(count > 0 ? sum / count : null);
    }
    result.push(row);
  }
  return { z: result, rowBlock, columnBlock };
}
