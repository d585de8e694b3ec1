/**
 * Plain facts in many wordings, none of which is a wording of the instruction set.
 *
 * @module
 */

import { fill } from "../../instructions/families/family.ts";
import { reversedLetters, spellable } from "../../instructions/families/words.ts";
import { groupPhrase, members } from "../../instructions/families/world.ts";
import { degrees, opposites, synonyms } from "../../lexicon/adjectives.ts";
import {
  article,
  articleNouns,
  groups,
  plural,
  pluralNouns,
  related,
  shortNouns,
  withArticle,
} from "../../lexicon/nouns.ts";
import { inWords, units } from "../../lexicon/numbers.ts";
import { people } from "../../lexicon/people.ts";
import { Deck, type Random } from "../../lexicon/random.ts";
import { misspellings } from "../../lexicon/spelling.ts";
import { capital } from "../../lexicon/table.ts";
import { pastVerbs } from "../../lexicon/verbs.ts";
import * as world from "../../lexicon/world.ts";

type Fields = Record<string, string>;

/** Facts of one kind and the ways to tell them. */
export interface FactKind {
  name: string;
  /** How much of the corpus it gets, beside the other kinds. */
  weight: number;
  facts: readonly Fields[];
  /** Headings for a list of such facts. */
  titles: readonly string[];
  /** A line of that list. */
  line: string;
  /** Sentences; `{a}` comes before what is to be known of it wherever English allows. */
  sentences: readonly string[];
  /** A question and its answer in a talk. */
  talk: readonly (readonly [string, string])[];
}

function range(low: number, high: number): number[] {
  return Array.from({ length: high - low + 1 }, (_, i) => low + i);
}

const sums = range(1, 10).flatMap((a) => range(1, 10).map((b) => [a, b] as const));

