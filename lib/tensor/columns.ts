/**
 * Some columns of a tensor, which an operation reads where they are instead of from a copy.
 *
 * @module
 */

import { formatShape, type Tensor } from "./tensor.ts";

/** Some columns of a tensor's rows. Made by {@linkcode columns}. */
export interface Columns {
  /** The tensor, (…, C). */
  readonly of: Tensor;
  /** The first column. */
  readonly first: number;
  /** The number of columns. */
  readonly width: number;
}

/**
 * Chooses columns of a tensor, for operations that read them without a copy, such as the queries, keys and values of a joint
 * projection. `split` copies instead, for all other operations.
 *
 * @param of The tensor, (…, C).
 * @param widths How many columns each part takes; they add up to C.
 * @returns The parts, (…, widths[i]), on the tensor's memory.
 * @throws {TypeError} If the widths do not add up.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { attention, columns, tensor } from "tunebook/tensor";
 *
 * const joint = tensor([[1, 1, 2], [1, 1, 4]]); // a query, a key and a value per row
 * const [q, k, v] = columns(joint, [1, 1, 1]);
 * const forest = { positions: Int32Array.of(0, 1), end: Int32Array.of(2, 2) };
 * assertEquals([...await attention(q, k, v, { heads: 1, forest }).data()], [2, 3]);
 * ```
 */
export function columns(of: Tensor, widths: readonly number[]): Columns[] {
  if (widths.reduce((sum, width) => sum + width, 0) !== of.width) {
    throw new TypeError(
      `Cannot divide the columns of a tensor of shape ${formatShape(of.shape)} into widths ` +
        `${widths.join(", ")}: they must add up to ${of.width}`,
    );
  }
  let next = 0;
  return widths.map((width) => {
    const first = next;
    next += width;
    return { of, first, width };
  });
}

/**
 * Views an operation's input as columns.
 *
 * @param input A tensor, of which all columns are meant, or columns.
 * @returns The columns.
 */
export function columnsOf(input: Tensor | Columns): Columns {
  const isColumns = typeof input === "object" && input !== null && "of" in input;
  return isColumns ? input : { of: input, first: 0, width: input?.width };
}

/**
 * Whether these are all columns of their tensor.
 *
 * @param input The columns.
 * @returns Whether they are.
 */
export function isWhole({ of, width }: Columns): boolean {
  return width === of.width;
}
