/**
 * Which part of a split an entry belongs to, if labels are to be balanced between parts or kept together.
 *
 * @module
 */

import type { Random } from "../random.ts";

/** What {@linkcode allotStrata} divides by. */
export interface StrataOptions {
  /** The parts' sizes; they add up to the number of entries. */
  readonly sizes: readonly number[];
  /** The label of each entry. */
  readonly stratify: readonly string[];
  /** Decides between labels that have an equal claim to one more entry. */
  readonly random: Random;
}

/**
 * Divides entries so that each part has the labels in the proportion of the whole, and exactly its size. A label's share of a
 * part is rounded down, and the rest is filled from the labels that lost most by rounding (the largest-remainder method, as
 * in scikit-learn's `StratifiedShuffleSplit`): first for the first part, then for the second from what is left, and so on.
 *
 * @param shuffled The indices of all entries, shuffled.
 * @param options Sizes and labels.
 * @returns The part of each entry, by its index.
 */
export function allotStrata(
  shuffled: readonly number[],
  { sizes, stratify, random }: StrataOptions,
): Int8Array {
  const members = [...Map.groupBy(shuffled, (index) => stratify[index]!).values()];
  const partOf = new Int8Array(shuffled.length);
  for (const [part, size] of sizes.entries()) {
    const counts = largestRemainders(members.map(({ length }) => length), size, random);
    for (const [at, count] of counts.entries()) {
      for (const index of members[at]!.splice(0, count)) partOf[index] = part;
    }
  }
  return partOf;
}

/** Divides a number of seats in proportion to the parties' sizes, none of which gets more than its size. */
function largestRemainders(sizes: readonly number[], seats: number, random: Random): number[] {
  const total = sizes.reduce((sum, size) => sum + size, 0);
  if (total === 0) return sizes.map(() => 0);
  const quotas = sizes.map((size) => size * seats / total);
  const counts = quotas.map(Math.floor);
  const left = seats - counts.reduce((sum, count) => sum + count, 0);
  // Shuffled first: a stable sort then leaves equal remainders in random order.
  random.shuffle([...sizes.keys()])
    .sort((a, b) => (quotas[b]! - counts[b]!) - (quotas[a]! - counts[a]!))
    .slice(0, left)
    .forEach((at) => counts[at]!++);
  return counts;
}

/** What {@linkcode assignGroups} divides by. */
export interface GroupOptions {
  /** The parts' fractions, which add up to 1. */
  readonly fractions: readonly number[];
  /** The parts' sizes; they add up to the number of entries. */
  readonly sizes: readonly number[];
  /** The group of each entry. */
  readonly groups: readonly string[];
  /** The label of each entry, if labels are to be balanced. */
  readonly stratify?: readonly string[];
}

/**
 * Divides groups of entries so that each stays in one part. Groups are taken in shuffled order; each goes to the part that
 * lacks most of what the group has, relative to the part's share of it, among the parts in which the group has room, or among
 * all if it has room in none.
 *
 * @param shuffled The indices of all entries, shuffled.
 * @param options Fractions, sizes and groups.
 * @returns The part of each entry, by its index.
 */
export function assignGroups(
  shuffled: readonly number[],
  { fractions, sizes, groups, stratify }: GroupOptions,
): Int8Array {
  const labelOf = (index: number) => stratify?.[index] ?? "";
  const totals = countBy(shuffled, labelOf);
  const lacking = fractions.map((fraction) =>
    new Map(Array.from(totals, ([label, total]) => [label, fraction * total]))
  );
  const room = [...sizes];
  const open = [...sizes.keys()].filter((part) => sizes[part]! > 0);
  const partOf = new Int8Array(shuffled.length);
  for (const members of Map.groupBy(shuffled, (index) => groups[index]!).values()) {
    const labels = countBy(members, labelOf);
    const claim = (part: number) => {
      let sum = 0;
      for (const [label, count] of labels) {
        sum += count * lacking[part]!.get(label)! / (fractions[part]! * totals.get(label)!);
      }
      return sum;
    };
    const fitting = open.filter((part) => room[part]! >= members.length);
    const candidates = fitting.length > 0 ? fitting : open;
    const part = candidates.reduce((best, one) => claim(one) > claim(best) ? one : best);
    for (const index of members) partOf[index] = part;
    for (const [label, count] of labels) {
      lacking[part]!.set(label, lacking[part]!.get(label)! - count);
    }
    room[part]! -= members.length;
  }
  return partOf;
}

function countBy(
  indices: Iterable<number>,
  labelOf: (index: number) => string,
): Map<string, number> {
  const counts = new Map<string, number>();
  for (const index of indices) {
    const label = labelOf(index);
    counts.set(label, (counts.get(label) ?? 0) + 1);
  }
  return counts;
}
