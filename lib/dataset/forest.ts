/**
 * Batches as forests: sequences with a common prefix share its tokens, which are computed once.
 * Loss and gradients equal those of the padded batch.
 *
 * @module
 */

import { assertExamples } from "./encode.ts";
import { type ForestBatch, growForest, type LossEdges, type SequenceForest } from "../forest.ts";
import { assertKnownOptions, type OptionNames } from "../options.ts";
import type { EncodedExample } from "./encode.ts";
import {
  type BatchSequences,
  type BatchSizes,
  COUNT_OPTIONS,
  type CountOptions,
  type Sequence,
  toSequences,
} from "./sequences.ts";

/**
 * How the sequences of a batch are laid out. `forest` shares common prefixes, `packed` puts
 * sequences one after another, `padded` pads them to the longest. The loss is the same.
 */
export type BatchLayout = "forest" | "packed" | "padded";

/** Options of {@linkcode forest}. */
export interface ForestOptions extends CountOptions {
  /**
   * How the sequences are laid out. Dropout needs `packed` or `padded`, because sequences that
   * share a token would also share its dropout.
   *
   * @default {"forest"}
   */
  readonly layout?: BatchLayout;
}

/** The values of {@linkcode BatchLayout}. */
export const LAYOUTS: readonly BatchLayout[] = ["forest", "packed", "padded"];
const NAMES: OptionNames<ForestOptions> = { ...COUNT_OPTIONS, layout: true };

/**
 * Makes a training batch. Children are in the order of their first use, so the same examples in the
 * same order give the same arrays. Forest and packed batches leave out tokens that no counted
 * target depends on; end tokens are only targets.
 *
 * @param examples The batch's examples.
 * @param options The mask, the allowed length and the layout.
 * @returns The batch and its sizes.
 * @throws {TypeError} If there is an unknown option.
 * @throws {RangeError} If there are no examples, none of their tokens counts, or there is no such layout.
 *
 * @example Two sequences that share their first two tokens
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { forest } from "tunebook";
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
): ForestBatch & BatchSizes {
  assertKnownOptions("make a forest batch", options, NAMES);
  assertExamples("make a forest batch of", examples);
  const { layout = "forest", mask = "prompt", maxLength = "any number of" } = options;
  if (!LAYOUTS.includes(layout)) {
    throw new RangeError(
      `Cannot lay out a batch as "${layout}": expected one of "${LAYOUTS.join('", "')}"`,
    );
  }
  const batch = toSequences(examples, options);
  if (batch.sizes.tokensCounted === 0) {
    throw new RangeError(
      `Cannot learn from a batch in which nothing counts: under the mask "${mask}" and with at most ${maxLength} ` +
        `tokens per sequence, no token of its ${examples.length} examples is left`,
    );
  }
  return layOut(batch, layout);
}

/**
 * Lays out the sequences of a batch, or of a part of one.
 *
 * @param batch The sequences, of which one counts at least, and how long a padded one is.
 * @param layout How they are laid out.
 * @returns The batch and its sizes.
 */
export function layOut(batch: BatchSequences, layout: BatchLayout): ForestBatch & BatchSizes {
  return layOutPaths(batch, layout).batch;
}

/**
 * Lays out sequences as {@linkcode layOut} does, and says where each lies.
 *
 * @param batch The sequences, of which one counts at least, and how long a padded one is.
 * @param layout How they are laid out.
 * @returns The batch, and the rows of each sequence's tokens; without those of sequences that were left out because none of
 * their targets counts.
 */
export function layOutPaths(
  { sequences, length, sizes }: BatchSequences,
  layout: BatchLayout,
): { batch: ForestBatch & BatchSizes; paths: readonly Int32Array[] } {
  const counted = sequences.filter(({ counted }) => counted.length > 0);
  const laidOut = layout === "padded"
    ? padSequences(sequences, length)
    // Sequences without counted targets are not computed, nor are tokens after the last counted
    // one.
    : growForest(counted.map(neededInputs), { separate: layout === "packed" });
  const { tokens, positions, end, paths } = laidOut;
  const edges = lossEdges(layout === "padded" ? sequences : counted, laidOut);
  return {
    batch: { tokens, positions, end, edges, tokensComputed: tokens.length, ...sizes },
    paths,
  };
}

/** The inputs that counted targets depend on. */
export function neededInputs({ inputs, counted }: Sequence): number[] {
  return inputs.slice(0, counted.at(-1)?.[1] ?? 0);
}

/**
 * Lays sequences out as trees of equal length. Any token can be the padding, because no counted
 * token attends to it.
 */
function padSequences(sequences: readonly Sequence[], length: number): SequenceForest {
  const size = sequences.length * length;
  const tokens = new Int32Array(size);
  for (const [k, { inputs }] of sequences.entries()) tokens.set(inputs, k * length);
  return {
    tokens,
    positions: Int32Array.from({ length: size }, (_, row) => row % length),
    end: Int32Array.from({ length: size }, (_, row) => row - row % length + length),
    paths: sequences.map(({ inputs }, k) => Int32Array.from(inputs, (_, i) => k * length + i)),
  };
}

/**
 * Sums, for each row and target, the weights of the sequences that continue from the row with the
 * target.
 */
function lossEdges(
  sequences: readonly Sequence[],
  { tokens, paths }: Pick<SequenceForest, "tokens" | "paths">,
): LossEdges {
  const targetsOf = Array.from(tokens, () => new Map<number, number>());
  for (const [k, { targets, counted }] of sequences.entries()) {
    for (const [start, end, weight] of counted) {
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
