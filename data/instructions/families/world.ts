/**
 * Families about facts: groups of things, countries, animals, jobs.
 *
 * @module
 */

import { groupOf, groups, related, withArticle } from "../../lexicon/nouns.ts";
import { countries, days, elements, jobs, months, sounds, young } from "../../lexicon/world.ts";
import type { Family, Item } from "./family.ts";

/** Words with the groups that they belong to. */
export const members: readonly (readonly [string, string])[] = Object.entries(groups).flatMap((
  [group, nouns],
) => nouns.map((noun) => [noun, group] as const));

/** A group as it stands after "is": "a fruit", "furniture", "a part of the body". */
export function groupPhrase(group: string): string {
  return group.startsWith("piece of ") ? `a ${group}` : withArticle(group);
}

/** The families about facts. */
export const worldFamilies: readonly Family[] = [
  {
    name: "group",
    about: "The group that a thing belongs to",
    count: 18,
    wordings: [
      { instruction: "What kind of thing is {a}?" },
      { instruction: "Name the group that this belongs to.", input: "Word: {noun}" },
    ],
    answer: "The word {noun} stands for a kind of {b}.",
    balance: ({ fields }) => fields.b,
    items: () =>
      members.filter(([, group]) => group !== "part of the body").map(([noun, group]) => ({
        key: noun,
        fields: { noun, a: withArticle(noun), b: group.replace("piece of ", "") },
      })),
  },
  {
    name: "yes-no",
    about: "Whether a thing belongs to a group, with half of the answers no",
    count: 24,
    wordings: [
      { instruction: "Is {a} {b}?" },
      { instruction: "Answer yes or no: is {a} {b}?" },
    ],
    answer: "{c}",
    balance: ({ fields }) => fields.c.slice(0, 3),
    items: (random) => {
      const all = random.shuffle(members);
      return all.map(([noun, group], i): Item => {
        const a = withArticle(noun);
        const yes = i % 2 === 0;
        const asked = yes ? group : random.pick(
          Object.keys(groups).filter((other) => !related(other, groupOf(noun)!)),
        );
        const b = groupPhrase(asked);
        return {
          key: noun,
          fields: { a, b, c: yes ? `Yes, ${a} is ${b}.` : `No, ${a} is not ${b}.` },
        };
      });
    },
  },
  {
    name: "capital",
    about: "The capital city of a country",
    count: 18,
    wordings: [
      { instruction: "Name the capital city of {a}." },
      { instruction: "Which city is the capital of this country?", input: "Country: {a}" },
    ],
    answer: "The capital city of {a} is {b}.",
    items: () =>
      countries.map(({ country, capital }) => ({
        key: country,
        fields: { a: country, b: capital },
      })),
  },
  {
    name: "continent",
    about: "The continent that a country lies in",
    count: 12,
    wordings: [
      { instruction: "On which continent is {a}?" },
      { instruction: "Name the continent of this country.", input: "Country: {a}" },
    ],
    answer: "The country {a} is on the continent of {b}.",
    balance: ({ fields }) => fields.b,
    items: () =>
      countries.filter(({ country }) => !country.startsWith("the ")).map((
        { country, continent },
      ) => ({
        key: country,
        fields: { a: country, b: continent },
      })),
  },
  {
    name: "element",
    about: "The symbol of a chemical element",
    count: 10,
    wordings: [
      { instruction: "Give the chemical symbol of {a}." },
      { instruction: "Write the symbol of this element.", input: "Element: {a}" },
    ],
    answer: "The chemical symbol of {a} is {b}.",
    items: () =>
      elements.map(({ name, symbol }) => ({ key: name, fields: { a: name, b: symbol } })),
  },
  {
    name: "young-animal",
    about: "What a young animal is called",
    count: 10,
    wordings: [
      { instruction: "What is a young {a} called?" },
      { instruction: "Give the name for the young of this animal.", input: "Animal: {a}" },
    ],
    answer: "A young {a} is called {b}.",
    items: () =>
      young.map(({ animal, young }) => ({
        key: animal,
        fields: { a: animal, b: withArticle(young) },
      })),
  },
  {
    name: "animal-sound",
    about: "The animal that makes a sound",
    count: 8,
    wordings: [
      { instruction: "Which animal {b}?" },
      { instruction: "Name the animal that {b}." },
    ],
    answer: "The animal that {b} is the {a}.",
    items: () =>
      sounds.map(({ animal, sound }) => ({ key: animal, fields: { a: animal, b: sound } })),
  },
  {
    name: "job",
    about: "Who does a job",
    count: 12,
    wordings: [
      { instruction: "Who {b}?" },
      { instruction: "Name the person whose job is to {c}." },
    ],
    answer: "A person who {b} is {a}.",
    items: () =>
      jobs.map(({ job, does, todo }) => ({
        key: job,
        fields: { a: withArticle(job), b: does, c: todo },
      })),
  },
  {
    name: "next-in-order",
    about: "The day or month that comes next",
    count: 8,
    wordings: [
      { instruction: "What comes right after {a}?" },
      { instruction: "Which day or month comes next?", input: "Now: {a}" },
    ],
    answer: "Right after {a} comes {b}.",
    items: () =>
      [days, months].flatMap((names) =>
        names.map((name, i) => ({
          key: name,
          fields: { a: name, b: names[(i + 1) % names.length] },
        }))
      ),
  },
];
