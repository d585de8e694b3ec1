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
import { inWords, range, units } from "../../lexicon/numbers.ts";
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
  /** What `{b}` is of `{a}`: names for the `{relation}` of the forms below. */
  relations?: readonly string[];
}

/** Statements for any fact that says what something is of something else. */
const relationStatements: readonly string[] = [
  "For {a}, the {relation} is {b}.",
  "As the {relation} of {a} we write {b}.",
  "Asked for the {relation} of {a}, we say {b}.",
  "Look up {a}, and you find the {relation} {b}.",
  "Take {a} as an example, with the {relation} {b}.",
];

/** Those, and sentences that nobody would answer with. */
export const relationSentences: readonly string[] = [
  ...relationStatements,
  "The {relation} of {a}? It is {b}.",
  "She wanted to know the {relation} of {a}, and he said {b}.",
  "Everyone knows the {relation} of {a}, which is {b}.",
];

/** Questions and answers for the same facts. */
export const relationTalk: FactKind["talk"] = [
  ["What is the {relation} of {a}", "The {relation} is {b}"],
  ["Can you tell me the {relation} of {a}", "It is {b}"],
  ["I need the {relation} of {a}. Do you know it", "Yes, for {a} it is {b}"],
];

/** Two numbers and what they make. */
function pair(x: number, y: number, result: number): Fields {
  return { x: `${x}`, y: `${y}`, a: `${x} and ${y}`, b: `${result}` };
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
    relations: ["opposite", "opposite word"],
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
    relations: ["meaning", "synonym"],
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
    relations: ["plural", "plural form"],
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
    relations: ["past", "past tense", "past form"],
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
    relations: ["comparative", "comparative form"],
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
    relations: ["form with an article", "form with a or an"],
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
    relations: ["first letter", "letter in front"],
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
    relations: ["number of letters", "count of letters"],
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
    relations: ["reverse", "spelling from the end"],
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
    relations: ["right spelling", "correct spelling"],
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
      "The group of {noun} is {c}.",
      "Among the kinds of things, {noun} is of the kind {c}.",
      "To which group does {noun} belong? To the group {c}.",
    ],
    talk: [
      ["What can you say about {a}", "I know that {a} is {b}"],
      ["What kind is {a}", "It is of the kind {c}"],
      ["Which group has {noun} in it", "The group {c}"],
    ],
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
    relations: ["capital", "capital city"],
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
    relations: ["continent"],
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
    relations: ["symbol", "chemical symbol"],
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
      "When it is young, the {a} has the name {b}.",
      "The name for a young {a} is {b}.",
      "We see a young {a} and call it {c}.",
    ],
    talk: [
      ["What is the baby of the {a}", "It is {c}"],
      ["How do people call a young {a}", "They call it {c}"],
    ],
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
      "One animal {a}, namely the {b}.",
      "Of all animals, the one that {a} is the {b}.",
    ],
    talk: [["It {a}. What is it", "It is the {b}"], ["Who {a} here", "Only the {b}"]],
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
      "Somebody {a}: that must be {an}.",
      "It is the job of {an} to {todo}, so {an} {a}.",
      "We need somebody whose job is to {todo}, so we call {an}.",
    ],
    talk: [
      ["I like to {todo}. What should I become", "You should become {an}"],
      ["And who {a} in your town", "That is {an}"],
    ],
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
    sentences: [
      "First we have {a}, then {b}.",
      "When {a} is over, it is {b}.",
      "Now it is {a}, and next comes {b}.",
      "After {a} we have {b}.",
    ],
    talk: [["What follows {a}", "It is {b}"], ["Now it is {a}. What is next", "Next is {b}"]],
    relations: ["follower"],
  },
  {
    name: "sums",
    weight: 7,
    facts: sums.map(([x, y]) => pair(x, y, x + y)),
    titles: ["Sums", "Adding"],
    line: "{x} + {y} = {b}",
    sentences: [
      "We add {x} and {y} and get {b}.",
      "Together, {x} and {y} make {b}.",
      "If you have {x} and get {y} more, you have {b}.",
      "The numbers {x}, {y} add up to {b}.",
    ],
    talk: [["How much are {x} and {y}", "Together they are {b}"]],
    relations: ["sum", "total"],
  },
  {
    name: "differences",
    weight: 6,
    facts: sums.map(([x, y]) => pair(x + y, y, x)),
    titles: ["Differences", "Taking away"],
    line: "{x} - {y} = {b}",
    sentences: [
      "We take from {x} the number {y} and get {b}.",
      "If you have {x} and lose {y}, you have {b}.",
      "We know that {x} minus {y} is {b}.",
      "The numbers {x}, {y} differ by {b}.",
    ],
    talk: [["I had {x} and lost {y}. How many are left", "You have {b}"]],
    relations: ["difference"],
  },
  {
    name: "products",
    weight: 5,
    facts: range(2, 9).flatMap((x) => range(2, 9).map((y) => pair(x, y, x * y))),
    titles: ["Times tables", "Products"],
    line: "{x} x {y} = {b}",
    sentences: [
      "We know that {x} times {y} is {b}.",
      "We multiply {x} by {y} and get {b}.",
      "In all, {x} rows of {y} make {b}.",
      "The numbers {x}, {y} multiply to {b}.",
    ],
    talk: [["How much is {x} times {y}", "It is {b}"]],
    relations: ["product"],
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
      "Even or odd? We look at {a} and say {b}.",
      "Among the numbers, {a} is an {b} one.",
    ],
    talk: [["What can you say about {a}", "It is {b}"], [
      "Is it even or odd, the {a}",
      "It is {b}",
    ]],
  },
  {
    name: "numbers in words",
    weight: 4,
    facts: range(2, 60).map((n) => ({ a: `${n}`, b: inWords(n) })),
    titles: ["Numbers in words"],
    line: "{a}: {b}",
    sentences: ["We read {a} as {b}.", "In words, {a} is {b}.", "For {a} we say {b}."],
    talk: [["How do you read {a}", "I read {b}"]],
    relations: ["spelling in words", "name in words"],
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
    relations: ["next number", "following number"],
  },
  {
    name: "units",
    weight: 7,
    facts: units.flatMap(({ from, to, factor }) =>
      range(2, 9).map((n) => ({ a: `${n} ${from}`, b: `${n * factor} ${to}`, to }))
    ),
    titles: ["Units", "Measuring"],
    line: "{a}: {b}",
    sentences: [
      "We know that {a} are {b}.",
      "We can write {a} as {b}.",
      "All in all, {a} make {b}.",
      "In {to}, {a} are {b}.",
      "When we measure {a} in {to}, we get {b}.",
      "There are {b} in {a}.",
    ],
    talk: [["How much are {a}", "They are {b}"], ["What are {a} in {to}", "They are {b}"]],
  },
];

