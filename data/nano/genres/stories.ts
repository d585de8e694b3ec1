/**
 * Small stories about people who do ordinary things.
 *
 * @module
 */

import { degrees } from "../../lexicon/adjectives.ts";
import { groups, plural, pluralNouns, withArticle } from "../../lexicon/nouns.ts";
import { people, type Person } from "../../lexicon/people.ts";
import type { Random } from "../../lexicon/random.ts";
import { capital } from "../../lexicon/table.ts";
import { type Action, actions } from "../../lexicon/verbs.ts";
import { days, jobs, months, uses } from "../../lexicon/world.ts";

const weathers = ["sunny", "rainy", "cold", "warm", "windy", "cloudy", "gray", "bright"];
const places = [
  "in the garden",
  "at the market",
  "in the kitchen",
  "by the river",
  "at school",
  "in the park",
  "near the old bridge",
  "at the station",
  "in the forest",
  "on the beach",
];
const sizes = degrees.filter(([base]) =>
  ["big", "small", "old", "heavy", "light", "clean", "dirty", "pretty", "large", "nice"].includes(
    base,
  )
);
const moods = ["happy", "tired", "proud", "hungry", "calm", "surprised", "sad", "curious"];
const endings = [
  "In the evening everyone was tired and happy.",
  "Then they all went home.",
  "It was a good day.",
  "Nobody knew why, and nobody asked.",
  "The next morning they laughed about it.",
  "And that was the end of the matter.",
  "So they shared what they had.",
  "After that they were good friends.",
];

function opening(person: Person, random: Random): string {
  const day = random.pick(days);
  const place = random.pick(places);
  const weather = random.pick(weathers);
  return random.pick([
    `It was a ${weather} ${day}, and ${person.name} was ${place}.`,
    `One ${weather} morning in ${random.pick(months)}, ${person.name} was ${place}.`,
    `${person.name} was ${place}. It was ${day}, and the weather was ${weather}.`,
    `On ${day} ${person.name} was ${random.pick(moods)}.`,
  ]);
}

function did(subject: string, action: Action, random: Random): string {
  return capital(`${subject} ${action.verb.past} ${random.pick(action.rests)}.`);
}

function event(person: Person, friend: Person, random: Random): string {
  const action = random.pick(actions);
  const rest = random.pick(action.rests);
  const thing = random.pick(pluralNouns);
  const [base, more] = random.pick(sizes);
  const animal = random.pick(groups.animal);
  const use = random.pick(uses);
  const job = random.pick(jobs);
  const { name, subject, object, possessive } = person;
  return random.pick([
    did(subject, action, random),
    `${capital(subject)} wanted to ${action.verb.base} ${rest}, but there was no time.`,
    `${friend.name} came by and asked, "Will you ${action.verb.base} ${rest} with me?"`,
    `"I like to ${action.verb.base} ${rest}," said ${name}.`,
    `${name} looked for ${possessive} ${thing} but found only two ${
      plural(thing)
    } of ${friend.name}.`,
    `There was ${withArticle(animal)} ${random.pick(places)}, and it looked at ${object}.`,
    `The ${thing} was ${base}, but the other one was ${more}.`,
    `${capital(subject)} needed ${
      withArticle(use.thing)
    } for ${use.use}, and ${friend.name} had one.`,
    `${capital(possessive)} mother is ${withArticle(job.job)}, and every day she ${job.does}.`,
    `${friend.name} said, "That is ${withArticle(thing)}," and ${subject} nodded.`,
    `Both of them were ${random.pick(moods)}.`,
    `${friend.name} gave ${object} ${withArticle(thing)}, and ${subject} said thank you.`,
  ]);
}

/** A story of five to nine sentences. */
export function story(random: Random): string {
  const [person, friend] = random.sample(people, 2);
  const lines = [opening(person, random)];
  for (let n = random.between(3, 6); n > 0; n--) lines.push(event(person, friend, random));
  lines.push(random.pick(endings));
  return lines.join(" ");
}
