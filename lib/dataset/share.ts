/**
 * A batch shared among processes: which of its sequences each computes, so that the one that has most computes least.
 *
 * @module
 */

import type { ForestBatch } from "../forest.ts";
import type { EncodedExample } from "./encode.ts";
import { type BatchLayout, layOut, neededInputs } from "./forest.ts";
import {
  type BatchSequences,
  type BatchSizes,
  type CountOptions,
  type Sequence,
  tokensCounted,
  toSequences,
} from "./sequences.ts";

/** One process's part of a batch. */
export interface BatchPart {
  /** What it computes; undefined where nothing is left for it. */
  readonly batch: (ForestBatch & BatchSizes) | undefined;
  /** Where its rows are in the whole batch, for dropout; undefined in the layout `forest`, which has none. */
  readonly rows?: { readonly first: number; readonly all: number };
}

/**
 * Shares a batch. The parts' losses, each times its counts, add up to the whole batch's. Sequences that are computed
 * together share their common beginnings, so in a forest neighbours in the order of their tokens stay together; in the
 * other layouts the order of examples does, and with it the place of each row.
 *
 * @param examples The batch's examples, one of which has counted tokens.
 * @param count How many parts.
 * @param options Mask, allowed length and layout.
 * @returns As many parts, the last of which may be empty.
 */
export function shareBatch(
  examples: readonly EncodedExample[],
  count: number,
  { layout, ...counting }: CountOptions & { readonly layout: BatchLayout },
): BatchPart[] {
  const { sequences: all, length } = toSequences(examples, counting);
  const sequences = layout === "padded" ? all : all.filter(({ counted }) => counted.length > 0);
  const costs = layout === "padded"
    ? sequences.map(() => ({ alone: length, behind: length }))
    : sequences.map((sequence) => costOf(neededInputs(sequence).length));
  if (layout !== "forest") {
    let first = 0;
    const rows = costs.reduce((sum, { alone }) => sum + alone, 0);
    return cut(costs, count).map(([from, to]) => {
      const part = batchOf(sequences.slice(from, to), length, layout);
      const place = { first, all: rows };
      for (const { alone } of costs.slice(from, to)) first += alone;
      return { batch: part, rows: place };
    });
  }
  const inputs = sequences.map(neededInputs);
  const order = [...sequences.keys()].sort((a, b) => compare(inputs[a], inputs[b]) || a - b);
  const sharing = order.map((at, i) => {
    const { length } = inputs[at];
    return {
      alone: length,
      behind: length - (i > 0 ? common(inputs[order[i - 1]], inputs[at]) : 0),
    };
  });
  return cut(sharing, count).map(([from, to]) => {
    // In the batch's own order, which decides that of sums.
    const own = order.slice(from, to).sort((a, b) => a - b).map((at) => sequences[at]);
    return { batch: batchOf(own, length, layout) };
  });
}

/** Tokens to compute for a sequence that begins a part, and for one behind another in it. */
interface Cost {
  readonly alone: number;
  readonly behind: number;
}

const costOf = (tokens: number): Cost => ({ alone: tokens, behind: tokens });

/** Cuts a row into consecutive parts such that the largest cost of a part is least. */
function cut(costs: readonly Cost[], count: number): [number, number][] {
  // Whether a cost is enough is easy to tell, by filling one part after another: the least is searched for.
  const fill = (most: number): [number, number][] => {
    const parts: [number, number][] = [];
    for (let from = 0; from < costs.length;) {
      let sum = costs[from].alone;
      let to = from + 1;
      while (to < costs.length && sum + costs[to].behind <= most) sum += costs[to++].behind;
      parts.push([from, to]);
      from = to;
    }
    return parts;
  };
  let least = Math.max(0, ...costs.map(({ alone }) => alone));
  let enough = costs.reduce((sum, { alone }) => sum + alone, 0);
  while (least < enough) {
    const middle = Math.floor((least + enough) / 2);
    if (fill(middle).length <= count) enough = middle;
    else least = middle + 1;
  }
  const parts = fill(enough);
  while (parts.length < count) parts.push([costs.length, costs.length]);
  return parts;
}

function batchOf(
  sequences: readonly Sequence[],
  length: number,
  layout: BatchLayout,
): (ForestBatch & BatchSizes) | undefined {
  const sizes: BatchSequences["sizes"] = {
    tokensCounted: sequences.reduce((sum, one) => sum + tokensCounted(one), 0),
    tokensPadded: sequences.length * length,
    tokensReal: sequences.reduce((sum, { inputs }) => sum + inputs.length, 0),
    cut: sequences.filter(({ cut }) => cut).length,
  };
  return sizes.tokensCounted === 0 ? undefined : layOut({ sequences, length, sizes }, layout);
}

function compare(a: readonly number[], b: readonly number[]): number {
  const at = common(a, b);
  return (a[at] ?? -1) - (b[at] ?? -1);
}

/** The length of the common beginning. */
function common(a: readonly number[], b: readonly number[]): number {
  let at = 0;
  while (at < a.length && at < b.length && a[at] === b[at]) at++;
  return at;
}
