// Singular values of small matrices, by one-sided Jacobi rotations (Hestenes, 1958): slow, short and exact.

/** A matrix. */
export type Rows = readonly ArrayLike<number>[];

/** One direction of a matrix: the outer product of a column and a row. */
export interface Direction {
  /** Its strength, a singular value. */
  readonly strength: number;
  readonly column: Float64Array;
  readonly row: Float64Array;
}

/**
 * Takes a matrix apart into directions that are at right angles to each other.
 *
 * @param rows The matrix.
 * @returns As many directions as the shorter side has elements, the strongest first; their sum is the matrix.
 */
export function dominantDirections(rows: Rows): Direction[] {
  const [height, width] = [rows.length, rows[0].length];
  if (height > width) {
    const turned = Array.from(
      { length: width },
      (_, j) => Float64Array.from(rows, (row) => row[j]),
    );
    return dominantDirections(turned).map(({ strength, column, row }) => ({
      strength,
      column: row,
      row: column,
    }));
  }
  const turning = rows.map((row) => Float64Array.from(row));
  const turns = rows.map((_, i) => Float64Array.from({ length: height }, (_, j) => +(i === j)));
  for (let sweep = 0; sweep < 30; sweep++) {
    let turned = false;
    for (let i = 0; i < height; i++) {
      for (let j = i + 1; j < height; j++) {
        const angle = rightAngle(turning[i], turning[j]);
        if (angle === 0) continue;
        turned = true;
        rotate(turning[i], turning[j], angle);
        rotate(turns[i], turns[j], angle);
      }
    }
    if (!turned) break;
  }
  return turning.map((row, i) => {
    const strength = Math.hypot(...row);
    return {
      strength,
      column: turns[i].map((value) => value * strength),
      row: unit(row, strength),
    };
  }).sort((a, b) => b.strength - a.strength);
}

/**
 * Adds the strongest directions up.
 *
 * @param directions What {@linkcode dominantDirections} gave.
 * @param rank How many.
 * @returns The nearest matrix of that rank (Eckart and Young, 1936).
 */
export function sumOfDirections(directions: readonly Direction[], rank: number): Float64Array[] {
  const [{ column, row }] = directions;
  const sum = Array.from(column, () => new Float64Array(row.length));
  for (const direction of directions.slice(0, rank)) {
    sum.forEach((values, i) => {
      for (let j = 0; j < values.length; j++) values[j] += direction.column[i] * direction.row[j];
    });
  }
  return sum;
}

/**
 * Frobenius' norm.
 *
 * @param rows A matrix.
 * @returns The root of the sum of its squares.
 */
export function norm(rows: Rows): number {
  let sum = 0;
  for (const row of rows) for (let j = 0; j < row.length; j++) sum += row[j] ** 2;
  return Math.sqrt(sum);
}

/** The angle by which two vectors must turn in their plane to be at right angles. */
function rightAngle(a: Float64Array, b: Float64Array): number {
  let [aa, bb, ab] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    aa += a[i] * a[i];
    bb += b[i] * b[i];
    ab += a[i] * b[i];
  }
  return Math.abs(ab) <= 1e-12 * Math.sqrt(aa * bb) ? 0 : Math.atan2(2 * ab, aa - bb) / 2;
}

function rotate(a: Float64Array, b: Float64Array, angle: number): void {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i], b[i]];
    a[i] = cos * x + sin * y;
    b[i] = cos * y - sin * x;
  }
}

const unit = (row: Float64Array, length: number) => row.map((value) => value / (length || 1));
