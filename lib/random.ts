/**
 * Seeded random numbers, the same on every machine: sfc32, seeded through splitmix32's mixing
 * function. `Math.random` cannot be seeded, and a run must be repeatable from its seed alone.
 */

/**
 * A small seeded generator of random numbers: sfc32 ("small fast counting", Chris Doty-Humphrey,
 * PractRand; 128 bits of state, period at least 2³²). Not for cryptography.
 *
 * @example The same seed gives the same numbers
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Random } from "tunebook";
 *
 * assertEquals(new Random(123).uint32(), new Random(123).uint32());
 * ```
 */
export class Random {
  #a = 0;
  #b = 0;
  #c = 0;
  #counter = 1;

  /**
   * Makes a generator.
   *
   * @param seed One integer, or several that together name a stream: `[seed, epoch]` gives every
   * epoch numbers of its own. Integers from 0 to 2⁵³ − 1; `5` and `[5]` are the same seed.
   * @throws {RangeError} If a seed is not such an integer.
   */
  constructor(seed: number | readonly number[]) {
    const parts = typeof seed === "number" ? [seed] : seed;
    let hash = parts.length;
    for (const part of parts) {
      if (!Number.isSafeInteger(part) || part < 0) {
        throw new RangeError(
          `Cannot seed with ${part}: a seed must be an integer from 0 to ${Number.MAX_SAFE_INTEGER}`,
        );
      }
      hash = mix32(hash ^ (part >>> 0));
      hash = mix32(hash ^ Math.floor(part / 2 ** 32));
    }
    // splitmix32: successive states a golden-ratio step apart, each mixed, fill the three words
    this.#a = mix32(hash += 0x9e3779b9);
    this.#b = mix32(hash += 0x9e3779b9);
    this.#c = mix32(hash += 0x9e3779b9);
    for (let i = 0; i < 15; i++) this.uint32(); // as PractRand warms it up
  }

  /** The generator's whole state, four 32-bit words, as {@linkcode Random.from} takes it. */
  get state(): [number, number, number, number] {
    return [this.#a >>> 0, this.#b >>> 0, this.#c >>> 0, this.#counter >>> 0];
  }

  /**
   * Creates a generator that continues from a saved state.
   *
   * @param state What {@linkcode Random.state} gave.
   * @returns A generator whose next numbers are those of the saved one.
   * @throws {RangeError} If the state is not four integers of 32 bits.
   */
  static from(state: readonly number[]): Random {
    if (state.length !== 4 || state.some((word) => word !== word >>> 0)) {
      throw new RangeError(
        `Cannot restore a generator from [${state}]: a state is four integers of 32 bits`,
      );
    }
    const random = new Random(0);
    [random.#a, random.#b, random.#c, random.#counter] = state as [number, number, number, number];
    return random;
  }

  /**
   * Draws an integer.
   *
   * @returns An integer from 0 to 2³² − 1, each as likely.
   */
  uint32(): number {
    const result = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + result) | 0;
    return result >>> 0;
  }

  /**
   * Draws a number.
   *
   * @returns A number in [0, 1) with all 53 bits of a double's mantissa random.
   */
  float(): number {
    const high = this.uint32() >>> 5; // 27 bits
    const low = this.uint32() >>> 6; // 26 bits
    return (high * 2 ** 26 + low) / 2 ** 53;
  }

  /**
   * Draws an integer below a bound.
   *
   * @param bound How many values there are, an integer from 1 to 2³².
   * @returns An integer in [0, bound), each exactly as likely.
   * @throws {RangeError} If the bound is not such an integer.
   */
  integer(bound: number): number {
    if (!Number.isInteger(bound) || bound < 1 || bound > 2 ** 32) {
      throw new RangeError(
        `Cannot draw below ${bound}: the bound must be an integer from 1 to 2³²`,
      );
    }
    const fair = 2 ** 32 - (2 ** 32 % bound); // numbers from here on would favour small results
    let draw = this.uint32();
    while (draw >= fair) draw = this.uint32();
    return draw % bound;
  }

  /**
   * Draws from the standard normal distribution.
   *
   * @returns A draw from the standard normal distribution (Box and Muller, 1958).
   */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.float()));
    return radius * Math.cos(2 * Math.PI * this.float());
  }

  /**
   * Shuffles an array in place, every order as likely (Fisher and Yates, in Durstenfeld's form).
   *
   * @param items The array.
   * @returns The same array.
   */
  shuffle<T>(items: T[]): T[] {
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      [items[i], items[j]] = [items[j]!, items[i]!];
    }
    return items;
  }
}

/** The finalizer of splitmix32 (a 32-bit mixing function found by Christopher Wellons' search). */
function mix32(x: number): number {
  x = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
  x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
  return (x ^ (x >>> 15)) | 0;
}
