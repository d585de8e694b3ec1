/**
 * Which rows of a batch are computed here: what is dropped depends on an element's place, so that a part of a batch that
 * is computed by itself drops what the whole batch would drop in these rows.
 *
 * @module
 */

/** Consecutive rows of a batch. */
export interface BatchRows {
  /** How many rows come before them. */
  readonly first: number;
  /** How many rows the whole batch has. */
  readonly all: number;
}

let present: BatchRows | undefined;

/**
 * Runs a function whose ops compute some rows of a batch: forward pass and gradients, since both draw what is dropped.
 *
 * @param rows Which rows; all of them if undefined.
 * @param body A synchronous function.
 * @returns What the function returned.
 */
export function computingRows<T>(rows: BatchRows | undefined, body: () => T): T {
  const outer = present;
  present = rows;
  try {
    return body();
  } finally {
    present = outer;
  }
}

/**
 * Which rows of their batch the ops of the moment compute.
 *
 * @param count How many there are.
 * @returns Their place; that of a whole batch outside of {@linkcode computingRows}.
 */
export function batchRows(count: number): BatchRows {
  return present ?? { first: 0, all: count };
}
