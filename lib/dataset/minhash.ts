/**
 * Pairs of similar sets by MinHash with locality-sensitive hashing (Broder, "On the resemblance and containment of
 * documents", 1997; Leskovec, Rajaraman and Ullman, "Mining of Massive Datasets", chapter 3). The least hash of a set's
 * members is the same for two sets with a probability of their Jaccard similarity. A band is several such hashes; sets that
 * agree in a whole band are candidates, and only candidates are compared.
 *
 * @module
 */

import { Random } from "../random.ts";
import { jaccard } from "./word_bags.ts";

/** Two similar sets. */
export interface SimilarPair {
  /** Index of the earlier set. */
  first: number;
  /** Index of the later set. */
  second: number;
  /** Their Jaccard similarity, from 0 to 1. */
  similarity: number;
}

/** How many bands of how many hashes. */
export interface Bands {
  /** The number of bands. */
  readonly bands: number;
  /** The number of hashes per band. */
  readonly rows: number;
}

/** The greatest probability with which a pair that is exactly as similar as the threshold is missed. */
export const MISSED = 1e-3;

/** The most hashes per set. */
const MOST_HASHES = 256;

/**
 * Chooses bands for a threshold: as many hashes per band as 256 hashes allow, so that few dissimilar pairs are candidates,
 * if at most {@linkcode MISSED} of the pairs at the threshold are to be missed. A pair of similarity s is missed with a
 * probability of (1 − s^rows)^bands, so more similar pairs are missed less often, and equal sets never.
 *
 * @param threshold The least similarity, above 0 and at most 1.
 * @returns The numbers of bands and of hashes per band.
 */
export function chooseBands(threshold: number): Bands {
  const bandsFor = (rows: number) =>
    threshold === 1 ? 1 : Math.ceil(Math.log(MISSED) / Math.log1p(-(threshold ** rows)));
  let rows = 1;
  while (rows < 16 && bandsFor(rows + 1) * (rows + 1) <= MOST_HASHES) rows++;
  return { bands: bandsFor(rows), rows };
}

/** Options of {@linkcode similarPairs}. */
export interface SimilarPairsOptions {
  /** The least similarity, above 0 and at most 1. */
  readonly threshold: number;
  /** Which pairs are compared; all by default. */
  readonly compares?: (first: number, second: number) => boolean;
}

/**
 * Finds pairs of similar sets. Each pair found is as similar as stated; see {@linkcode chooseBands} for those that are
 * missed. The hashes are the same on every call.
 *
 * @param bags The sets, as ascending numbers; empty ones are similar to none.
 * @param options The threshold, and which pairs to compare.
 * @returns The pairs, in no particular order.
 */
export function similarPairs(
  bags: readonly Int32Array[],
  { threshold, compares }: SimilarPairsOptions,
): SimilarPair[] {
  const { bands, rows } = chooseBands(threshold);
  const found: SimilarPair[] = [];
  const compared = new Set<number>();
  const random = new Random(0);
  const mixed = bags.map((bag) => bag.map((member) => mix(member + 1, 0x85ebca6b)));
  for (let band = 0; band < bands; band++) {
    for (const bucket of buckets(bandKeys(mixed, rows, random))) {
      for (let j = 1; j < bucket.length; j++) {
        const second = bucket[j]!;
        const size = bags[second]!.length;
        for (let i = 0; i < j; i++) {
          const first = bucket[i]!;
          const other = bags[first]!.length;
          // Sets of too different sizes cannot be similar.
          if (Math.min(size, other) < threshold * Math.max(size, other)) continue;
          const pair = first * bags.length + second;
          if (compared.has(pair)) continue;
          compared.add(pair);
          if (compares && !compares(first, second)) continue;
          const similarity = jaccard(bags[first]!, bags[second]!);
          if (similarity >= threshold) found.push({ first, second, similarity });
        }
      }
    }
  }
  return found;
}

/** The hash of each set's least hashes in one band; 0 for empty sets, and for no others. */
function bandKeys(bags: readonly Int32Array[], rows: number, random: Random): Uint32Array {
  const keys = new Uint32Array(bags.length);
  for (let row = 0; row < rows; row++) {
    const offset = random.uint32() | 0;
    const factor = random.uint32() | 1;
    for (let at = 0; at < bags.length; at++) {
      keys[at] = mix(keys[at]! ^ leastHash(bags[at]!, offset, factor), 0x21f0aaad);
    }
  }
  for (let at = 0; at < bags.length; at++) {
    keys[at] = bags[at]!.length === 0 ? 0 : keys[at]! || 1;
  }
  return keys;
}

/** The least hash of a set's members. They are mixed already, so that a product is as good as random. */
function leastHash(bag: Int32Array, offset: number, factor: number): number {
  let least = 0x7fffffff;
  for (let i = 0; i < bag.length; i++) {
    const hash = Math.imul(bag[i]! ^ offset, factor);
    if (hash < least) least = hash;
  }
  return least;
}

/** Mixes 32 bits with an odd factor. */
function mix(value: number, factor: number): number {
  let hash = Math.imul(value ^ (value >>> 16), factor);
  hash = Math.imul(hash ^ (hash >>> 15), 0x735a2d97);
  return hash ^ (hash >>> 15);
}

/** Groups of two or more indices, ascending, with the same key other than 0. */
function buckets(keys: Uint32Array): number[][] {
  const byKey = new Map<number, number[]>();
  for (let at = 0; at < keys.length; at++) {
    const key = keys[at]!;
    if (key === 0) continue;
    const bucket = byKey.get(key);
    if (bucket) bucket.push(at);
    else byKey.set(key, [at]);
  }
  return [...byKey.values()].filter((bucket) => bucket.length > 1);
}
