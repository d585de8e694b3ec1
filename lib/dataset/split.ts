/**
 * Splitting a data set into training, test and validation parts.
 *
 * @module
 */

import { assertArray, kindOf } from "../kind_of.ts";
import { assertKnownOptions, type OptionNames } from "../options.ts";
import { Random } from "../random.ts";
import { allotStrata, assignGroups } from "./allot.ts";

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

/** How the parts' members are chosen. */
export type SplitOrder = "shuffled" | "given";

/** The values of {@linkcode SplitOrder}. */
export const SPLIT_ORDERS: readonly SplitOrder[] = ["shuffled", "given"];

/** The seed of the shuffling. */
export const SPLIT_SEED = 123;

/** Options of {@linkcode splitEntries}. */
export interface SplitOptions {
  /**
   * The parts' fractions: train, test, validation. `[1, 0, 0]` trains on everything.
   *
   * @default {[0.85, 0.1, 0.05]}
   */
  readonly fractions?: readonly number[];
  /**
   * How the members of the parts are chosen: `shuffled`, by a seeded shuffle; `given`, as slices of the file, the first
   * entries for training, the next for testing, the last for validation, as in chapter 7 of Raschka's "Build a Large
   * Language Model (From Scratch)".
   *
   * @default {"shuffled"}
   */
  readonly order?: SplitOrder;
  /**
   * The seed of the shuffle.
   *
   * @default {123}
   */
  readonly seed?: number;
  /**
   * A label per entry. Each part gets entries of each label in proportion; see {@linkcode strataOf}. Only with the order
   * `shuffled`.
   */
  readonly stratify?: readonly string[];
  /**
   * A label per entry. Entries with the same label share a part, so that the parts' sizes are close to the fractions but not
   * exact; see {@linkcode groupsOf}. Only with the order `shuffled`.
   */
  readonly groups?: readonly string[];
}

const NAMES: OptionNames<SplitOptions> = {
  fractions: true,
  order: true,
  seed: true,
  stratify: true,
  groups: true,
};

/**
 * Splits entries into three parts. A seeded shuffle decides which entries belong to which part; inside a part they keep the
 * file's order. Counts are rounded down. If the fractions add up to 1, validation gets all remaining entries: 1,100 entries
 * give 935, 110 and 55.
 *
 * @param entries The whole data set.
 * @param options The fractions, the order, and labels that are to be balanced or kept together.
 * @returns The three parts.
 * @throws {TypeError} If there is an unknown option, or one that the order does not have.
 * @throws {RangeError} If the fractions are not between 0 and 1, add up to more than 1, or leave
 * nothing to train on; if there is no such order; or if there is not one label per entry.
 *
 * @example Slices of the file, as in Raschka's chapter 7
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { splitEntries } from "tunebook";
 *
 * const entries = Array.from({ length: 1100 }, (_, i) => i);
 * const { train, test, validation } = splitEntries(entries, { order: "given" });
 * assertEquals([train.length, test.length, validation.length], [935, 110, 55]);
 * assertEquals(test[0], 935);
 * ```
 *
 * @example As many questions as requests in each part
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { splitEntries } from "tunebook";
 *
 * const entries = ["Who?", "Go.", "When?", "Stop.", "Why?", "Wait.", "How?", "Come."];
 * const stratify = entries.map((entry) => entry.at(-1)!);
 * const { test } = splitEntries(entries, { fractions: [0.5, 0.5, 0], stratify });
 * assertEquals(test.filter((entry) => entry.endsWith("?")).length, 2);
 * ```
 */
export function splitEntries<T>(
  entries: readonly T[],
  options: SplitOptions = {},
): Split<T> {
  assertKnownOptions("split entries", options, NAMES);
  assertArray("split", entries, "entries");
  const { fractions = DEFAULT_SPLIT, order = "shuffled", stratify, groups } = options;
  assertOrder(options);
  const sizes = partSizes(entries.length, fractions);
  if (stratify) assertLabels("stratify", stratify, entries.length);
  if (groups) assertLabels("groups", groups, entries.length);
  if (order === "given") return takeParts(entries, inOrder(entries.keys(), sizes));

  const random = new Random(options.seed ?? SPLIT_SEED);
  const shuffled = random.shuffle([...entries.keys()]);
  const partOf = groups
    ? assignGroups(shuffled, { fractions: toShares(fractions), sizes, groups, stratify })
    : stratify
    ? allotStrata(shuffled, { sizes, stratify, random })
    : inOrder(shuffled, sizes);
  const parts = takeParts(entries, partOf);
  if (parts.train.length === 0) throw nothingToTrainOn(entries.length, fractions);
  return parts;
}

/** Gives the first of some indices to the first part, the next to the second, and so on. */
function inOrder(indices: Iterable<number>, sizes: readonly number[]): Int8Array {
  const order = [...indices];
  const partOf = new Int8Array(order.length);
  let at = 0;
  for (const [part, size] of sizes.entries()) {
    for (const end = at + size; at < end; at++) partOf[order[at]!] = part;
  }
  return partOf;
}

/** The parts' entries, in their order; the fourth part is left out. */
function takeParts<T>(entries: readonly T[], partOf: Int8Array): Split<T> {
  const take = (part: number) => entries.filter((_, index) => partOf[index] === part);
  return { train: take(0), test: take(1), validation: take(2) };
}

/** The fractions of train, test, validation and what is left out. */
function toShares(fractions: readonly number[]): number[] {
  const left = 1 - fractions.reduce((sum, fraction) => sum + fraction, 0);
  return [...fractions, left > 1e-9 ? left : 0];
}

/** The sizes of train, test, validation and what is left out. */
function partSizes(count: number, fractions: readonly number[]): number[] {
  assertFractions(fractions);
  const sum = fractions[0]! + fractions[1]! + fractions[2]!;
  // the small term makes 0.29 of 100 the intended 29 instead of 28.999… rounded down
  const [train, test, rest] = fractions.map((f) => Math.floor(count * f + 1e-9)) as [
    number,
    number,
    number,
  ];
  if (train === 0) throw nothingToTrainOn(count, fractions);
  const validation = sum > 1 - 1e-9 ? count - train - test : rest;
  return [train, test, validation, count - train - test - validation];
}

function nothingToTrainOn(count: number, fractions: readonly number[]): RangeError {
  return new RangeError(
    `Cannot split ${count} entries by "${fractions.join(",")}": nothing is left to train on`,
  );
}

function assertFractions(fractions: readonly number[]): void {
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
}

/** Refuses unknown orders, and options that the order "given" would ignore. */
function assertOrder(options: SplitOptions): void {
  const { order = "shuffled" } = options;
  if (!SPLIT_ORDERS.includes(order)) {
    throw new RangeError(
      `Cannot split in the order "${order}": expected "${SPLIT_ORDERS.join('" or "')}"`,
    );
  }
  if (order !== "given") return;
  for (const name of ["seed", "stratify", "groups"] as const) {
    if (options[name] === undefined) continue;
    throw new TypeError(
      `Cannot split in the order "given" with "${name}": slices of the file do not depend on it`,
    );
  }
}

function assertLabels(name: string, labels: readonly string[], count: number): void {
  if (!Array.isArray(labels)) {
    throw new TypeError(
      `Cannot split with "${name}" ${kindOf(labels)}: expected an array of labels, one per entry`,
    );
  }
  if (labels.length === count) return;
  throw new RangeError(
    `Cannot split ${count} entries with ${labels.length} labels in "${name}": expected one per entry`,
  );
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