/** Every kind of plain fact. */
export const factKinds: readonly FactKind[] = [
  {
    name: "opposites",
    weight: 10,
    facts: opposites.flatMap(([a, b]) => [{ a, b }, { a: b, b: a }]),
    titles: ["Opposites", "Words and their opposites"],
    line: "{a}: {b}",
    sentences: [
      "The word {a} has the opposite {b}.",
      "As an opposite of {a} we know {b}.",
      "If it is not {a}, it is {b}.",
      "The words {a} and {b} are opposites.",
    ],
    talk: [["What is not {a}", "It is {b}"]],
  },
  {
    name: "synonyms",
    weight: 5,
    facts: synonyms.map(([a, b]) => ({ a, b })),
    titles: ["Words that mean the same"],
    line: "{a}: {b}",
    sentences: [
      "The word {a} means {b}.",
      "Instead of {a} we can say {b}.",
      "When people say {a}, they mean {b}.",
    ],
    talk: [["What does {a} mean", "It means {b}"]],
  },
  {
    name: "plurals",
    weight: 7,
    facts: pluralNouns.map((a) => ({ a, b: plural(a), an: article(a) })),
    titles: ["One and many", "Plurals"],
    line: "{a}: {b}",
    sentences: [
      "First one {a}, then two {b}.",
      "In the plural, {a} turns into {b}.",
      "I see {an} {a}, and you see many {b}.",
    ],
    talk: [["Here is one {a}. And there", "There are two {b}"]],
  },
  {
    name: "past tense",
    weight: 7,
    facts: pastVerbs.map(({ base, past }) => ({ a: base, b: past })),
    titles: ["Verbs and their past", "Today and yesterday"],
    line: "{a}: {b}",
    sentences: [
      "Today they {a}, and yesterday they {b}.",
      "The verb {a} becomes {b} in the past.",
      "Now we {a}, but last year we {b}.",
    ],
    talk: [["Today I {a}. And yesterday", "Yesterday you {b}"]],
  },
  {
    name: "degrees",
    weight: 4,
    facts: degrees.map(([a, b, c]) => ({ a, b, c })),
    titles: ["Comparing"],
    line: "{a}: {b}, {c}",
    sentences: [
      "This one is {a}, but that one is {b}.",
      "The adjective {a} becomes {b} when we compare.",
      "Mine is {a}, yours is {b}, and hers is the {c}.",
    ],
    talk: [["This one is {a}. And that", "That one is {b}"]],
  },
  {
    name: "articles",
    weight: 4,
    facts: articleNouns.map((a) => ({ a, b: `${article(a)} ${a}` })),
    titles: ["With an article"],
    line: "{a}: {b}",
    sentences: [
      "The noun {a} is used like this: {b}.",
      "With its article, {a} is {b}.",
      "Instead of one {a} we say {b}.",
    ],
    talk: [["Which article goes with {a}", "We say {b}"]],
  },
  {
    name: "first letters",
    weight: 3,
    facts: shortNouns.map((a) => ({ a, b: a[0] })),
    titles: ["First letters"],
    line: "{a}: {b}",
    sentences: [
      "The first letter of {a} is {b}.",
      "The word {a} begins with {b}.",
      "We write {a} with {b} in front.",
    ],
    talk: [["How does {a} begin", "It begins with {b}"]],
  },
  {
    name: "letter counts",
    weight: 3,
    facts: shortNouns.map((a) => ({ a, b: `${a.length}` })),
    titles: ["Letters in words"],
    line: "{a}: {b} letters",
    sentences: [
      "To write {a} we need {b} letters.",
      "The word {a} is made of {b} letters.",
      "If you spell {a}, you need {b} letters.",
    ],
    talk: [["How long is the word {a}", "It is {b} letters long"]],
  },
  {
    name: "letters backwards",
    weight: 3,
    facts: spellable.map((a) => ({ a, s: [...a].join("-"), b: reversedLetters(a) })),
    titles: ["Words read from the end"],
    line: "{a}: {b}",
    sentences: [
      "From the end, the word {a} is {b}.",
      "The word {a} is spelled {s}, and turned around it is {b}.",
      "Turn {a} around and read {b}.",
    ],
    talk: [["Can you turn {a} around", "It is {b}"]],
  },
  {
    name: "spelling",
    weight: 5,
    facts: misspellings.map(([a, b]) => ({ a, b })),
    titles: ["Common slips of the pen"],
    line: "{a}: {b}",
    sentences: [
      "Do not write {a} but {b}.",
      "The misspelled word {a} is really {b}.",
      "Instead of {a} we write {b}.",
    ],
    talk: [["Is it spelled {a}", "No, it is spelled {b}"]],
  },
  {
    name: "groups",
    weight: 7,
    facts: members.map(([noun, group]) => ({
      noun,
      a: withArticle(noun),
      b: groupPhrase(group),
      c: group.replace("piece of ", ""),
    })),
    titles: ["Things and their groups"],
    line: "{noun}: {c}",
    sentences: [
      "We know that {a} is {b}.",
      "The word {noun} names {b}.",
      "Everyone calls {a} {b}.",
    ],
    talk: [["What can you say about {a}", "I know that {a} is {b}"]],
  },
  {
    name: "not in the group",
    weight: 4,
    facts: members.flatMap(([noun, group]) =>
      Object.keys(groups).filter((other) => !related(group, other)).map((other) => ({
        a: withArticle(noun),
        b: groupPhrase(group),
        c: groupPhrase(other),
      }))
    ),
    titles: ["This and not that"],
    line: "{a}: {b}, not {c}",
    sentences: [
      "We know that {a} is {b} and not {c}.",
      "It is not true that {a} is {c}.",
      "Is {a} really {c}? No, {a} is {b}.",
      "Is {a} really {b}? Yes, and it is not {c}.",
    ],
    talk: [["Do you think that {a} is {c}", "No, {a} is {b}"], [
      "Do you think that {a} is {b}",
      "Yes, I think that it is {b}",
    ]],
  },
  {
    name: "capitals",
    weight: 5,
    facts: world.countries.map(({ country, capital }) => ({ a: country, b: capital })),
    titles: ["Countries and capitals"],
    line: "{a}: {b}",
    sentences: [
      "The capital of {a} is {b}.",
      "In {a}, the capital is {b}.",
      "Who visits {a} should see the capital, {b}.",
    ],
    talk: [["Do you know the capital of {a}", "It is {b}"]],
  },
  {
    name: "continents",
    weight: 4,
    facts: world.countries.map(({ country, continent }) => ({ a: country, b: continent })),
    titles: ["Countries and continents"],
    line: "{a}: {b}",
    sentences: [
      "The country of {a} lies in {b}.",
      "Who travels to {a} travels to {b}.",
      "On the map, {a} is part of the continent {b}.",
    ],
    talk: [["Where is {a}", "It is in {b}"]],
  },
  {
    name: "elements",
    weight: 3,
    facts: world.elements.map(({ name, symbol }) => ({ a: name, b: symbol })),
    titles: ["Elements and symbols"],
    line: "{a}: {b}",
    sentences: [
      "The element {a} has the symbol {b}.",
      "In chemistry, {a} is written {b}.",
      "The chemical sign of {a} is {b}.",
    ],
    talk: [["How is {a} written in chemistry", "It is written {b}"]],
  },
  {
    name: "young animals",
    weight: 2,
    facts: world.young.map(({ animal, young }) => ({ a: animal, b: young, c: withArticle(young) })),
    titles: ["Animals and their young"],
    line: "{a}: {b}",
    sentences: [
      "The young of the {a} is the {b}.",
      "A mother {a} has {c}.",
      "The baby of the {a} is {c}.",
    ],
    talk: [["What is the baby of the {a}", "It is {c}"]],
  },
  {
    name: "animal sounds",
    weight: 3,
    facts: world.sounds.map(({ animal, sound }) => ({ a: sound, b: animal })),
    titles: ["Animal sounds"],
    line: "{a}: {b}",
    sentences: [
      "If it {a}, it is the {b}.",
      "Which one {a}? It is the {b}.",
      "When it {a}, we know that it is the {b}.",
    ],
    talk: [["It {a}. What is it", "It is the {b}"]],
  },
  {
    name: "animal homes",
    weight: 1,
    facts: world.homes.map(({ animal, home }) => ({ a: animal, b: home })),
    titles: ["Where animals live"],
    line: "{a}: {b}",
    sentences: ["We find the {a} {b}.", "The home of the {a} is {b}."],
    talk: [["Where does the {a} live", "It lives {b}"]],
  },
  {
    name: "legs",
    weight: 1,
    facts: world.legs.map(({ animal, legs }) => ({ a: animal, b: legs })),
    titles: ["Legs of animals"],
    line: "{a}: {b}",
    sentences: ["The {a} has {b} legs."],
    talk: [["How many legs does the {a} have", "It has {b} legs"]],
  },
  {
    name: "jobs",
    weight: 4,
    facts: world.jobs.map(({ job, does, todo }) => ({
      a: does,
      b: job,
      an: withArticle(job),
      todo,
    })),
    titles: ["People at work"],
    line: "{todo}: {b}",
    sentences: [
      "The one who {a} is the {b}.",
      "Whoever {a} is {an}.",
      "To {todo} is the work of {an}.",
    ],
    talk: [["I like to {todo}. What should I become", "You should become {an}"]],
  },
  {
    name: "colors",
    weight: 1,
    facts: world.colors.map(({ thing, color, mass }) => ({
      a: mass ? thing : `${article(thing)} ${thing}`,
      b: color,
    })),
    titles: ["Colors of things"],
    line: "{a}: {b}",
    sentences: ["The color of {a} is {b}.", "We know that {a} is {b}."],
    talk: [["What is the color of {a}", "It is {b}"]],
  },
  {
    name: "uses",
    weight: 1,
    facts: world.uses.map(({ thing, use }) => ({ a: withArticle(thing), b: use })),
    titles: ["What things are for"],
    line: "{a}: {b}",
    sentences: ["We use {a} for {b}.", "For {b} you need {a}."],
    talk: [["Why do you need {a}", "I need it for {b}"]],
  },
  {
    name: "days and months",
    weight: 3,
    facts: [world.days, world.months].flatMap((names) =>
      names.map((a, i) => ({ a, b: names[(i + 1) % names.length] }))
    ),
    titles: ["And then"],
    line: "{a}: {b}",
    sentences: ["First we have {a}, then {b}.", "When {a} is over, it is {b}."],
    talk: [["What follows {a}", "It is {b}"]],
  },
  {
    name: "sums",
    weight: 7,
    facts: sums.map(([a, b]) => ({ a: `${a}`, b: `${b}`, c: `${a + b}` })),
    titles: ["Sums", "Adding"],
    line: "{a} + {b} = {c}",
    sentences: [
      "We add {a} and {b} and get {c}.",
      "Together, {a} and {b} make {c}.",
      "If you have {a} and get {b} more, you have {c}.",
    ],
    talk: [["How much are {a} and {b}", "Together they are {c}"]],
  },
  {
    name: "differences",
    weight: 6,
    facts: sums.map(([a, b]) => ({ a: `${a + b}`, b: `${b}`, c: `${a}` })),
    titles: ["Differences", "Taking away"],
    line: "{a} - {b} = {c}",
    sentences: [
      "We take from {a} the number {b} and get {c}.",
      "If you have {a} and lose {b}, you have {c}.",
      "We know that {a} minus {b} is {c}.",
    ],
    talk: [["I had {a} and lost {b}. How many are left", "You have {c}"]],
  },
  {
    name: "products",
    weight: 5,
    facts: range(2, 9).flatMap((a) =>
      range(2, 9).map((b) => ({ a: `${a}`, b: `${b}`, c: `${a * b}` }))
    ),
    titles: ["Times tables", "Products"],
    line: "{a} x {b} = {c}",
    sentences: [
      "We know that {a} times {b} is {c}.",
      "We multiply {a} by {b} and get {c}.",
      "In all, {a} rows of {b} make {c}.",
    ],
    talk: [["How much is {a} times {b}", "It is {c}"]],
  },
  {
    name: "even and odd",
    weight: 3,
    facts: range(1, 60).map((n) => ({ a: `${n}`, b: n % 2 ? "odd" : "even" })),
    titles: ["Even and odd"],
    line: "{a}: {b}",
    sentences: [
      "We call {a} {b}.",
      "We know that {a} is {b}.",
      "If you halve {a}, you see that it is {b}.",
    ],
    talk: [["What can you say about {a}", "It is {b}"]],
  },
  {
    name: "numbers in words",
    weight: 4,
    facts: range(2, 60).map((n) => ({ a: `${n}`, b: inWords(n) })),
    titles: ["Numbers in words"],
    line: "{a}: {b}",
    sentences: ["We read {a} as {b}.", "In words, {a} is {b}.", "For {a} we say {b}."],
    talk: [["How do you read {a}", "I read {b}"]],
  },
  {
    name: "neighbors of numbers",
    weight: 3,
    facts: range(1, 60).map((n) => ({ a: `${n}`, b: `${n + 1}` })),
    titles: ["Counting on"],
    line: "{a}: {b}",
    sentences: [
      "After {a} we count {b}.",
      "One more than {a} is {b}.",
      "From {a} we go on to {b}.",
    ],
    talk: [["What do you count after {a}", "I count {b}"]],
  },
  {
    name: "units",
    weight: 7,
    facts: units.flatMap(({ from, to, factor }) =>
      range(2, 9).map((n) => ({ a: `${n} ${from}`, b: `${n * factor} ${to}` }))
    ),
    titles: ["Units", "Measuring"],
    line: "{a}: {b}",
    sentences: [
      "We know that {a} are {b}.",
      "We can write {a} as {b}.",
      "All in all, {a} make {b}.",
    ],
    talk: [["How much are {a}", "They are {b}"]],
  },
];