/** Tells facts of one kind, each fact as often as any other. */
export class FactTeller {
  #kind: FactKind;
  #sentences: readonly string[];
  #answers: readonly string[];
  #talks: FactKind["talk"];
  #facts: Deck<Fields>;
  #random: Random;

  constructor(kind: FactKind, random: Random) {
    this.#kind = kind;
    this.#sentences = kind.relations ? [...kind.sentences, ...relationSentences] : kind.sentences;
    this.#answers = kind.relations ? [...kind.sentences, ...relationStatements] : kind.sentences;
    this.#talks = kind.relations ? [...kind.talk, ...relationTalk] : kind.talk;
    this.#facts = new Deck(kind.facts, random);
    this.#random = random;
  }

  /** A document with several facts: a list, prose, a talk, or each fact said in several ways. */
  document(): string {
    const random = this.#random;
    const form = random.below(10);
    if (form < 2) return this.#list();
    if (form < 5) return this.#prose(random.between(6, 9));
    return form < 7 ? this.#talk() : this.#drill();
  }

  /** One sentence, for mixed documents. */
  sentence(): string {
    return capital(fill(this.#random.pick(this.#sentences), this.#fact()));
  }

  /** A question, and an answer that says again what was asked for. */
  question(): { question: string; answer: string } {
    const fields = this.#fact();
    const [question] = this.#random.pick(this.#talks);
    return {
      question: capital(fill(question, fields)) + "?",
      answer: capital(fill(this.#random.pick(this.#answers), fields)),
    };
  }

  /** The next fact, with one name of its relation. */
  #fact(): Fields {
    const { relations } = this.#kind;
    const fields = this.#facts.deal();
    return relations ? { ...fields, relation: this.#random.pick(relations) } : fields;
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
      const fields = this.#fact();
      const [question, answer] = random.pick(this.#talks);
      const [asks, answers] = random.sample(people, 2);
      return `"${capital(fill(question, fields))}?" asked ${asks.name}. ` +
        `"${capital(fill(answer, fields))}," said ${answers.name}.`;
    }).join("\n");
  }

  #drill(): string {
    const random = this.#random;
    return Array.from({ length: 3 }, () => {
      const fields = this.#fact();
      return random.shuffle(this.#sentences).slice(0, 3)
        .map((sentence) => capital(fill(sentence, fields))).join(" ");
    }).join("\n");
  }
}

/** How questions and answers are told. */
const tellings: readonly ((question: string, answer: string, random: Random) => string)[] = [
  (question, answer, random) => {
    const [asks, answers] = random.sample(people, 2);
    return `${asks.name} asked ${answers.name}: ${question} ${answers.name} said: ${answer}`;
  },
  (question, answer, random) => {
    const child = random.pick(people);
    return `The teacher asked, "${question}" ${child.name} thought about it for a while. "${answer}"`;
  },
  (question, answer) => `- ${question}\n- ${answer}`,
  (question, answer) => `${question} ${answer}`,
];

/** A document of questions from several tellers with their answers, all told in one way. */
export function quiz(tellers: readonly FactTeller[], random: Random): string {
  const tell = random.pick(tellings);
  return tellers.map((teller) => {
    const { question, answer } = teller.question();
    return tell(question, answer, random);
  }).join("\n");
}
