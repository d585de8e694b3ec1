// Batches of golden files: padded, packed and forest.

import type { ForestBatch } from "../../lib/dataset/mod.ts";
import type { GoldenTensor } from "../golden/golden.ts";

/** Tensors of a golden file's batch. */
export type GoldenBatch = Readonly<Record<string, GoldenTensor>>;

/**
 * Sequences one after another.
 *
 * @param batch The golden batch.
 * @param lengths Tokens of each sequence.
 * @param isPacked Whether each is of its own length, or of the padded batch's.
 */
export function sequencesOf(
  batch: GoldenBatch,
  lengths: readonly number[],
  isPacked = false,
): ForestBatch {
  const { tokens, targets } = batch;
  const [rowCount, length] = tokens.shape;
  const rows = Array.from({ length: rowCount * length }, (_, row) => row)
    .filter((row) => !isPacked || row % length < lengths[Math.floor(row / length)]);
  const end: number[] = [];
  for (const [i, row] of rows.entries()) {
    const rest = (isPacked ? lengths[Math.floor(row / length)] : length) - row % length;
    end.push(i + rest);
  }
  const counted = [...rows.keys()].filter((i) => targets.data[rows[i]] !== -100);
  return {
    tokens: Int32Array.from(rows, (row) => tokens.data[row]),
    positions: Int32Array.from(rows, (row) => row % length),
    end: Int32Array.from(end),
    edges: {
      rows: Int32Array.from(counted),
      targets: Int32Array.from(counted, (i) => targets.data[rows[i]]),
      counts: new Float32Array(counted.length).fill(1),
    },
  };
}

/** The same sequences as a forest. */
export function forestOf(batch: GoldenBatch): ForestBatch {
  const ints = (name: string) => batch[`forest/${name}`].data as Int32Array;
  return {
    tokens: ints("tokens"),
    positions: ints("positions"),
    end: ints("end"),
    edges: {
      rows: ints("rows"),
      targets: ints("targets"),
      counts: batch["forest/counts"].data as Float32Array,
    },
  };
}
