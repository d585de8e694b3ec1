// A forest batch as a tree of segments: stretches of tokens without a branch.

import type { BatchSizes, ForestBatch } from "../dataset/mod.ts";

/**
 * What a forest is drawn from.
 *
 * @internal
 */
export type DrawnForest = ForestBatch & Partial<Pick<BatchSizes, "tokensPadded" | "tokensReal">>;

/** A stretch of tokens without a branch. */
export interface Segment {
  /** Rows from `start` up to, but not including, `stop`. */
  start: number;
  stop: number;
  /** The number of branches above it. */
  depth: number;
  children: Segment[];
  /** The number of leaf segments below it, including itself. */
  leaves: number;
}

/** A forest, prepared for drawing. */
export interface ForestTree {
  roots: Segment[];
  /** All segments in depth-first order. */
  segments: Segment[];
  /** How often the prediction of each row's token counts, (T). */
  countOf: number[];
  /** Targets that are predicted after a row but are not tokens of the forest: end tokens. */
  onlyPredicted: Map<number, { target: number; count: number }[]>;
}

/**
 * Converts a forest batch to a tree.
 *
 * @param batch The batch.
 * @returns Its segments, and the positions of its loss edges.
 * @throws {RangeError} If the arrays do not describe a forest.
 */
export function forestTree(batch: DrawnForest): ForestTree {
  const { tokens, end, positions, edges } = batch;
  const total = tokens.length;
  if (end.length !== total || positions.length !== total) {
    throw new RangeError(
      `Cannot draw a forest: ${total} tokens, ${positions.length} positions and ${end.length} ends, ` +
        `expected equal numbers`,
    );
  }
  const childrenOf = childRows(end, total);
  const segments: Segment[] = [];
  const roots: Segment[] = [];
  // Rows are in depth-first order, so a stack of open segments replaces recursion.
  const open: Segment[] = [];
  for (let start = 0; start < total;) {
    while (open.length > 0 && end[open[open.length - 1].start] <= start) open.pop();
    let stop = start + 1;
    while (childrenOf[stop - 1].length === 1) stop++;
    const segment: Segment = { start, stop, depth: open.length, children: [], leaves: 0 };
    (open.at(-1)?.children ?? roots).push(segment);
    segments.push(segment);
    open.push(segment);
    start = stop;
  }
  for (const segment of segments.toReversed()) {
    segment.leaves = segment.children.reduce((sum, child) => sum + child.leaves, 0) || 1;
  }

  const countOf = new Array<number>(total).fill(0);
  const onlyPredicted: ForestTree["onlyPredicted"] = new Map();
  for (let k = 0; k < edges.rows.length; k++) {
    const [row, target, count] = [edges.rows[k], edges.targets[k], edges.counts[k]];
    if (!(row >= 0 && row < total)) {
      throw new RangeError(
        `Cannot draw a forest: loss edge ${k} lies at row ${row}, expected a row below ${total}`,
      );
    }
    const child = childrenOf[row].find((at) => tokens[at] === target && countOf[at] === 0);
    if (child !== undefined) countOf[child] = count;
    else {
      const list = onlyPredicted.get(row) ?? [];
      list.push({ target, count });
      onlyPredicted.set(row, list);
    }
  }
  return { roots, segments, countOf, onlyPredicted };
}

function childRows(end: ArrayLike<number>, total: number): number[][] {
  const children: number[][] = Array.from({ length: total }, () => []);
  const open: number[] = [];
  for (let row = 0; row < total; row++) {
    while (open.length > 0 && end[open[open.length - 1]] <= row) open.pop();
    const parent = open.at(-1);
    const limit = parent === undefined ? total : end[parent];
    if (!(Number.isInteger(end[row]) && end[row] > row && end[row] <= limit)) {
      throw new RangeError(
        `Cannot draw a forest: end[${row}] is ${end[row]}, expected from ${row + 1} to ${limit}`,
      );
    }
    if (parent !== undefined) children[parent].push(row);
    open.push(row);
  }
  return children;
}
