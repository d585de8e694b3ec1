/**
 * The filter of blocked words and phrases.
 *
 * @module
 */

import type { FilterFinding, FilterKind, TextFilter } from "./filter.ts";
import { textsHash } from "./signature.ts";

/** The row in the table of filters. */
export const blockList: FilterKind = {
  name: "blockList",
  summary: "words and phrases of a list",
  reads: ["prompt", "answer"],
};

/**
 * Reads the terms of a block list.
 *
 * @param text The file's text: a term per line. Empty lines and lines that begin with `#` are left out.
 * @returns The terms.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseBlockList } from "tunebook/eval";
 *
 * assertEquals(parseBlockList("# of our competitor\nAcme\n\nfree money\n"), ["Acme", "free money"]);
 * ```
 */
export function parseBlockList(text: string): string[] {
  return text.replace(/^\uFEFF/, "").split(/\r?\n/).map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
}

/**
 * Makes a filter that finds words and phrases as whole words. Upper and lower case, accents, full-width and other compatible
 * forms of letters, invisible characters, and the kind and number of spaces and hyphens between words do not matter. A term that
 * ends with `*` finds every word that begins so.
 *
 * It finds no other spelling, inflection, script or paraphrase: `docs/safety.md` has the counts.
 *
 * @param terms The words and phrases.
 * @returns The filter.
 * @throws {TypeError} If there are no terms, or one has no letter or digit.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { blockListFilter } from "tunebook/eval";
 *
 * const filter = blockListFilter(["free money", "hack*"]);
 * const text = "Hackers promise FREE\n money.";
 * assertEquals(filter.find(text).map(({ start, end }) => text.slice(start, end)), [
 *   "Hackers", "FREE\n money",
 * ]);
 * ```
 */
export function blockListFilter(terms: readonly string[]): TextFilter {
  if (terms.length === 0) throw new TypeError("Cannot block words: the list has no terms");
  const byPattern = new Map(terms.map((term) => [patternOf(term), term]));
  // Longer terms come first, so that a phrase is found rather than a word of it.
  const patterns = [...byPattern.keys()].sort((a, b) => b.length - a.length);
  const any = new RegExp(
    `(?<![\\p{L}\\p{N}])(?:${
      patterns.map((pattern) => `(${pattern})`).join("|")
    })(?![\\p{L}\\p{N}])`,
    "gu",
  );
  const find = (text: string): FilterFinding[] => {
    const { folded, places } = fold(text);
    return Array.from(folded.matchAll(any), ({ 0: match, index, ...groups }) => {
      const group = patterns.findIndex((_, i) => (groups as Record<number, string>)[i + 1] != null);
      return {
        filter: blockList.name,
        start: places[index][0],
        end: places[index + match.length - 1][1],
        reason: `has "${byPattern.get(patterns[group])}", which is blocked`,
        mask: "[BLOCKED]",
      };
    });
  };
  return {
    signature: `${blockList.name}|terms:${textsHash(patterns)}`,
    ...{ name: blockList.name, reads: blockList.reads, masks: true, find },
  };
}

/** What stands between words. */
const BETWEEN = String.raw`[\s\p{Pd}_]+`;

/** The expression of a term over folded text. */
function patternOf(term: string): string {
  const words = fold(term.replace(/\*$/, "")).folded.split(new RegExp(BETWEEN, "u"))
    .filter((word) => word !== "");
  if (!words.some((word) => /[\p{L}\p{N}]/u.test(word))) {
    throw new TypeError(
      `Cannot block ${JSON.stringify(term)}: expected a term with a letter or digit`,
    );
  }
  const escaped = words.map((word) => word.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&"));
  return escaped.join(BETWEEN) + (term.endsWith("*") ? "[\\p{L}\\p{N}]*" : "");
}

/**
 * A text in which letters that are only written differently are the same (Unicode's NFKD, without marks, in lower case), and for
 * each of its UTF-16 code units the place in the text that it is from.
 */
function fold(text: string): { folded: string; places: [start: number, end: number][] } {
  let folded = "";
  const places: [number, number][] = [];
  let at = 0;
  for (const character of text) {
    const end = at + character.length;
    const plain = character.normalize("NFKD").toLowerCase().replace(/[\p{M}\p{Cf}]/gu, "");
    if (plain === "" && places.length > 0) places.at(-1)![1] = end; // marks belong to their letter
    for (let i = 0; i < plain.length; i++) places.push([at, end]);
    folded += plain;
    at = end;
  }
  return { folded, places };
}
