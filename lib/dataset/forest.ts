/**
 * Batches as forests: sequences that begin alike share their beginning's tokens, which are then
 * computed once, and padding does not exist. Loss and gradients equal the padded batch's.
 */
import { growForest, type SequenceForest } from "../forest.ts";
import {
  type CountOptions,
  type EncodedExample,
  type Sequence,
  tokensCounted,
  toSequence,
} from "./encode.ts";

/** Options of {@linkcode forest}. */
export interface ForestOptions extends CountOptions {
  /**
   * One tree a sequence, sharing nothing: what dropout needs, since sequences that share a token would
   * share what is dropped from it.
   *
   * @default {false}
   */
  separate?: boolean;
}

/**
 * A batch as a forest of T tokens in depth-first order: token i attends to token j iff
 * `j <= i < end[j]`, which is to say to itself and its ancestors.
 */
export interface ForestBatch {
  /** The tokens, (T). */
  tokens: Int32Array;
  /** Each token's position in its sequences, from 0, (T). */
  positions: Int32Array;
  /** One past each token's last descendant, (T). */
  end: Int32Array;
  /**
   * What the loss counts: token `rows[k]` is to predict `targets[k]`, and that counts `counts[k]`
   * times, the sum of the weights of the sequences that share it: as often as they do, where they
   * have none. Sorted by row. A token may have several targets.
   */
  edges: { rows: Int32Array; targets: Int32Array; counts: Float32Array };
  /** T: how many tokens a model computes for this batch. */
  tokensComputed: number;
  /** The padded batch's number of counted targets; the sum of `edges.counts` where nothing is weighted. */
  tokensCounted: number;
  /** How many tokens the padded batch would compute. */
  tokensPadded: number;
  /** How many of those would be no padding. */
  tokensReal: number;
  /** How many sequences were cut at `maxLength`. */
  cut: number;
}

/**
 * Makes a forest batch. Children come in the order in which the examples first need them, so the
 * same examples in the same order give the same arrays. Tokens whose prediction does not count and on
 * which nothing that counts depends are left out; closing tokens are targets only.
 *
 * @param examples The batch's examples.
 * @param options The mask, the allowed length, and whether sequences share tokens.
 * @returns The batch.
 * @throws {RangeError} If there are no examples, or none of their tokens counts.
 *
 * @example Two sequences that share their first two tokens
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { forest } from "./forest.ts";
 *
 * const batch = forest([
 *   { promptIds: [1, 2], responseIds: [3, 50256], instructionLength: 1 },
 *   { promptIds: [1, 2], responseIds: [4, 50256], instructionLength: 1 },
 * ]);
 * assertEquals([...batch.tokens], [1, 2, 3, 4]);
 * assertEquals([...batch.end], [4, 4, 3, 4]);
 * assertEquals([...batch.edges.rows], [1, 1, 2, 3]);
 * assertEquals([...batch.edges.targets], [3, 4, 50256, 50256]);
 * ```
 */
export function forest(
  examples: readonly EncodedExample[],
  options: ForestOptions = {},
): ForestBatch {
  if (examples.length === 0) throw new RangeError("Cannot make a batch of no examples");
  const sequences = examples.map((example) => toSequence(example, options));
  const counted = sequences.filter(({ counted }) => counted.length > 0);
  if (counted.length === 0) {
    throw new RangeError(
      `Cannot learn from a batch in which nothing counts: under the mask "${
        options.mask ?? "prompt"
      }" and with at most ${
        options.maxLength ?? "any number of"
      } tokens a sequence, no token of its ${examples.length} examples is left`,
    );
  }
  // a sequence of which nothing counts need not be computed, nor what follows all that does
  const grown = growForest(
    counted.map(({ inputs, counted }) => inputs.slice(0, counted.at(-1)![1])),
    options,
  );
  const lengths = sequences.map(({ inputs }) => inputs.length);
  return {
    tokens: grown.tokens,
    positions: grown.positions,
    end: grown.end,
    edges: countEdges(counted, grown),
    tokensComputed: grown.tokens.length,
    tokensCounted: counted.reduce((sum, one) => sum + tokensCounted(one), 0),
    tokensPadded: sequences.length * Math.max(...lengths),
    tokensReal: lengths.reduce((sum, length) => sum + length, 0),
    cut: sequences.filter(({ cut }) => cut).length,
  };
}

/** Counts, for each row, how many sequences go on to which target, each as often as its weight says. */
function countEdges(
  sequences: Sequence[],
  { tokens, paths }: SequenceForest,
): ForestBatch["edges"] {
  const targetsOf = Array.from(tokens, () => new Map<number, number>());
  for (const [k, { targets, counted, weight }] of sequences.entries()) {
    for (const [start, end] of counted) {
      for (let i = start; i < end; i++) {
        const counts = targetsOf[paths[k]![i]!]!;
        counts.set(targets[i]!, (counts.get(targets[i]!) ?? 0) + weight);
      }
    }
  }
  const edges = targetsOf.flatMap((counts, row) =>
    Array.from(counts, ([target, count]) => ({ row, target, count }))
  );
  return {
    rows: Int32Array.from(edges, ({ row }) => row),
    targets: Int32Array.from(edges, ({ target }) => target),
    counts: Float32Array.from(edges, ({ count }) => count),
  };
}

/**
 * Each token's parent in a forest.
 *
 * @param end One past each token's last descendant, (T).
 * @returns The parents' rows, −1 for a tree's first token, (T).
 */
export function parentsOf(end: Int32Array): Int32Array {
  const parents = new Int32Array(end.length);
  const open: number[] = [];
  for (let row = 0; row < end.length; row++) {
    while (open.length > 0 && end[open.at(-1)!]! <= row) open.pop();
    parents[row] = open.at(-1) ?? -1;
    open.push(row);
  }
  return parents;
}
