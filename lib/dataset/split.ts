/** Splitting a data set into parts, in file order. */

/** A data set's three parts. */
export interface Split<T> {
  /** What the model learns from. */
  train: T[];
  /** What the finished model is scored on. */
  test: T[];
  /** What its progress is watched on. */
  validation: T[];
}

/** The reference's fractions of train, test and validation. */
export const DEFAULT_SPLIT: readonly [number, number, number] = [0.85, 0.1, 0.05];

/**
 * Splits entries in file order: the first are for training, the next for testing, the last for
 * validation. Counts are rounded down, and where the fractions add up to one the rest of the entries
 * is for validation, as in the reference: 1,100 entries give 935, 110 and 55.
 *
 * @param entries The whole data set.
 * @param fractions The parts' fractions: train, test, validation. `[1, 0, 0]` trains on everything.
 * @returns The three parts.
 * @throws {RangeError} If the fractions are not between 0 and 1, add up to more than 1, or leave
 * nothing to train on.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { splitEntries } from "./split.ts";
 *
 * const { train, test, validation } = splitEntries(Array.from({ length: 1100 }, (_, i) => i));
 * assertEquals([train.length, test.length, validation.length], [935, 110, 55]);
 * ```
 */
export function splitEntries<T>(
  entries: readonly T[],
  fractions: readonly number[] = DEFAULT_SPLIT,
): Split<T> {
  const text = fractions.join(",");
  if (fractions.length !== 3 || fractions.some((f) => !(f >= 0 && f <= 1))) {
    throw new RangeError(
      `Cannot split by "${text}": give three fractions from 0 to 1, of train, test and validation`,
    );
  }
  const sum = fractions[0]! + fractions[1]! + fractions[2]!;
  if (sum > 1 + 1e-9) {
    throw new RangeError(`Cannot split by "${text}": the fractions add up to ${sum}, more than 1`);
  }
  // the small sum makes 0.29 of 100 the 29 that is meant, not 28.999… rounded down
  const [train, test, rest] = fractions.map((f) => Math.floor(entries.length * f + 1e-9)) as [
    number,
    number,
    number,
  ];
  if (train === 0) {
    throw new RangeError(
      `Cannot split ${entries.length} entries by "${text}": nothing is left to train on`,
    );
  }
  const end = sum > 1 - 1e-9 ? entries.length : train + test + rest;
  return {
    train: entries.slice(0, train),
    test: entries.slice(train, train + test),
    validation: entries.slice(train + test, end),
  };
}

/**
 * Reads fractions from the command line.
 *
 * @param text Three numbers with commas between, such as `"0.85,0.10,0.05"`.
 * @returns The fractions.
 * @throws {RangeError} If the text is not three numbers from 0 to 1.
 */
export function parseSplit(text: string): [number, number, number] {
  const parts = text.split(",").map((part) => part.trim() === "" ? NaN : Number(part));
  if (parts.length !== 3 || parts.some((f) => !(f >= 0 && f <= 1))) {
    throw new RangeError(
      `Cannot split by "${text}": give three fractions from 0 to 1, such as "0.85,0.10,0.05"`,
    );
  }
  return parts as [number, number, number];
}
