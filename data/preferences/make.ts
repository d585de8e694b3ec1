/**
 * Writes `preferences.jsonl`: prompts of the instruction set's families, each with a better and a worse answer.
 *
 * `deno run -A data/preferences/make.ts`
 */

import { fill } from "../instructions/families/family.ts";
import { families } from "../instructions/families/mod.ts";
import { Random } from "../lexicon/random.ts";

/** A line of `preferences.jsonl`. */
export interface Preference {
  readonly prompt: string;
  readonly chosen: string;
  readonly rejected: string;
  /** What makes the chosen answer better. */
  readonly topic: "brief" | "polite" | "honest";
}

const SEED = 10;
/** How many facts come from each family, and the field that holds the fact. */
const ASKED: Readonly<Record<string, { count: number; fact: string }>> = {
  capital: { count: 32, fact: "b" },
  plural: { count: 40, fact: "b" },
  "past-tense": { count: 40, fact: "b" },
  opposite: { count: 24, fact: "b" },
  addition: { count: 24, fact: "c" },
};
/** Words that mean nothing, for questions that nobody can answer. */
const INVENTED: Readonly<Record<string, readonly string[]>> = {
  capital: "Larkland, Morvia, Testonia, Velland, Branovia, Quellia, Ostovia, Dunmark".split(", "),
  opposite: "blick, drummish, florp, glimmy, snarf, tweel, wubbly, zindle".split(", "),
};
const UNKNOWN = "I do not know.";

/** A question about a fact, the fact, and the answer as a whole sentence. */
interface Fact {
  readonly prompt: string;
  readonly fact: string;
  readonly sentence: string;
}

function familyOf(name: string) {
  return families.find((family) => family.name === name)!;
}

/** All facts, in a seeded order. */
export function facts(): Fact[] {
  const random = new Random(SEED);
  const all = Object.entries(ASKED).flatMap(([name, { count, fact }]) => {
    const { wordings: [wording], answer, items } = familyOf(name);
    return random.shuffle(items(random)).slice(0, count).map(({ fields }) => ({
      prompt: fill(wording.instruction, fields),
      fact: fields[fact],
      sentence: fill(answer, fields),
    }));
  });
  return random.shuffle(all);
}

/** All preferences. */
export function preferences(): Preference[] {
  const known = facts();
  const random = new Random(SEED + 1);
  const unknown = Object.entries(INVENTED).flatMap(([name, words]) => {
    const { wordings: [wording], answer, items } = familyOf(name);
    const real = random.shuffle(items(random));
    return words.map((a, i) => ({
      prompt: fill(wording.instruction, { a }),
      chosen: UNKNOWN,
      rejected: fill(answer, { ...real[i].fields, a }),
      topic: "honest" as const,
    }));
  });
  return [
    ...known.map(({ prompt, fact, sentence }) => ({
      prompt,
      chosen: `It is ${fact}.`,
      rejected: sentence,
      topic: "brief" as const,
    })),
    ...known.map(({ prompt, sentence }) => ({
      prompt,
      chosen: `${sentence} I hope that helps.`,
      rejected: sentence,
      topic: "polite" as const,
    })),
    ...random.shuffle([
      ...unknown,
      ...known.slice(0, unknown.length).map(({ prompt, sentence }) => ({
        prompt,
        chosen: sentence,
        rejected: UNKNOWN,
        topic: "honest" as const,
      })),
    ]),
  ];
}

/** The preferences as JSON Lines. */
export function toJsonl(all: readonly Preference[]): string {
  return all.map((one) => JSON.stringify(one) + "\n").join("");
}

if (import.meta.main) {
  const path = new URL("preferences.jsonl", import.meta.url);
  await Deno.writeTextFile(path, toJsonl(preferences()));
}
