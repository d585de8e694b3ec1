/**
 * Splitting a data set into training, test and validation parts.
 *
 * @module
 */

import { assertArray } from "../kind_of.ts";
import { assertKnownOptions, type OptionNames } from "../options.ts";
import { Random } from "../random.ts";

/** A data set's three parts. */
export interface Split<T> {
  /** What the model learns from. */
  train: T[];
  /** What the finished model is scored on. */
  test: T[];
  /** What is evaluated during training. */
  validation: T[];
}

/** The fractions of train, test and validation in Raschka's chapter 7. */
export const DEFAULT_SPLIT: readonly [number, number, number] = [0.85, 0.1, 0.05];

/** Options of {@linkcode splitEntries}. */
export interface SplitOptions {
  /**
   * The parts' fractions: train, test, validation. `[1, 0, 0]` trains on everything.
   *
   * @default {[0.85, 0.1, 0.05]}
   */
  readonly fractions?: readonly number[];
  /** Shuffles the entries with this seed before they are split. Without it they stay in file order. */
  readonly seed?: number;
}

const NAMES: OptionNames<SplitOptions> = { fractions: true, seed: true };

/**
 * Splits entries: the first are for training, the next for testing, the last for validation. Counts are rounded down.
 * If the fractions add up to 1, validation gets all remaining entries, as in chapter 7 of Raschka's
 * "Build a Large Language Model (From Scratch)": 1,100 entries give 935, 110 and 55.
 *
 * @param entries The whole data set.
 * @param options The fractions, and a seed to shuffle with.
 * @returns The three parts.
 * @throws {TypeError} If there is an unknown option.
 * @throws {RangeError} If the fractions are not between 0 and 1, add up to more than 1, or leave
 * nothing to train on.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { splitEntries } from "tunebook";
 *
 * const { train, test, validation } = splitEntries(Array.from({ length: 1100 }, (_, i) => i));
 * assertEquals([train.length, test.length, validation.length], [935, 110, 55]);
 * ```
 */
export function splitEntries<T>(
  entries: readonly T[],
  options: SplitOptions = {},
): Split<T> {
  assertKnownOptions("split entries", options, NAMES);
  assertArray("split", entries, "entries");
  const { fractions = DEFAULT_SPLIT, seed } = options;
  const ordered = seed === undefined ? entries : new Random(seed).shuffle([...entries]);
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
  // the small term makes 0.29 of 100 the intended 29 instead of 28.999… rounded down
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
    train: ordered.slice(0, train),
    test: ordered.slice(train, train + test),
    validation: ordered.slice(train + test, end),
  };
}

/**
 * Parses fractions from the command line.
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
