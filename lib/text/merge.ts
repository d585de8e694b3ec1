/**
 * Merging pairs, the core of every byte pair encoding (Sennrich et al., 2016), for any order of
 * merges.
 */

/**
 * The rank of a pair of neighbours: lower ranks merge earlier; `undefined` if they do not merge.
 *
 * @param start Where the left part begins.
 * @param middle Where the right part begins.
 * @param end One past the right part.
 */
export type PairRank = (start: number, middle: number, end: number) => number | undefined;

/**
 * Merges the pair of lowest rank first, the leftmost among equals, until no pair has a rank. A heap
 * of pairs makes this O(n log n).
 *
 * @param bounds Where the parts begin, then one past the last.
 * @param rank The rank of a pair of neighbours.
 * @returns Where the merged parts begin, then one past the last.
 */
export function mergePairs(bounds: readonly number[], rank: PairRank): number[] {
  const length = bounds.length - 1;
  // parts form a linked list: part i begins at bounds[i], next[i] follows it, and pair[i] is their
  // rank
  const next = Array.from({ length: length + 1 }, (_, i) => i + 1);
  const previous = Array.from({ length: length + 1 }, (_, i) => i - 1);
  const pair = new Array<number>(length).fill(-1);
  const heap = new PairHeap();

  const offer = (i: number) => {
    const second = next[i]!;
    const found = second < length
      ? rank(bounds[i]!, bounds[second]!, bounds[next[second]!]!)
      : undefined;
    pair[i] = found ?? -1;
    if (found !== undefined) heap.push(found, i);
  };
  for (let i = 0; i < length; i++) offer(i);

  while (heap.size > 0) {
    const { rank: least, at: i } = heap.pop();
    if (pair[i] !== least) continue; // one of the parts has changed since
    const second = next[i]!;
    const third = next[second]!;
    pair[second] = -1;
    next[i] = third;
    if (third < length) previous[third] = i;
    offer(i);
    if (previous[i]! >= 0) offer(previous[i]!);
  }

  const merged: number[] = [];
  for (let i = 0; i < length; i = next[i]!) merged.push(bounds[i]!);
  merged.push(bounds[length]!);
  return merged;
}

/** A binary heap of pairs, ordered by rank, then from left to right. */
class PairHeap {
  readonly #ranks: number[] = [];
  readonly #places: number[] = [];

  get size(): number {
    return this.#ranks.length;
  }

  push(rank: number, at: number): void {
    const [ranks, places] = [this.#ranks, this.#places];
    let i = ranks.push(rank) - 1;
    places.push(at);
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!before(rank, at, ranks[parent]!, places[parent]!)) break;
      ranks[i] = ranks[parent]!;
      places[i] = places[parent]!;
      i = parent;
    }
    ranks[i] = rank;
    places[i] = at;
  }

  pop(): { rank: number; at: number } {
    const [ranks, places] = [this.#ranks, this.#places];
    const least = { rank: ranks[0]!, at: places[0]! };
    const rank = ranks.pop()!;
    const at = places.pop()!;
    if (ranks.length === 0) return least;
    let i = 0;
    while (true) {
      let child = 2 * i + 1;
      if (child >= ranks.length) break;
      const other = child + 1;
      if (
        other < ranks.length &&
        before(ranks[other]!, places[other]!, ranks[child]!, places[child]!)
      ) child = other;
      if (!before(ranks[child]!, places[child]!, rank, at)) break;
      ranks[i] = ranks[child]!;
      places[i] = places[child]!;
      i = child;
    }
    ranks[i] = rank;
    places[i] = at;
    return least;
  }
}

function before(rank: number, at: number, otherRank: number, otherAt: number): boolean {
  return rank < otherRank || (rank === otherRank && at < otherAt);
}
