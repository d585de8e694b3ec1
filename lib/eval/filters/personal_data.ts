/**
 * The filter of personal data: what `findPersonalData()` of `tunebook/data` finds.
 *
 * @module
 */

import {
  findPersonalData,
  PERSONAL_KINDS,
  type PersonalKind,
  type PersonalOptions,
} from "../../dataset/personal_data.ts";
import type { FilterKind, TextFilter } from "./filter.ts";

const WORDS: Readonly<Record<PersonalKind, string>> = {
  email: "an e-mail address",
  iban: "an international bank account number",
  card: "a card's number",
  account: "an account number",
  ip: "an IP address",
  phone: "a telephone number",
  name: "a person's name",
  place: "a place",
};

/** The row in the table of filters. */
export const personalData: FilterKind = {
  name: "personalData",
  summary:
    "e-mail addresses, numbers of accounts, cards and telephones, IP addresses, names, places",
  reads: ["prompt", "answer"],
};

/**
 * Makes a filter of personal data. It finds and misses what `findPersonalData()` of `tunebook/data` does.
 *
 * @param options The kinds to look for; all by default.
 * @returns The filter.
 * @throws {TypeError} If there is an unknown option.
 * @throws {RangeError} If there is no such kind.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { personalDataFilter } from "tunebook/eval";
 *
 * const [finding] = personalDataFilter({ kinds: ["email"] }).find("I am ana@example.org.");
 * assertEquals([finding.start, finding.end, finding.reason], [5, 20, "has an e-mail address"]);
 * ```
 */
export function personalDataFilter(options: PersonalOptions = {}): TextFilter {
  const { kinds = PERSONAL_KINDS } = options;
  findPersonalData("", options); // checks the options before the first text
  return {
    signature: `${personalData.name}|kinds:${[...kinds].sort().join(",")}`,
    ...{ name: personalData.name, reads: personalData.reads, masks: true },
    find: (text) =>
      findPersonalData(text, options).map(({ kind, start, end }) => ({
        ...{ filter: personalData.name, start, end },
        reason: `has ${WORDS[kind]}`,
        mask: `[${kind.toUpperCase()}]`,
      })),
  };
}
