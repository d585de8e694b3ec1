/**
 * Batches as the model takes them.
 *
 * @module
 */

import {
  collate,
  type EncodedExample,
  forest,
  type ForestOptions,
  IGNORE_INDEX,
} from "../dataset/mod.ts";
import type { LossBatch } from "../model/mod.ts";

/**
 * How sequences of a batch stand together: `forest` computes what they share once, `packed` puts them one after the
 * other, `padded` fills them up to one length as the reference does. The loss is the same.
 */
export type BatchLayout = "forest" | "packed" | "padded";

/** A batch and what it costs. */
export interface TrainingBatch extends LossBatch {
  /** Tokens that the model computes. */
  readonly tokensComputed: number;
  /** Targets that count. */
  readonly tokensCounted: number;
}

/**
 * What the loss of a batch is a mean over.
 *
 * @param batch The batch.
 * @returns The sum of its edges' counts: the number of its counted targets, each times its example's weight.
 */
export function weightOf({ edges }: LossBatch): number {
  return edges.counts.reduce((sum, count) => sum + count, 0);
}

/**
 * Makes a batch.
 *
 * @param examples The examples.
 * @param options Layout, mask and allowed length.
 * @returns Tokens, who sees whom, and what counts.
 * @throws {RangeError} If nothing counts.
 */
export function makeBatch(
  examples: readonly EncodedExample[],
  options: { layout?: BatchLayout } & Omit<ForestOptions, "separate"> = {},
): TrainingBatch {
  const { layout = "forest", ...rest } = options;
  if (layout !== "padded") return forest(examples, { ...rest, separate: layout === "packed" });
  // Any token fills up: none that counts sees it. Every vocabulary has the first.
  const collated = collate(examples, { ...rest, padId: 0 });
  const { inputs, targets, weights, batchSize, length, tokensCounted } = collated;
  if (tokensCounted === 0) forest(examples, rest); // throws what a person should read
  const tokens = batchSize * length;
  const at = (row: number) => row - row % length;
  const rows = Int32Array.from(targets.keys()).filter((row) => targets[row] !== IGNORE_INDEX);
  return {
    tokens: inputs,
    positions: Int32Array.from({ length: tokens }, (_, row) => row % length),
    end: Int32Array.from({ length: tokens }, (_, row) => at(row) + length),
    edges: {
      rows,
      targets: rows.map((row) => targets[row]),
      counts: Float32Array.from(rows, (row) => weights[Math.floor(row / length)]),
    },
    tokensComputed: tokens,
    tokensCounted,
  };
}
