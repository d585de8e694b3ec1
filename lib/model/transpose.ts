/**
 * Matrices in another layout: GPT-2 stores its linear layers (in, out), most files (out, in).
 *
 * @module
 */

/**
 * Transposes a matrix.
 *
 * @param values Its elements, row by row.
 * @param rows How many rows.
 * @param columns How many columns.
 * @returns The elements of the (columns, rows) matrix, row by row.
 */
export function transpose(values: Float32Array, rows: number, columns: number): Float32Array {
  const turned = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      turned[column * rows + row] = values[row * columns + column];
    }
  }
  return turned;
}
