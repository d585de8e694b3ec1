/**
 * The assignment problem: pairs of greatest weight, by the Hungarian method with potentials (Kuhn, 1955; Munkres, 1957), in
 * time of the order of rows² · columns.
 *
 * @module
 */

/**
 * Assigns rows to columns, one to one, such that the sum of the weights is greatest.
 *
 * @param weights Numbers from 0 on, `weights[row][column]`.
 * @returns Pairs of row and column, as many as the shorter side has, in the rows' order.
 */
export function heaviestAssignment(
  weights: readonly (readonly number[])[],
): (readonly [row: number, column: number])[] {
  const rows = weights.length;
  const columns = weights[0]?.length ?? 0;
  if (rows > columns) {
    const turned = Array.from({ length: columns }, (_, j) => weights.map((row) => row[j]));
    return heaviestAssignment(turned).map(([j, i]) => [i, j] as const).sort(([a], [b]) => a - b);
  }
  // Places count from 1; column 0 holds the row that is being assigned.
  const rowPotential = new Float64Array(rows + 1);
  const columnPotential = new Float64Array(columns + 1);
  const rowOf = new Int32Array(columns + 1);
  const cameFrom = new Int32Array(columns + 1);
  for (let row = 1; row <= rows; row++) {
    rowOf[0] = row;
    const slack = new Float64Array(columns + 1).fill(Infinity);
    const reached = new Uint8Array(columns + 1);
    let column = 0;
    do {
      reached[column] = 1;
      const from = rowOf[column];
      let [least, next] = [Infinity, 0];
      for (let j = 1; j <= columns; j++) {
        if (reached[j]) continue;
        const cost = -weights[from - 1][j - 1] - rowPotential[from] - columnPotential[j];
        if (cost < slack[j]) [slack[j], cameFrom[j]] = [cost, column];
        if (slack[j] < least) [least, next] = [slack[j], j];
      }
      for (let j = 0; j <= columns; j++) {
        if (reached[j]) {
          rowPotential[rowOf[j]] += least;
          columnPotential[j] -= least;
        } else slack[j] -= least;
      }
      column = next;
    } while (rowOf[column] !== 0);
    // The columns on the way back each take the row of the one before.
    for (; column !== 0; column = cameFrom[column]) rowOf[column] = rowOf[cameFrom[column]];
  }
  const pairs: [number, number][] = [];
  for (let j = 1; j <= columns; j++) if (rowOf[j] !== 0) pairs.push([rowOf[j] - 1, j - 1]);
  return pairs.sort(([a], [b]) => a - b);
}
