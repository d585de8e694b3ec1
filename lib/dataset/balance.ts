/**
 * Data sets in which some topics are rare: weights for losses, and oversampling.
 *
 * @module
 */

import { assertArray } from "../kind_of.ts";
import { assertKnownOptions, type OptionNames } from "../options.ts";
import { Random } from "../random.ts";
import type { DatasetEntry } from "./chat_entry.ts";
import { topicOf } from "./entry.ts";

/**
 * Weights of classes that give each the same share of the loss: n / (k · nᵢ) for nᵢ of n labels in class i of k, as
 * scikit-learn's `compute_class_weight("balanced")` (King and Zeng, "Logistic Regression in Rare Events Data", 2001). The
 * mean weight over all labels is 1.
 *
 * @param labels One label per entry.
 * @returns The weight of each class, in the order of their first label.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { balancedWeights } from "tunebook/data";
 *
 * assertEquals(balancedWeights(["orders", "orders", "orders", "returns"]), {
 *   orders: 2 / 3,
 *   returns: 2,
 * });
 * ```
 */
export function balancedWeights(labels: readonly string[]): Record<string, number> {
  assertArray("balance", labels, "labels");
  const counts = countLabels(labels);
  return Object.fromEntries(
    Array.from(counts, ([label, count]) => [label, labels.length / (counts.size * count)]),
  );
}

/**
 * Weights entries by their topics, for the loss: each entry's weight is multiplied by its topic's. A training averages the
 * losses of all tokens, each times its entry's weight, over the sum of these weights.
 *
 * @param entries The entries.
 * @param weights The weight of each topic, above 0; those of {@linkcode balancedWeights} by default.
 * @returns Copies of the entries with weights.
 * @throws {RangeError} If a topic has no weight, a weight is not above 0, or an entry has no topic.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { weighByTopic } from "tunebook/data";
 *
 * const topics = ["orders", "orders", "orders", "returns"];
 * const entries = topics.map((topic) => ({ instruction: "Hi", input: "", output: "Hello", topic }));
 * assertEquals(weighByTopic(entries).map(({ weight }) => weight), [2 / 3, 2 / 3, 2 / 3, 2]);
 * ```
 */
export function weighByTopic<T extends DatasetEntry>(
  entries: readonly T[],
  weights?: Readonly<Record<string, number>>,
): (T & { weight: number })[] {
  const topics = topicsOf("weigh", entries);
  const byTopic = weights ?? balancedWeights(topics);
  for (const topic of new Set(topics)) {
    if (!Object.hasOwn(byTopic, topic)) {
      throw new RangeError(`Cannot weigh the topic "${topic}": there is no weight for it`);
    }
    if (!(byTopic[topic]! > 0 && byTopic[topic]! < Infinity)) {
      throw new RangeError(
        `Cannot weigh the topic "${topic}" by ${byTopic[topic]}: expected a number above 0`,
      );
    }
  }
  return entries.map((entry, index) => ({
    ...entry,
    weight: (entry.weight ?? 1) * byTopic[topics[index]!]!,
  }));
}

/** Options of {@linkcode oversample}. */
export interface OversampleOptions {
  /**
   * How many entries each topic gets, as a share of the largest topic's, above 0 and at most 1. Topics that have more already
   * keep them.
   *
   * @default {1}
   */
  readonly share?: number;
  /**
   * The seed of the choice of repeated entries.
   *
   * @default {123}
   */
  readonly seed?: number;
}

const NAMES: OptionNames<OversampleOptions> = { share: true, seed: true };

/** The result of {@linkcode oversample}. */
export interface Oversampled<T> {
  /** All entries in their order, then the repeated ones. */
  entries: T[];
  /** The index of the entry that each repeated one repeats, in their order. */
  repeated: number[];
}

/**
 * Repeats entries of rare topics until each has as many as the largest. All of a topic's entries are repeated equally often,
 * but for a last round, whose entries a seeded shuffle chooses. Oversample the training part only: a repeated entry in two
 * parts of a split is a leak.
 *
 * @param entries The entries.
 * @param options How many each topic gets, and the seed.
 * @returns The entries, and which ones are repeated.
 * @throws {TypeError} If there is an unknown option.
 * @throws {RangeError} If the share is not above 0 and at most 1, or an entry has no topic.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { oversample } from "tunebook/data";
 *
 * const topics = ["orders", "orders", "orders", "returns"];
 * const entries = topics.map((topic) => ({ instruction: "Hi", input: "", output: "Hello", topic }));
 * assertEquals(oversample(entries).repeated, [3, 3]);
 * ```
 */
export function oversample<T extends DatasetEntry>(
  entries: readonly T[],
  options: OversampleOptions = {},
): Oversampled<T> {
  assertKnownOptions("oversample", options, NAMES);
  const { share = 1, seed = 123 } = options;
  if (!(share > 0 && share <= 1)) {
    throw new RangeError(
      `Cannot oversample to a share of ${share} of the largest topic: expected more than 0 and at most 1`,
    );
  }
  const topics = topicsOf("oversample", entries);
  const members = Map.groupBy(entries.keys(), (index) => topics[index]!);
  const largest = Math.max(0, ...[...members.values()].map(({ length }) => length));
  const wanted = Math.round(largest * share);
  const random = new Random(seed);
  const repeated: number[] = [];
  for (const indices of members.values()) {
    for (let missing = wanted - indices.length; missing > 0; missing -= indices.length) {
      const round = missing < indices.length ? random.shuffle([...indices]) : indices;
      repeated.push(...round.slice(0, missing));
    }
  }
  repeated.sort((a, b) => a - b);
  return { entries: [...entries, ...repeated.map((index) => entries[index]!)], repeated };
}

/** How many there are of each label, in the order of their first. */
function countLabels(labels: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  return counts;
}

/** The topic of each entry. */
function topicsOf(action: string, entries: readonly DatasetEntry[]): string[] {
  assertArray(action, entries, "entries");
  return entries.map((entry, index) => {
    const topic = topicOf(entry);
    if (topic !== undefined) return topic;
    throw new RangeError(
      `Cannot ${action} entry ${index + 1} of ${entries.length} by its topic: it has none`,
    );
  });
}
