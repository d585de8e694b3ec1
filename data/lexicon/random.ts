/**
 * Seeded random draws for the data makers: the same seed gives the same text on every machine.
 *
 * @module
 */

/** A small seeded generator (mulberry32: 32 bits of state, integer arithmetic only). */
export class Random {
  #state: number;

  /** @param seed any integer; only its low 32 bits count */
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A number in [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  /** An integer from 0 up to but not including `limit`. */
  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  /** An integer from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  /** One item of a list. */
  pick<T>(items: readonly T[]): T {
    if (items.length === 0) throw new RangeError("Cannot pick from an empty list");
    return items[this.below(items.length)];
  }

  /** A shuffled copy (Fisher and Yates). */
  shuffle<T>(items: readonly T[]): T[] {
    const copy = items.slice();
    for (let i = copy.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [copy[i], copy[j]] = [copy[j], copy[i]];
    }
    return copy;
  }

  /** `count` different items of a list, in random order. */
  sample<T>(items: readonly T[], count: number): T[] {
    if (count > items.length) {
      throw new RangeError(`Cannot sample ${count} items: the list has ${items.length}`);
    }
    return this.shuffle(items).slice(0, count);
  }
}

/** Deals every item once before it shuffles and deals them again, so that none is forgotten. */
export class Deck<T> {
  #items: readonly T[];
  #left: T[] = [];
  #random: Random;

  constructor(items: readonly T[], random: Random) {
    if (items.length === 0) throw new RangeError("Cannot deal from an empty deck");
    this.#items = items;
    this.#random = random;
  }

  /** The next item. */
  deal(): T {
    if (this.#left.length === 0) this.#left = this.#random.shuffle(this.#items);
    return this.#left.pop()!;
  }
}
