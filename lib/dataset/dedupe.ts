/** Data sets without entries that are there more than once. */
import { assertArray } from "../kind_of.ts";
import { assertKnownOptions, type OptionNames } from "../options.ts";
import type { DatasetEntry } from "./chat_entry.ts";
import {
  assertNearDuplicateOptions,
  findPairs,
  NEAR_DUPLICATE_OPTIONS,
  type NearDuplicateOptions,
} from "./near_duplicates.ts";

/** Options of {@linkcode dedupeEntries}. */
export interface DedupeOptions extends NearDuplicateOptions {
  /**
   * Whether only entries that are equal in every field are removed, or near duplicates too.
   *
   * @default {true}
   */
  readonly near?: boolean;
}

const NAMES: OptionNames<DedupeOptions> = { ...NEAR_DUPLICATE_OPTIONS, near: true };

/** An entry that was removed because an earlier one, which was kept, says the same. */
export interface Duplicate {
  /** The index of the removed entry. */
  index: number;
  /** The index of the entry that was kept. */
  keptAs: number;
  /** Whether both are equal in every field, or nearly the same in their words. */
  kind: "exact" | "near";
  /** Their similarity, from 0 to 1. */
  similarity: number;
}

/** The result of {@linkcode dedupeEntries}. */
export interface Deduplication<T> {
  /** The entries that are kept, in their order. */
  kept: T[];
  /** Those that are removed, in their order. */
  removed: Duplicate[];
}

/**
 * Removes duplicates: of entries that are equal in every field or nearly the same in their words, the first is kept. An
 * entry that is like a removed entry only, and not like a kept one, is kept.
 *
 * @param entries The entries.
 * @param options Whether near duplicates count, their least similarity, and how they are found.
 * @returns The other entries, and a row for each that was removed.
 * @throws {TypeError} If there is an unknown option.
 * @throws {RangeError} If the threshold is not above 0 and at most 1, or there is no such method.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { dedupeEntries } from "tunebook/data";
 *
 * const { kept, removed } = dedupeEntries([
 *   { instruction: "What is the plural of fox?", input: "", output: "Foxes." },
 *   { instruction: "Name a fruit.", input: "", output: "An apple." },
 *   { instruction: "What is the plural of “Fox”?", input: "", output: "foxes" },
 * ]);
 * assertEquals(kept.length, 2);
 * assertEquals(removed, [{ index: 2, keptAs: 0, kind: "near", similarity: 1 }]);
 * ```
 */
export function dedupeEntries<T extends DatasetEntry>(
  entries: readonly T[],
  options: DedupeOptions = {},
): Deduplication<T> {
  assertKnownOptions("remove duplicates", options, NAMES);
  const { near = true, ...similar } = options;
  assertNearDuplicateOptions("remove duplicates", similar);
  assertArray("remove duplicates from", entries, "entries");
  const firsts = new Map<string, number>();
  const removed = new Map<number, Duplicate>();
  for (const [index, entry] of entries.entries()) {
    const key = canonical(entry);
    const first = firsts.get(key);
    if (first === undefined) firsts.set(key, index);
    else removed.set(index, { index, keptAs: first, kind: "exact", similarity: 1 });
  }
  if (near) removeNear(entries, similar, removed);
  return {
    kept: entries.filter((_, index) => !removed.has(index)),
    removed: [...removed.values()].sort((a, b) => a.index - b.index),
  };
}

/** Adds the near duplicates of kept entries to those that are removed. */
function removeNear(
  entries: readonly DatasetEntry[],
  options: NearDuplicateOptions,
  removed: Map<number, Duplicate>,
): void {
  const rest = [...entries.keys()].filter((index) => !removed.has(index));
  const pairs = findPairs(rest.map((index) => entries[index]!), options)
    .map((pair) => ({ ...pair, first: rest[pair.first]!, second: rest[pair.second]! }))
    // The later entry's fate is decided once all earlier ones' are; the most similar kept one is named.
    .sort((a, b) => a.second - b.second || b.similarity - a.similarity || a.first - b.first);
  for (const { first, second, similarity } of pairs) {
    if (removed.has(first) || removed.has(second)) continue;
    removed.set(second, { index: second, keptAs: first, kind: "near", similarity });
  }
  // Exact duplicates of what was now removed are like the entry that was kept instead.
  for (const [index, duplicate] of removed) {
    const other = removed.get(duplicate.keptAs);
    if (other) removed.set(index, { ...other, index });
  }
}

/** A value as JSON with its keys in order, so that equal entries have equal texts. */
function canonical(value: unknown): string {
  return JSON.stringify(
    value,
    (_, part) =>
      typeof part === "object" && part !== null && !Array.isArray(part)
        ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => a < b ? -1 : 1))
        : part,
  );
}
