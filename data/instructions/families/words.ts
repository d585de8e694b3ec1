/**
 * Families about single words: meanings, forms, letters.
 *
 * @module
 */

import { degrees, opposites, synonyms } from "../../lexicon/adjectives.ts";
import {
  article,
  articleNouns,
  groups,
  isIrregular,
  plural,
  pluralNouns,
  shortNouns,
} from "../../lexicon/nouns.ts";
import { misspellings } from "../../lexicon/spelling.ts";
import { pastVerbs } from "../../lexicon/verbs.ts";
import type { Random } from "../../lexicon/random.ts";
import { distinct, type Family } from "./family.ts";

/** Words of three letters, which are spelled out one by one. */
export const spellable: readonly string[] = shortNouns.filter((noun) => noun.length === 3);

/** The letters of a word from last to first, joined by hyphens: "cat" gives "t-a-c". */
export function reversedLetters(text: string): string {
  return [...text].reverse().join("-");
}

/** The families about single words. */
export const wordFamilies: readonly Family[] = [
  {
    name: "opposite",
    about: "The opposite of a common word",
    count: 22,
    wordings: [
      { instruction: "Give the opposite of the word {a}." },
      { instruction: "Write the opposite of this word.", input: "Word: {a}" },
      { instruction: "Which word means the opposite of {a}?" },
    ],
    answer: "The opposite of {a} is {b}.",
    // A pair of opposites is one item whichever way it is asked, so the key has no direction.
    items: (random) =>
      opposites.map(([x, y]) => {
        const [a, b] = random.below(2) ? [x, y] : [y, x];
        return { key: [x, y].sort().join("/"), fields: { a, b } };
      }),
  },
  {
    name: "synonym",
    about: "Another word of like meaning (one of several that would do)",
    count: 16,
    wordings: [
      { instruction: "Give another word for {a}." },
      { instruction: "Find a word with the same meaning.", input: "Word: {a}" },
    ],
    answer: "Another word for {a} is {b}.",
    items: () => synonyms.map(([a, b]) => ({ key: a, fields: { a, b } })),
  },
  {
    name: "plural",
    about: "The plural of a noun, regular or not",
    count: 22,
    wordings: [
      { instruction: "Give the plural of the noun {a}." },
      { instruction: "Write this noun in the plural.", input: "Noun: {a}" },
    ],
    answer: "The plural of {a} is {b}.",
    balance: ({ fields }) => isIrregular(fields.a) ? "irregular" : "regular",
    items: () => pluralNouns.map((a) => ({ key: a, fields: { a, b: plural(a) } })),
  },
  {
    name: "past-tense",
    about: "The past tense of a verb, regular or not",
    count: 24,
    wordings: [
      { instruction: "Give the past tense of the verb {a}." },
      { instruction: "Put this verb in the past tense.", input: "Verb: {a}" },
    ],
    answer: "The past tense of {a} is {b}.",
    balance: ({ fields }) => fields.b.endsWith("ed") ? "regular" : "irregular",
    items: () =>
      pastVerbs.map((verb) => ({ key: verb.base, fields: { a: verb.base, b: verb.past } })),
  },
  {
    name: "comparative",
    about: "The comparative of an adjective",
    count: 14,
    wordings: [
      { instruction: "Give the comparative form of {a}." },
      { instruction: "Write the comparative of this adjective.", input: "Adjective: {a}" },
    ],
    answer: "The comparative of {a} is {b}.",
    items: () => degrees.map(([a, b]) => ({ key: a, fields: { a, b } })),
  },
  {
    name: "article",
    about: "a or an before a noun",
    count: 12,
    wordings: [
      { instruction: "Does the noun {a} take a or an?" },
      { instruction: "Choose a or an for this noun.", input: "Noun: {a}" },
    ],
    answer: "The right form is {b} {a}.",
    balance: ({ fields }) => fields.b,
    items: () => articleNouns.map((a) => ({ key: a, fields: { a, b: article(a) } })),
  },
  {
    name: "first-letter",
    about: "The first letter of a word",
    count: 12,
    wordings: [
      { instruction: "What letter does the word {a} start with?" },
      { instruction: "Name the first letter of this word.", input: "Word: {a}" },
    ],
    answer: "The word {a} starts with {b}.",
    items: () => shortNouns.map((a) => ({ key: a, fields: { a, b: a[0] } })),
  },
  {
    name: "letter-count",
    about: "How many letters a word has",
    count: 12,
    wordings: [
      { instruction: "How many letters are in the word {a}?" },
      { instruction: "Count the letters of this word.", input: "Word: {a}" },
    ],
    answer: "The word {a} has {b} letters.",
    balance: ({ fields }) => fields.b,
    items: () => shortNouns.map((a) => ({ key: a, fields: { a, b: String(a.length) } })),
  },
  {
    name: "reverse-word",
    about: "A word of three letters spelled from its last letter to its first",
    count: 10,
    wordings: [
      { instruction: "Spell the word {a} backwards." },
      { instruction: "Reverse the letters of this word.", input: "Word: {a}" },
    ],
    answer: "Backwards, the word {a} is spelled {b}.",
    items: () => spellable.map((a) => ({ key: a, fields: { a, b: reversedLetters(a) } })),
  },
  {
    name: "reverse-list",
    about: "Three words in the opposite order",
    count: 12,
    wordings: [
      { instruction: "Put these words in reverse order.", input: "Words: {a}" },
      { instruction: "Reverse the order of this list: {a}" },
    ],
    answer: "In reverse order: {b}",
    items: (random) =>
      distinct(40, () => {
        const three = random.sample(shortNouns, 3);
        return {
          key: three.join(" "),
          fields: { a: three.join(", "), b: three.toReversed().join(", ") },
        };
      }),
  },
  {
    name: "sort-words",
    about: "Three words in alphabetical order",
    count: 10,
    wordings: [
      { instruction: "Sort these words in alphabetical order.", input: "Words: {a}" },
      { instruction: "Put this list in alphabetical order: {a}" },
    ],
    answer: "In alphabetical order: {b}",
    items: (random) =>
      distinct(40, () => {
        const three = differentInitials(random);
        const sorted = three.toSorted();
        return {
          key: sorted.join(" "),
          fields: { a: three.join(", "), b: sorted.join(", ") },
        };
      }),
  },
  {
    name: "spelling",
    about: "The right spelling of a word that is often misspelled",
    count: 18,
    wordings: [
      { instruction: "Correct the spelling of this word.", input: "Word: {a}" },
      { instruction: "The word {a} is misspelled. Write it correctly." },
    ],
    answer: "The word {a} should be spelled {b}.",
    items: () => misspellings.map(([a, b]) => ({ key: a, fields: { a, b } })),
  },
  {
    name: "odd-one-out",
    about: "The word that belongs to another group than the other three",
    count: 10,
    wordings: [
      { instruction: "Find the word that does not belong: {a}" },
      { instruction: "Which of these words is the odd one out?", input: "Words: {a}" },
    ],
    answer: "The odd one out is {b}.",
    items: (random) =>
      distinct(40, () => {
        const [group, other] = random.sample(unlikeGroups, 2);
        const odd = random.pick(groups[other]);
        const four = random.shuffle([...random.sample(groups[group], 3), odd]);
        return {
          key: four.toSorted().join(" "),
          fields: { a: four.join(", "), b: odd },
        };
      }),
  },
];

/** Three words with different first letters, so that the first letter decides their order. */
export function differentInitials(random: Random): string[] {
  while (true) {
    const three = random.sample(shortNouns, 3);
    if (new Set(three.map((noun) => noun[0])).size === 3) return three;
  }
}

/** Groups of which no two border on each other. */
export const unlikeGroups: readonly string[] = [
  "animal",
  "fruit",
  "vehicle",
  "piece of clothing",
  "musical instrument",
  "part of the body",
  "shape",
  "metal",
  "flower",
];
