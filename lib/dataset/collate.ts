/**
 * The padded batch, exactly that of chapter 7 of Raschka's "Build a Large Language Model (From Scratch)", for learners
 * to see and tests to compare with.
 *
 * @module
 */

import { assertExamples } from "./encode.ts";
import { assertKnownOptions, type OptionNames } from "../options.ts";
import type { EncodedExample } from "./encode.ts";
import { type BatchSizes, COUNT_OPTIONS, type CountOptions, toSequences } from "./sequences.ts";

/** A target that does not count, as in PyTorch's cross-entropy. */
export const IGNORE_INDEX: number = -100;

/** Options of {@linkcode collate}. */
export interface CollateOptions extends CountOptions {
  /**
   * The token that pads short sequences.
   *
   * @default {50256}
   */
  readonly padId?: number;
  /**
   * The target of tokens that do not count.
   *
   * @default {-100}
   */
  readonly ignoreIndex?: number;
}

const NAMES: OptionNames<CollateOptions> = { ...COUNT_OPTIONS, padId: true, ignoreIndex: true };

/** Sequences stacked as rows, padded on the right to one length. */
export interface PaddedBatch extends BatchSizes {
  /** The network's inputs, (B, T) row by row. */
  readonly inputs: Int32Array;
  /** Each input's successor, or `ignoreIndex`, (B, T) row by row. */
  readonly targets: Int32Array;
  /** Each target's weight, 0 where it does not count, (B, T) row by row. */
  readonly weights: Float32Array;
  /** B, the number of sequences. */
  readonly batchSize: number;
  /** T, the longest sequence's length. */
  readonly length: number;
}

/**
 * Makes a padded batch. Each sequence gets its end token and is padded on the right to the longest
 * plus one. Inputs are all tokens but the last, targets all but the first. Of the padding only the
 * end token counts; the mask excludes more targets. Both are cut at `maxLength`.
 *
 * The end token is identified by its position, so an end token inside a response counts like any other.
 *
 * @param examples The batch's examples.
 * @param options Padding, the mask and the allowed length.
 * @returns The batch. It may have no counted targets: see `tokensCounted`.
 * @throws {TypeError} If there is an unknown option.
 * @throws {RangeError} If there are no examples.
 *
 * @example Two sequences, of which the shorter is padded once
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { collate } from "tunebook";
 *
 * const batch = collate([
 *   { promptIds: [1, 2], responseIds: [3, 50256], instructionLength: 1 },
 *   { promptIds: [4], responseIds: [5, 50256], instructionLength: 1 },
 * ]);
 * assertEquals([...batch.inputs], [1, 2, 3, 4, 5, 50256]);
 * assertEquals([...batch.targets], [-100, 3, 50256, 5, 50256, -100]);
 * ```
 */
export function collate(
  examples: readonly EncodedExample[],
  options: CollateOptions = {},
): PaddedBatch {
  assertKnownOptions("make a padded batch", options, NAMES);
  assertExamples("make a padded batch of", examples);
  const { padId = 50256, ignoreIndex = IGNORE_INDEX } = options;
  const { sequences, length, sizes } = toSequences(examples, options);
  const batchSize = sequences.length;
  const inputs = new Int32Array(batchSize * length).fill(padId);
  const targets = new Int32Array(batchSize * length).fill(ignoreIndex);
  const weights = new Float32Array(batchSize * length);
  for (const [row, sequence] of sequences.entries()) {
    const start = row * length;
    inputs.set(sequence.inputs, start);
    for (const [from, to, weight] of sequence.counted) {
      targets.set(sequence.targets.slice(from, to), start + from);
      weights.fill(weight, start + from, start + to);
    }
  }
  return {
    ...{ inputs, targets, weights, batchSize, length },
    ...{ ...sizes, tokensComputed: sizes.tokensPadded },
  };
}
