/** The padded batch, exactly the reference's, for learners to see and tests to compare with. */
import { type CountOptions, type EncodedExample, tokensCounted, toSequence } from "./encode.ts";

/** A target that does not count, as in PyTorch's cross-entropy. */
export const IGNORE_INDEX = -100;

/** Options of {@linkcode collate}. */
export interface CollateOptions extends CountOptions {
  /**
   * What short sequences are filled with.
   *
   * @default {50256}
   */
  padId?: number;
  /**
   * The target of tokens that do not count.
   *
   * @default {-100}
   */
  ignoreIndex?: number;
}

/** Sequences side by side, padded on the right to one length. */
export interface PaddedBatch {
  /** The model's inputs, (B, T) row by row. */
  inputs: Int32Array;
  /** Each input's successor, or `ignoreIndex`, (B, T) row by row. */
  targets: Int32Array;
  /** How often each sequence's targets count, (B). */
  weights: Float32Array;
  /** B, how many sequences. */
  batchSize: number;
  /** T, the longest sequence's length. */
  length: number;
  /** B · T: how many tokens a model computes for this batch. */
  tokensPadded: number;
  /** How many of them are not padding. */
  tokensReal: number;
  /** How many targets count. */
  tokensCounted: number;
  /** How many sequences were cut at `maxLength`. */
  cut: number;
}

/**
 * Makes the reference's padded batch: each sequence gets its closing token and is padded on the right
 * to the batch's longest plus one; inputs are all but the last, targets all but the first; of the
 * padding only the closing token counts; the mask takes out more; both are cut at `maxLength`.
 *
 * The closing token is found by its place, so a closing token inside a response counts and is no end.
 *
 * @param examples The batch's examples.
 * @param options Padding, the mask and the allowed length.
 * @returns The batch. It may count nothing: see `tokensCounted`.
 * @throws {RangeError} If there are no examples.
 *
 * @example Two sequences, of which the shorter is padded once
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { collate } from "./collate.ts";
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
  if (examples.length === 0) throw new RangeError("Cannot make a batch of no examples");
  const { padId = 50256, ignoreIndex = IGNORE_INDEX } = options;
  const sequences = examples.map((example) => toSequence(example, options));
  const batchSize = sequences.length;
  const length = Math.max(...sequences.map(({ inputs }) => inputs.length));
  const inputs = new Int32Array(batchSize * length).fill(padId);
  const targets = new Int32Array(batchSize * length).fill(ignoreIndex);
  let tokensReal = 0;
  for (const [row, sequence] of sequences.entries()) {
    const start = row * length;
    inputs.set(sequence.inputs, start);
    for (const [from, to] of sequence.counted) {
      targets.set(sequence.targets.slice(from, to), start + from);
    }
    tokensReal += sequence.inputs.length;
  }
  return {
    inputs,
    targets,
    weights: Float32Array.from(sequences, ({ weight }) => weight),
    batchSize,
    length,
    tokensPadded: batchSize * length,
    tokensReal,
    tokensCounted: sequences.reduce((sum, one) => sum + tokensCounted(one), 0),
    cut: sequences.filter(({ cut }) => cut).length,
  };
}
