/**
 * Things done to lists and sentences: ordering, turning around, choosing, changing a verb.
 *
 * @module
 */

import { differentInitials, unlikeGroups } from "../../instructions/families/words.ts";
import { drawDeed, drawScene } from "../../instructions/families/sentences.ts";
import { degrees, opposites, synonyms } from "../../lexicon/adjectives.ts";
import { groups, plural, pluralNouns, shortNouns } from "../../lexicon/nouns.ts";
import { range } from "../../lexicon/numbers.ts";
import { people } from "../../lexicon/people.ts";
import type { Random } from "../../lexicon/random.ts";
import { misspellings } from "../../lexicon/spelling.ts";
import { capital } from "../../lexicon/table.ts";
import { pastVerbs } from "../../lexicon/verbs.ts";
import { countries } from "../../lexicon/world.ts";

type Line = (random: Random) => string;

/** Words and numbers that other texts tell something about. */
const anyWord = [
  ...pluralNouns,
  ...opposites.flat(),
  ...synonyms.map(([word]) => word),
  ...pastVerbs.map(({ base }) => base),
  ...degrees.map(([word]) => word),
  ...misspellings.map(([word]) => word),
  ...countries.map(({ country }) => country),
  ...range(1, 60).map(String),
];

const belongings = [...groups["piece of clothing"], "book", "key", "ball", "map", "cup", "letter"];

/** Each draws one line of practice. */
export const practice: Readonly<Record<string, Line>> = {
  "numbers in order": (random) => {
    const three = random.sample(range(1, 60), 3);
    const sorted = three.toSorted((a, b) => a - b).join(", ");
    return random.pick([
      `Cards: ${three.join(", ")}. In order: ${sorted}`,
      `Mixed: ${three.join(", ")}. Sorted: ${sorted}`,
      `Cards with ${three.join(", ")} were laid out from small to large: ${sorted}`,
    ]);
  },
  "the larger number": (random) => {
    const [a, b] = random.sample(range(1, 60), 2);
    const large = Math.max(a, b);
    return random.pick([
      `Of ${a} and ${b}, the greater is ${large}.`,
      `Take ${a} or ${b}? Take ${large}, for it is more.`,
      `Two cards show ${a} and ${b}, and the bigger one is ${large}.`,
    ]);
  },
  "counting": (random) => {
    const start = random.between(1, 53);
    return `Count: ${range(start, start + 7).join(", ")}`;
  },
  "words in order": (random) => {
    const three = differentInitials(random);
    const sorted = three.toSorted().join(", ");
    return random.pick([
      `Cards: ${three.join(", ")}. By first letter: ${sorted}`,
      `Mixed: ${three.join(", ")}. From a to z: ${sorted}`,
      `The dictionary does not say ${three.join(", ")} but ${sorted}`,
    ]);
  },
  "words turned around": (random) => {
    const three = random.sample(shortNouns, 3);
    const turned = three.toReversed().join(", ");
    return random.pick([
      `Cards: ${three.join(", ")}. The other way round: ${turned}`,
      `Forward: ${three.join(", ")}. Backward: ${turned}`,
      `She came past ${three.join(", ")} and went home past ${turned}`,
    ]);
  },
  "words said again": (random) => {
    const three = random.sample(shortNouns, 3).join(", ");
    return `He said ${three}, and I wrote down ${three}.`;
  },
  "a word said again": (random) => {
    const word = random.pick(anyWord);
    return random.pick([
      `He asked about ${word}, so we talked about ${word} for an hour.`,
      `The word on the card is ${word}. Please read it: ${word}`,
      `Write ${word}, said the teacher, and they all wrote ${word}.`,
    ]);
  },
  "a sentence said again": (random) => {
    const { subject, verb, rest } = drawScene(random);
    const sentence = `${subject} ${verb.third} ${rest}`;
    return random.pick([
      `${capital(sentence)}. I say it again: ${sentence}.`,
      `They say that ${sentence}. Is it true that ${sentence}?`,
    ]);
  },
  "the one that differs": (random) => {
    const [group, other] = random.sample(unlikeGroups, 2);
    const odd = random.pick(groups[other]);
    const four = random.shuffle([...random.sample(groups[group], 3), odd]).join(", ");
    return random.pick([
      `Cards: ${four}. The different one: ${odd}`,
      `Look at ${four}: one is different, the ${odd}.`,
      `Among ${four}, only ${odd} is not like the others.`,
    ]);
  },
  "today and yesterday": (random) => {
    const { subject, verb, rest } = drawScene(random);
    const [now, past] = [`${subject} ${verb.third} ${rest}`, `${subject} ${verb.past} ${rest}`];
    return random.pick([
      `${capital(now)}. ${capital(past)} yesterday.`,
      `Today ${now}. Last week ${past}.`,
      `${capital(now)} now, and ${past} before.`,
    ]);
  },
  "what is not so": (random) => {
    const { subject, verb, rest } = drawScene(random);
    const not = `${subject} does not ${verb.base} ${rest}`;
    return random.pick([
      `${capital(subject)} ${verb.third} ${rest}? No, ${not}.`,
      `It is false that ${subject} ${verb.third} ${rest}: ${not}.`,
      `${capital(subject)} ${verb.third} ${rest} on Monday, but ${not} on Friday.`,
    ]);
  },
  "what one can do": (random) => {
    const { subject, verb, rest } = drawScene(random);
    const act = `${verb.base} ${rest}`;
    return random.pick([
      `${capital(subject)} can ${act}. How about you, can ${subject} ${act}?`,
      `Can ${subject} ${act}? Yes, ${subject} can ${act}.`,
      `People ask: can ${subject} ${act}? ${capital(subject)} can ${act}.`,
    ]);
  },
  "done and done to": (random) => {
    const { agent, verb, other } = drawDeed(random);
    const active = `the ${agent} ${verb.past} the ${other}`;
    const passive = `the ${other} was ${verb.participle} by the ${agent}`;
    return random.pick([
      `${capital(active)}, so ${passive}.`,
      `${capital(active)}. That means that ${passive}.`,
      `If ${active}, then ${passive}.`,
    ]);
  },
  "who has what": (random) => {
    const [first, second] = random.sample(people, 2).map(({ name }) => name);
    const [mine, yours] = random.sample(belongings, 2);
    const [thing, owner] = random.pick([[mine, first], [yours, second]]);
    return random.pick([
      `${first} has the ${mine}. ${second} has the ${yours}. So the ${thing} is with ${owner}.`,
      `${first} has the ${mine}. ${second} has the ${yours}. The ${thing}? Ask ${owner}.`,
    ]);
  },
  "how many": (random) => {
    const { name } = random.pick(people);
    const n = random.between(3, 60);
    const noun = plural(random.pick(pluralNouns));
    const did = random.pick(["saw", "found", "carried", "bought", "counted"]);
    return random.pick([
      `${name} ${did} ${n} ${noun}. Yes, ${n}.`,
      `${name} ${did} ${n} ${noun}, and ${n} is a lot.`,
      `There were ${n} ${noun}. ${name} ${did} all ${n}.`,
    ]);
  },
  "one and all": (random) => {
    const noun = random.pick(pluralNouns);
    const adjective = random.pick(["small", "old", "new", "big", "clean", "beautiful", "lost"]);
    return random.pick([
      `The ${noun} is ${adjective}. All the ${plural(noun)} are ${adjective}.`,
      `If the ${noun} is ${adjective}, perhaps all ${plural(noun)} are ${adjective}.`,
    ]);
  },
};
