/**
 * Memory that was given back, kept for the next tensor of about the same size.
 *
 * @module
 */

const MIB = 1024 * 1024;

/**
 * Rounds a size up so that near sizes share memory: quarters of powers of two, and whole MiB above 16 MiB.
 *
 * @param byteLength Bytes that are needed.
 * @returns Bytes to allocate: at most a quarter more, a multiple of 256.
 */
export function sizeClass(byteLength: number): number {
  if (byteLength > 16 * MIB) return Math.ceil(byteLength / MIB) * MIB;
  const size = Math.max(byteLength, 1024);
  const quarter = 2 ** Math.floor(Math.log2(size - 1)) / 4;
  return Math.ceil(size / quarter) * quarter;
}

/**
 * How much larger than needed memory may be that is used again. Batches of a training differ a few times in length, and
 * memory of the longest must serve the others: with a factor of 2 a training's memory grew by a quarter after its
 * largest batch, with 64 by less than a thousandth. Without a limit a scalar could sit on a freed model's embedding.
 */
const LARGEST_FACTOR = 64;

/** Free memory by size. */
export class Pool<T> {
  readonly #free = new Map<number, T[]>();

  /**
   * Takes memory out.
   *
   * @param size A {@linkcode sizeClass}.
   * @returns Memory of this size, or the smallest of up to 64 times as much or 1 MiB, or undefined.
   */
  take(size: number): T | undefined {
    const exact = this.#free.get(size)?.pop();
    if (exact) return exact;
    const largest = Math.max(LARGEST_FACTOR * size, MIB);
    let best = Infinity;
    for (const [candidate, items] of this.#free) {
      if (items.length > 0 && candidate > size && candidate <= largest) {
        best = Math.min(best, candidate);
      }
    }
    return this.#free.get(best)?.pop();
  }

  /**
   * Puts memory in.
   *
   * @param size Its {@linkcode sizeClass}.
   * @param item The memory.
   */
  put(size: number, item: T): void {
    const items = this.#free.get(size);
    if (items) items.push(item);
    else this.#free.set(size, [item]);
  }

  /**
   * Puts free memory of each size in order. Work that is repeated, such as the steps of a training, then takes the same
   * memory for the same purpose each time.
   *
   * @param compare What comes first is taken first.
   */
  sort(compare: (a: T, b: T) => number): void {
    for (const items of this.#free.values()) items.sort((a, b) => compare(b, a));
  }

  /** Takes everything out. */
  drain(): T[] {
    const items = [...this.#free.values()].flat();
    this.#free.clear();
    return items;
  }
}