/** Tells facts of one kind, each fact as often as any other. */
export class FactTeller {
  #kind: FactKind;
  #facts: Deck<Fields>;
  #random: Random;

  constructor(kind: FactKind, random: Random) {
    this.#kind = kind;
    this.#random = random;
    this.#facts = new Deck(kind.facts, random);
  }

  /** A document with several facts: a list, prose, a talk, or each fact said in several ways. */
  document(): string {
    const random = this.#random;
    const form = random.below(10);
    if (form < 3) return this.#list();
    if (form < 7) return this.#prose(random.between(6, 9));
    return form === 7 ? this.#talk() : this.#drill();
  }

  /** One sentence, for mixed documents. */
  sentence(): string {
    return capital(fill(this.#random.pick(this.#kind.sentences), this.#facts.deal()));
  }

  #list(): string {
    // The dash keeps a blank before the word, where its token is the one of running text.
    const lines = Array.from(
      { length: this.#random.between(8, 12) },
      () => `- ${fill(this.#kind.line, this.#facts.deal())}`,
    );
    return [this.#random.pick(this.#kind.titles), ...lines].join("\n");
  }

  #prose(count: number): string {
    return Array.from({ length: count }, () => this.sentence()).join(" ");
  }

  #talk(): string {
    const random = this.#random;
    return Array.from({ length: random.between(3, 5) }, () => {
      const fields = this.#facts.deal();
      const [question, answer] = random.pick(this.#kind.talk);
      const [asks, answers] = random.sample(people, 2);
      return `"${capital(fill(question, fields))}?" asked ${asks.name}. ` +
        `"${capital(fill(answer, fields))}," said ${answers.name}.`;
    }).join("\n");
  }

  #drill(): string {
    const random = this.#random;
    return Array.from({ length: 3 }, () => {
      const fields = this.#facts.deal();
      return random.shuffle(this.#kind.sentences).slice(0, 3)
        .map((sentence) => capital(fill(sentence, fields))).join(" ");
    }).join("\n");
  }
}
