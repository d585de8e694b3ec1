/**
 * Names of people and places in a text, by lists and by the words around them.
 *
 * @module
 */

import { AMBIGUOUS_NAMES, GIVEN_NAMES, PLACES } from "./lists.ts";

/** Where a name is in a text. */
export type Range = readonly [start: number, end: number];

const CAPITALISED = "\\p{Lu}[\\p{L}\\p{M}'’-]*\\p{Ll}[\\p{L}\\p{M}'’-]*|\\p{Lu}\\.";
/** Capitalised words, with spaces between. */
const RUN = new RegExp(
  `(?<![\\p{L}\\p{N}])(?:${CAPITALISED})(?: (?:(?:de|van|von|der|la|el|al|bin) )*(?:${CAPITALISED}))*`,
  "gu",
);
/** What stands before a name only. */
const ANNOUNCED =
  /(?:\b(?:Mr|Mrs|Ms|Miss|Dr|Prof|Sir|Madam)\.? |\b(?:my|her|his|their) name is |\bI am |\bI'm |\bnamed |\bcalled |\bsigned,? |\bregards,\s+|\bsincerely,\s+|\bdear )$/i;
const TITLE = /^(?:Mr|Mrs|Ms|Miss|Dr|Prof|Sir|Madam|Dear)\.?$/;
/** A street with its number. */
const STREET =
  /(?<![\w-])\d{1,5}[a-z]?,? (?:\p{Lu}[\p{L}'’-]+ ){1,3}(?:Street|St|Road|Rd|Avenue|Ave|Lane|Ln|Drive|Dr|Boulevard|Blvd|Court|Ct|Square|Terrace|Place|Way|Close|Crescent)\b/gu;

/**
 * Finds names of people: a given name of the list with the capitalised words after it, or capitalised words after a title or
 * an announcement such as "my name is".
 *
 * @param text The text.
 * @returns Where they are, in order.
 */
export function findNames(text: string): Range[] {
  const found: Range[] = [];
  for (const match of text.matchAll(RUN)) {
    const words = [...match[0].matchAll(/\S+/g)].map((word) => ({
      text: word[0].replace(/['’]s$/, ""),
      start: match.index + word.index,
    }));
    const announced = ANNOUNCED.test(text.slice(0, match.index));
    let first = words.findIndex((word, i) => {
      if (AMBIGUOUS_NAMES.has(word.text)) {
        return words[i + 1] !== undefined && !PLACES.has(word.text);
      }
      return GIVEN_NAMES.has(word.text);
    });
    const title = words.findLastIndex(({ text }) => TITLE.test(text));
    if (title >= 0 && words[title + 1]) first = title + 1;
    else if (announced && first < 0) first = startsSentence(words[0]!.text) ? -1 : 0;
    if (first < 0) continue;
    const named = words.slice(first, first + 4);
    const last = named.at(-1)!;
    found.push([named[0]!.start, last.start + last.text.length]);
  }
  return found;
}

/** Words that are not names after "I am", such as in "I am German". */
function startsSentence(word: string): boolean {
  return /(?:ish|ese|ian|ean|German|French|Dutch|Swiss|Greek|Czech|Danish)$/.test(word);
}

/**
 * Finds places: cities of the list, and streets with a number.
 *
 * @param text The text.
 * @returns Where they are, in order.
 */
export function findPlaces(text: string): Range[] {
  const found: Range[] = Array.from(
    text.matchAll(STREET),
    ({ 0: street, index }): Range => [index, index + street.length],
  );
  for (const match of text.matchAll(RUN)) {
    const words = [...match[0].matchAll(/\S+/g)];
    for (let at = 0; at < words.length;) {
      const length = [3, 2, 1].find((count) => {
        const name = words.slice(at, at + count).map(([word]) => word.replace(/['’]s$/, "")).join(
          " ",
        );
        return words.length - at >= count && PLACES.has(name);
      });
      if (length === undefined) {
        at++;
        continue;
      }
      const last = words[at + length - 1]!;
      const start = match.index + words[at]!.index;
      found.push([start, match.index + last.index + last[0].replace(/['’]s$/, "").length]);
      at += length;
    }
  }
  return found.sort((a, b) => a[0] - b[0]);
}
