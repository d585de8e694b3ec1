/**
 * Personal data in texts: finding and masking them.
 *
 * @module
 */

import { assertKnownOptions, type OptionNames } from "../options.ts";
import { findNames, findPlaces } from "./personal/names.ts";
import { NUMBER_PATTERNS, type NumberKind } from "./personal/numbers.ts";

/**
 * The kinds of personal data: e-mail addresses, international bank account numbers, cards, other account numbers, IP
 * addresses, telephone numbers, names of people, and places.
 */
export type PersonalKind =
  | "email"
  | "iban"
  | "card"
  | "account"
  | "ip"
  | "phone"
  | "name"
  | "place";

/** The values of {@linkcode PersonalKind}, those that are the surest first. */
export const PERSONAL_KINDS: readonly PersonalKind[] = [
  ...Object.keys(NUMBER_PATTERNS) as NumberKind[],
  "name",
  "place",
];

/** Personal data found in a text. */
export interface PersonalFinding {
  /** The kind. */
  kind: PersonalKind;
  /** The index of its first UTF-16 code unit. */
  start: number;
  /** One past the index of its last. */
  end: number;
  /** The text there. */
  text: string;
}

/** Options of {@linkcode findPersonalData} and {@linkcode maskPersonalData}. */
export interface PersonalOptions {
  /** The kinds to look for; all by default. */
  readonly kinds?: readonly PersonalKind[];
}

const NAMES: OptionNames<PersonalOptions> = { kinds: true };

/**
 * Finds personal data in a text: e-mail and IP addresses, account, card and telephone numbers by their patterns and check
 * digits; names and places by lists of common ones and by the words around them. It misses names that are in no list and not
 * announced, and takes some words for names, so a person should review what it finds: `docs/cleaning.md` says how much it
 * misses of a labelled set.
 *
 * @param text The text.
 * @param options The kinds to look for.
 * @returns What it found, in the text's order, without overlaps.
 * @throws {TypeError} If there is an unknown option.
 * @throws {RangeError} If there is no such kind.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { findPersonalData } from "tunebook/data";
 *
 * const found = findPersonalData("Write to ana@example.org, or ask Maria Lopez in Lisbon.");
 * assertEquals(found.map(({ kind, text }) => `${kind}: ${text}`), [
 *   "email: ana@example.org", "name: Maria Lopez", "place: Lisbon",
 * ]);
 * ```
 */
export function findPersonalData(text: string, options: PersonalOptions = {}): PersonalFinding[] {
  assertKnownOptions("find personal data", options, NAMES);
  const { kinds = PERSONAL_KINDS } = options;
  for (const kind of kinds) {
    if (PERSONAL_KINDS.includes(kind)) continue;
    throw new RangeError(
      `Cannot find personal data of the kind "${kind}": expected one of "${
        PERSONAL_KINDS.join('", "')
      }"`,
    );
  }
  const found: PersonalFinding[] = [];
  // All kinds are looked for, so that a card's number is not taken for a telephone number.
  for (const kind of PERSONAL_KINDS) {
    for (const [start, end] of rangesOf(kind, text)) {
      if (found.some((other) => start < other.end && other.start < end)) continue;
      found.push({ kind, start, end, text: text.slice(start, end) });
    }
  }
  return found.filter(({ kind }) => kinds.includes(kind)).sort((a, b) => a.start - b.start);
}

function rangesOf(kind: PersonalKind, text: string): (readonly [number, number])[] {
  if (kind === "name") return findNames(text);
  if (kind === "place") return findPlaces(text);
  const { pattern, valid = () => true } = NUMBER_PATTERNS[kind];
  return [...text.matchAll(pattern)]
    .map(({ 0: match, index }) => [index, index + match.length] as const)
    .filter(([start, end]) => valid(text.slice(start, end), text.slice(0, start), text.slice(end)));
}

/**
 * Replaces personal data by the names of their kinds, such as `[EMAIL]`.
 *
 * @param text The text.
 * @param findings What to replace, in the text's order: what {@linkcode findPersonalData} found, or those of it that a person
 * confirmed.
 * @returns The text with masks.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { findPersonalData, maskPersonalData } from "tunebook/data";
 *
 * const text = "Call +44 20 7946 0958.";
 * assertEquals(maskPersonalData(text, findPersonalData(text)), "Call [PHONE].");
 * ```
 */
export function maskPersonalData(text: string, findings: readonly PersonalFinding[]): string {
  let masked = "";
  let at = 0;
  for (const { kind, start, end } of findings) {
    masked += `${text.slice(at, start)}[${kind.toUpperCase()}]`;
    at = end;
  }
  return masked + text.slice(at);
}
