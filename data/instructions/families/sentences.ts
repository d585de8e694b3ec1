/**
 * Families that change a sentence or read something out of it.
 *
 * @module
 */

import { groups, plural, pluralNouns } from "../../lexicon/nouns.ts";
import { people, roles } from "../../lexicon/people.ts";
import type { Random } from "../../lexicon/random.ts";
import { capital } from "../../lexicon/table.ts";
import { type Action, actions, deeds, type Verb } from "../../lexicon/verbs.ts";
import { distinct, type Family } from "./family.ts";

/** Who does something, what it is, and to what. */
export interface Scene {
  subject: string;
  verb: Verb;
  rest: string;
}

/** Draws a scene with a person as its subject: "Tom", "bake", "a cake". */
export function drawScene(random: Random): Scene {
  const action: Action = random.pick(actions);
  const subject = random.below(4) === 0
    ? `the ${random.pick(roles)}`
    : random.below(3) === 0
    ? random.pick(["he", "she"])
    : random.pick(people).name;
  return { subject, verb: action.verb, rest: random.pick(action.rests) };
}

/** Draws two different living things and what one does to the other. */
export function drawDeed(random: Random): { agent: string; verb: Verb; other: string } {
  const [agent, other] = random.sample([...groups.animal, ...roles], 2);
  return { agent, verb: random.pick(deeds), other };
}

const countedThings = [
  "apples",
  "books",
  "eggs",
  "pens",
  "cups",
  "stars",
  "cars",
  "coins",
  "balls",
];

/** The families about sentences. */
export const sentenceFamilies: readonly Family[] = [
  {
    name: "sentence-to-past",
    about: "A sentence put in the past tense",
    count: 14,
    wordings: [
      { instruction: "Rewrite this sentence in the past tense.", input: "{a}" },
      { instruction: "Change the sentence to the past tense.", input: "{a}" },
    ],
    answer: "{b}",
    items: (random) =>
      distinct(60, () => {
        const { subject, verb, rest } = drawScene(random);
        return {
          key: `${subject} ${verb.base} ${rest}`,
          fields: {
            a: capital(`${subject} ${verb.third} ${rest}.`),
            b: capital(`${subject} ${verb.past} ${rest}.`),
          },
        };
      }),
  },
  {
    name: "negation",
    about: "A sentence made negative",
    count: 12,
    wordings: [
      { instruction: "Make this sentence negative.", input: "{a}" },
      { instruction: "Rewrite the sentence so that it says the opposite with not.", input: "{a}" },
    ],
    answer: "{b}",
    items: (random) =>
      distinct(60, () => {
        const { subject, verb, rest } = drawScene(random);
        return {
          key: `${subject} ${verb.base} ${rest}`,
          fields: {
            a: capital(`${subject} ${verb.third} ${rest}.`),
            b: capital(`${subject} does not ${verb.base} ${rest}.`),
          },
        };
      }),
  },
  {
    name: "question",
    about: "A statement turned into a question",
    count: 12,
    wordings: [
      { instruction: "Turn this sentence into a question.", input: "{a}" },
      { instruction: "Rewrite this statement as a question.", input: "{a}" },
    ],
    answer: "{b}",
    items: (random) =>
      distinct(60, () => {
        const { subject, verb, rest } = drawScene(random);
        return {
          key: `${subject} ${verb.base} ${rest}`,
          fields: {
            a: capital(`${subject} can ${verb.base} ${rest}.`),
            b: `Can ${subject} ${verb.base} ${rest}?`,
          },
        };
      }),
  },
  {
    name: "passive",
    about: "An active sentence put in the passive voice",
    count: 12,
    wordings: [
      { instruction: "Rewrite this sentence in the passive voice.", input: "{a}" },
      { instruction: "Change the active sentence into a passive one.", input: "{a}" },
    ],
    answer: "{b}",
    items: (random) =>
      distinct(60, () => {
        const { agent, verb, other } = drawDeed(random);
        return {
          key: `${agent} ${verb.base} ${other}`,
          fields: {
            a: `The ${agent} ${verb.past} the ${other}.`,
            b: `The ${other} was ${verb.participle} by the ${agent}.`,
          },
        };
      }),
  },
  {
    name: "who",
    about: "Which of two people a short text says something about",
    count: 12,
    wordings: [
      { instruction: "Read the text. Who has the {thing}?", input: "{text}" },
      { instruction: "Find the person who has the {thing}.", input: "{text}" },
    ],
    answer: "The person with the {thing} is {who}.",
    items: (random) =>
      distinct(40, () => {
        const [first, second] = random.sample(people, 2);
        const [mine, yours] = random.sample(groups["piece of clothing"], 2);
        const asked = random.below(2);
        return {
          key: `${first.name} ${mine} ${second.name} ${yours}`,
          fields: {
            text: `${first.name} has the ${mine}. ${second.name} has the ${yours}.`,
            thing: asked ? yours : mine,
            who: asked ? second.name : first.name,
          },
        };
      }),
  },
  {
    name: "find-number",
    about: "The number that a sentence names",
    count: 10,
    wordings: [
      { instruction: "Find the number in this sentence.", input: "{text}" },
      { instruction: "Which number does the sentence name?", input: "{text}" },
    ],
    answer: "The number in the sentence is {n}.",
    items: (random) =>
      distinct(40, () => {
        const n = random.between(3, 60);
        const { name } = random.pick(people);
        const { past } = random.pick(
          deeds.filter(({ base }) => ["see", "find", "carry"].includes(base)),
        );
        return {
          key: `${name} ${past} ${n}`,
          fields: { text: `${name} ${past} ${n} ${random.pick(countedThings)}.`, n: `${n}` },
        };
      }),
  },
  {
    name: "more-than-one",
    about: "A sentence about one thing turned into one about many",
    count: 8,
    wordings: [
      { instruction: "Rewrite the sentence with the noun in the plural.", input: "{a}" },
      { instruction: "Make the subject of this sentence plural.", input: "{a}" },
    ],
    answer: "{b}",
    items: (random) =>
      distinct(40, () => {
        const noun = random.pick(pluralNouns);
        const adjective = random.pick(["small", "old", "new", "big", "clean", "beautiful", "lost"]);
        return {
          key: noun,
          fields: { a: `The ${noun} is ${adjective}.`, b: `The ${plural(noun)} are ${adjective}.` },
        };
      }),
  },
];
