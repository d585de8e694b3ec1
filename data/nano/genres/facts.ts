/**
 * Plain facts in many wordings, none of which is a wording of the instruction set.
 *
 * @module
 */

import { fill } from "../../instructions/families/family.ts";
import { countable, reversedLetters, spellable } from "../../instructions/families/words.ts";
import { groupPhrase, members } from "../../instructions/families/world.ts";
import { degrees, opposites, synonyms } from "../../lexicon/adjectives.ts";
import { article, countNouns, groups, plural, related, withArticle } from "../../lexicon/nouns.ts";
import { inWords, units } from "../../lexicon/numbers.ts";
import { people } from "../../lexicon/people.ts";
import { Deck, type Random } from "../../lexicon/random.ts";
import { misspellings } from "../../lexicon/spelling.ts";
import { capital } from "../../lexicon/table.ts";
import { verbs } from "../../lexicon/verbs.ts";
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

const sums = range(1, 20).flatMap((a) => range(1, 20).map((b) => [a, b] as const));

/** Every kind of plain fact. */
export const factKinds: readonly FactKind[] = [
  {
    name: "opposites",
    weight: 10,
    facts: opposites.flatMap(([a, b]) => [{ a, b }, { a: b, b: a }]),
    titles: ["Opposites", "Words and their opposites", "Not this but that"],
    line: "{a}: {b}",
    sentences: [
      "The word {a} has the opposite {b}.",
      "{A} is the opposite of {b}.",
      "{A} and {b} are opposites.",
      "The opposite word for {a}? It is {b}.",
      "Turn {a} around and you get {b}.",
      'The contrary of "{a}" is "{b}".',
      "Not {a} but {b}.",
    ],
    talk: [["Tell me the opposite of {a}", "{B}"], ["What is not {a}", "It is {b}"]],
  },
  {
    name: "synonyms",
    weight: 5,
    facts: synonyms.map(([a, b]) => ({ a, b })),
    titles: ["Words that mean the same", "Say it in other words"],
    line: "{a}: {b}",
    sentences: [
      "The word {a} means {b}.",
      "{A} means much the same as {b}.",
      "Instead of {a} we can say {b}.",
      '"{A}" is like "{b}".',
      "When people say {a}, they mean {b}.",
    ],
    talk: [["What does {a} mean", "It means {b}"]],
  },
  {
    name: "plurals",
    weight: 8,
    facts: countNouns.map((a) => ({ a, b: plural(a), an: article(a) })),
    titles: ["One and many", "From one to many", "Plurals"],
    line: "{a}: {b}",
    sentences: [
      "One {a}, two {b}.",
      "In the plural, {a} turns into {b}.",
      "I see {an} {a}, and you see many {b}.",
      "One is called {an} {a}, and more are called {b}.",
      "The word {a} becomes {b} when there are many.",
      "There is one {a} here, but there are ten {b} there.",
    ],
    talk: [["One {a}, and two", "Two {b}"]],
  },
  {
    name: "past tense",
    weight: 6,
    facts: verbs.map(({ base, past, participle, third }) => ({
      a: base,
      b: past,
      participle,
      third,
    })),
    titles: ["Verbs and their past", "Today and yesterday", "Past forms"],
    line: "{a}: {b}",
    sentences: [
      "Today they {a}, and yesterday they {b}.",
      "{A}, {b}, {participle}.",
      "The verb {a} becomes {b} in the past.",
      "Now we {a}, but last year we {b}.",
      "She {third} now; she {b} before.",
    ],
    talk: [["Today I {a}, and yesterday I", "Yesterday you {b}"]],
  },
  {
    name: "degrees",
    weight: 3,
    facts: degrees.map(([a, b, c]) => ({ a, b, c })),
    titles: ["Comparing", "More and most"],
    line: "{a}: {b}, {c}",
    sentences: [
      "{A}, {b}, {c}.",
      "This one is {a}, but that one is {b}.",
      "Mine is {a}, yours is {b}, and hers is the {c}.",
      "From {a} we make {b} and {c}.",
      "The comparative and superlative forms are {a}, {b}, {c}.",
      "The adjective {a} becomes {b} when we compare.",
    ],
    talk: [["This is {a}, and that is even", "Even {b}"]],
  },
  {
    name: "articles",
    weight: 3,
    facts: countNouns.map((a) => ({ a, b: `${article(a)} ${a}` })),
    titles: ["With an article", "A or an"],
    line: "{a}: {b}",
    sentences: ["The noun {a} is used like this: {b}.", "{A}? We say {b}.", "This is {b}."],
    talk: [["What is this", "This is {b}"]],
  },
  {
    name: "first letters",
    weight: 4,
    facts: countable.map((a) => ({ a, b: a[0] })),
    titles: ["First letters", "Words and how they begin"],
    line: "{a}: {b}",
    sentences: [
      "The first letter of {a} is {b}.",
      "{A} begins with the letter {b}.",
      "We write {a} with {b} at the front.",
    ],
    talk: [["How does {a} begin", "With {b}"]],
  },
  {
    name: "letter counts",
    weight: 4,
    facts: countable.map((a) => ({ a, b: `${a.length}`, s: [...a].join("-") })),
    titles: ["How long are the words", "Letters in words"],
    line: "{a}: {b} letters",
    sentences: [
      "{A} is a word of {b} letters.",
      "{A} is spelled {s}, which makes {b} letters.",
      "We need {b} letters to write {a}.",
      "To write {a} we need {b} letters.",
    ],
    talk: [["How long is the word {a}", "It is {b} letters long"]],
  },
  {
    name: "letters backwards",
    weight: 3,
    facts: spellable.map((a) => ({ a, s: [...a].join("-"), b: reversedLetters(a) })),
    titles: ["From the last letter to the first", "Words read from the end"],
    line: "{a}: {b}",
    sentences: [
      "{A} is spelled {s}; from the end it is {b}.",
      "From its last letter to its first, {a} reads {b}.",
      "{S} turned around is {b}.",
      "Turn {a} around: {b}.",
    ],
    talk: [["Read {a} from the end", "{b}"]],
  },
  {
    name: "spelling",
    weight: 5,
    facts: misspellings.map(([a, b]) => ({ a, b })),
    titles: ["Common slips of the pen", "Wrong and right"],
    line: "{a}: {b}",
    sentences: [
      "Some people write {a}, but the word is {b}.",
      "Not {a} but {b}.",
      "{A} is wrong; {b} is right.",
      "Do not write {a}. Write {b}.",
      "The misspelled word {a} should be {b}.",
      'Instead of "{a}" write "{b}".',
    ],
    talk: [["I wrote {a}", "You should write {b}"]],
  },
  {
    name: "groups",
    weight: 8,
    facts: members.map(([noun, group]) => ({
      noun,
      a: withArticle(noun),
      b: groupPhrase(group),
      c: group.replace("piece of ", ""),
    })),
    titles: ["What things are", "Things and their groups"],
    line: "{noun}: {c}",
    sentences: [
      "{A} is {b}.",
      "We call {a} {b}.",
      "What is {a}? It is {b}.",
      "{A} counts as {b}.",
      "The word {noun} names {b}.",
      "{A} belongs to a group of things: it is {b}.",
    ],
    talk: [["Tell me about {a}", "It is {b}"]],
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
      "{A} is {b} and not {c}.",
      "{A} is not {c}; it is {b}.",
      "Nobody would call {a} {c}.",
      "It is not true that {a} is {c}.",
    ],
    talk: [["I think that {a} is {c}", "It is not {c} but {b}"]],
  },
  {
    name: "capitals",
    weight: 5,
    facts: world.countries.map(({ country, capital, continent }) => ({
      a: country,
      b: capital,
      c: continent,
    })),
    titles: ["Countries and capitals", "Capital cities of the world"],
    line: "{a}: {b}",
    sentences: [
      "The capital of {a} is {b}.",
      "In {a}, the capital is {b}.",
      "{A} has the capital {b}.",
      "{A} is governed from {b}.",
      "People who visit {a} often begin in the capital, {b}.",
      "{B} is the capital of {a}, in {c}.",
    ],
    talk: [["Tell me the capital of {a}", "{b}"]],
  },
  {
    name: "continents",
    weight: 3,
    facts: world.countries.map(({ country, continent }) => ({ a: country, b: continent })),
    titles: ["Countries and continents", "Where countries lie"],
    line: "{a}: {b}",
    sentences: [
      "{A} lies in {b}.",
      "{A} is a country in {b}.",
      "Go to {a} and you are in {b}.",
      "{A} is part of the continent {b}.",
      "The country {a} belongs to {b}.",
    ],
    talk: [["Where is {a}", "In {b}"]],
  },
  {
    name: "elements",
    weight: 3,
    facts: world.elements.map(({ name, symbol }) => ({ a: name, b: symbol })),
    titles: ["Elements and symbols", "Signs of chemistry"],
    line: "{a}: {b}",
    sentences: [
      "The element {a} has the symbol {b}.",
      "In chemistry, {a} is written {b}.",
      "{A} is written {b}.",
      "The sign for {a} is {b}.",
      "The chemical sign of {a} is {b}.",
    ],
    talk: [["How do we write {a} in chemistry", "{b}"]],
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
      "When the {a} was little, it was {c}.",
    ],
    talk: [["What is the baby of the {a}", "It is {c}"]],
  },
  {
    name: "animal sounds",
    weight: 2,
    facts: world.sounds.map(({ animal, sound }) => ({ a: animal, b: sound })),
    titles: ["Animal sounds"],
    line: "{b}: {a}",
    sentences: [
      "The {a} {b}.",
      "If it {b}, it is the {a}.",
      "Listen how the {a} {b}!",
      "What {b}? The {a}.",
    ],
    talk: [["It {b}. What is it", "It is the {a}"]],
  },
  {
    name: "animal homes",
    weight: 1,
    facts: world.homes.map(({ animal, home }) => ({ a: animal, an: article(animal), b: home })),
    titles: ["Where animals live"],
    line: "{a}: {b}",
    sentences: ["{An} {a} lives {b}.", "Look for the {a} {b}.", "The home of the {a} is {b}."],
    talk: [["Where does the {a} live", "It lives {b}"]],
  },
  {
    name: "legs",
    weight: 1,
    facts: world.legs.map(({ animal, legs }) => ({ a: animal, an: article(animal), b: legs })),
    titles: ["Legs of animals"],
    line: "{a}: {b}",
    sentences: ["{An} {a} has {b} legs.", "The {a} has {b} legs."],
    talk: [["Count the legs of the {a}", "It has {b} legs"]],
  },
  {
    name: "jobs",
    weight: 3,
    facts: world.jobs.map(({ job, does, todo }) => ({
      a: withArticle(job),
      noun: job,
      b: does,
      c: todo,
    })),
    titles: ["People at work"],
    line: "{c}: {noun}",
    sentences: [
      "{A} {b}.",
      "The one who {b} is the {noun}.",
      "If your work is to {c}, you are {a}.",
      "To {c} is the work of {a}.",
      "I know someone who {b}: a good {noun}.",
    ],
    talk: [["I like to {c}", "Then you should become {a}"]],
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
    sentences: ["{A} is {b}.", "The color of {a} is {b}."],
    talk: [["Think of {a}. What color do you see", "I see {b}"]],
  },
  {
    name: "uses",
    weight: 2,
    facts: world.uses.map(({ thing, use }) => ({ a: withArticle(thing), b: use })),
    titles: ["What things are for"],
    line: "{a}: {b}",
    sentences: ["{A} is for {b}.", "We use {a} for {b}.", "For {b} you need {a}."],
    talk: [["Why do you need {a}", "For {b}"]],
  },
  {
    name: "days and months",
    weight: 1,
    facts: [world.days, world.months].flatMap((names) =>
      names.map((a, i) => ({ a, b: names[(i + 1) % names.length] }))
    ),
    titles: ["And then"],
    line: "{a}: {b}",
    sentences: ["{A} is followed by {b}.", "First {a}, then {b}.", "When {a} is over, {b} begins."],
    talk: [["{A} is over", "Then it is {b}"]],
  },
  {
    name: "sums",
    weight: 8,
    facts: sums.map(([a, b]) => ({ a: `${a}`, b: `${b}`, c: `${a + b}` })),
    titles: ["Sums", "Adding"],
    line: "{a} + {b} = {c}",
    sentences: [
      "{a} and {b} make {c}.",
      "{a} + {b} = {c}.",
      "{a} and {b} together are {c}.",
      "If you have {a} and get {b} more, you have {c}.",
    ],
    talk: [["How much are {a} and {b}", "{c}"]],
  },
  {
    name: "differences",
    weight: 5,
    facts: sums.filter(([a, b]) => a > b).map(([a, b]) => ({
      a: `${a}`,
      b: `${b}`,
      c: `${a - b}`,
    })),
    titles: ["Differences", "Taking away"],
    line: "{a} - {b} = {c}",
    sentences: [
      "{a} - {b} = {c}.",
      "{a} less {b} leaves {c}.",
      "If you have {a} and give away {b}, {c} are left.",
      "From {a} take {b}, and {c} remain.",
    ],
    talk: [["I had {a} and lost {b}", "Then you have {c}"]],
  },
  {
    name: "products",
    weight: 4,
    facts: range(2, 10).flatMap((a) =>
      range(2, 10).map((b) => ({ a: `${a}`, b: `${b}`, c: `${a * b}` }))
    ),
    titles: ["Times tables", "Products"],
    line: "{a} x {b} = {c}",
    sentences: [
      "{a} x {b} = {c}.",
      "{a} times {b} is {c}.",
      "{a} rows of {b} make {c}.",
      "{a} and {b} multiplied give {c}.",
    ],
    talk: [["How much is {a} times {b}", "It is {c}"]],
  },
  {
    name: "even and odd",
    weight: 3,
    facts: range(1, 99).map((n) => ({ a: `${n}`, b: n % 2 ? "odd" : "even" })),
    titles: ["Even and odd"],
    line: "{a}: {b}",
    sentences: ["{a} is {b}.", "The number {a} is {b}.", "{a} belongs to the {b} numbers."],
    talk: [["Tell me about {a}", "It is {b}"]],
  },
  {
    name: "numbers in words",
    weight: 3,
    facts: range(2, 99).map((n) => ({ a: `${n}`, b: inWords(n) })),
    titles: ["Numbers in words"],
    line: "{a}: {b}",
    sentences: ["{a} is read {b}.", "We say {b} for {a}.", "{a} in letters: {b}.", "{B} is {a}."],
    talk: [["How do you read {a}", "{b}"]],
  },
  {
    name: "neighbors of numbers",
    weight: 3,
    facts: range(1, 99).map((n) => ({ a: `${n}`, b: `${n + 1}` })),
    titles: ["Counting on"],
    line: "{a}: {b}",
    sentences: ["{a} is followed by {b}.", "After {a} we count {b}.", "One more than {a} is {b}."],
    talk: [["Count on from {a}", "{b}"]],
  },
  {
    name: "units",
    weight: 6,
    facts: units.flatMap(({ one, from, to, factor }) =>
      range(1, 9).map((n) => ({
        a: `${n} ${n === 1 ? one : from}`,
        b: `${n * factor} ${to}`,
        be: n === 1 ? "is" : "are",
        make: n === 1 ? "makes" : "make",
      }))
    ),
    titles: ["Units", "Measuring"],
    line: "{a}: {b}",
    sentences: ["{a} {be} {b}.", "{a} {make} {b}.", "We can write {a} as {b}.", "{a} = {b}."],
    talk: [["How much {be} {a}", "That {be} {b}"]],
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

  /** A document with several facts: a list, prose, a talk, or one fact said in every way. */
  document(): string {
    const random = this.#random;
    const form = random.below(10);
    if (form < 4) return this.#list();
    if (form < 8) return this.#prose(random.between(5, 8));
    return form === 8 ? this.#talk() : this.#drill();
  }

  /** One sentence, for mixed documents. */
  sentence(): string {
    return capital(fill(this.#random.pick(this.#kind.sentences), this.#facts.deal()));
  }

  #list(): string {
    const lines = Array.from(
      { length: this.#random.between(7, 12) },
      () => fill(this.#kind.line, this.#facts.deal()),
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
      const mark = /^(Tell|Count|Read|I |Turn)/.test(question) || /over$/.test(question)
        ? ","
        : "?";
      return `"${capital(fill(question, fields))}${mark}" said ${asks.name}. ` +
        `"${capital(fill(answer, fields))}," said ${answers.name}.`;
    }).join("\n");
  }

  #drill(): string {
    const random = this.#random;
    return Array.from({ length: 2 }, () => {
      const fields = this.#facts.deal();
      return random.shuffle(this.#kind.sentences).slice(0, 4)
        .map((sentence) => capital(fill(sentence, fields))).join(" ");
    }).join("\n");
  }
}
