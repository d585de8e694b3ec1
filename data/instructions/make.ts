/**
 * Makes the instruction set: `deno run -A data/instructions/make.ts`.
 *
 * Reads the hand-written core, draws the synthetic families, mixes them so that every stretch of the
 * file holds every family in proportion, and writes instruction-data.json and families.json. The
 * same seed gives the same bytes.
 *
 * @module
 */

import { Random } from "../lexicon/random.ts";
import { readCore } from "./core.ts";
import { families, type Family, type Item, type Pair, word } from "./families/mod.ts";

/** The seed of the committed files. */
export const SEED = 2024;

/** A pair with where it comes from. */
export interface LabelledPair extends Pair {
  family: string;
  /** What a synthetic pair is about; absent in the core. */
  item?: Item;
}

/** What families.json holds. */
export interface Labels {
  seed: number;
  families: { name: string; kind: "core" | "synthetic"; about: string; count: number }[];
  /** One entry a pair, in the order of instruction-data.json. */
  pairs: { family: string; key?: string }[];
}

/** A file to be written: its name and text. */
export interface MadeFile {
  name: string;
  text: string;
}

/** The seed of a family's own draws, so that a change of one family leaves the others alone. */
function familySeed(seed: number, name: string): number {
  let hash = seed >>> 0;
  for (const char of name) hash = Math.imul(hash ^ char.codePointAt(0)!, 0x01000193) >>> 0;
  return hash;
}

/** Takes a family's `count` items, equally many of each class where the family has classes. */
function choose(family: Family, random: Random): Item[] {
  const classes = new Map<string, Item[]>();
  for (const item of random.shuffle(family.items(random))) {
    const name = family.balance?.(item) ?? "";
    classes.set(name, [...classes.get(name) ?? [], item]);
  }
  const piles = random.shuffle([...classes.keys()].toSorted()).map((name) => classes.get(name)!);
  const chosen: Item[] = [];
  for (let i = 0; chosen.length < family.count; i++) {
    if (piles.every((pile) => pile.length === 0)) {
      throw new RangeError(`Cannot take ${family.count} items of "${family.name}": too few`);
    }
    const item = piles[i % piles.length].pop();
    if (item) chosen.push(item);
  }
  return random.shuffle(chosen);
}

/**
 * Mixes lists so that every stretch of the result holds each list in proportion: the items of a
 * list of n stand at (k + u) / n for a random u, and all are sorted by where they stand.
 */
export function interleave<T>(lists: readonly (readonly T[])[], random: Random): T[] {
  return lists.flatMap((items) => {
    const offset = random.next();
    return items.map((item, k) => ({ item, at: (k + offset) / items.length, tie: random.next() }));
  }).toSorted((a, b) => a.at - b.at || a.tie - b.tie).map(({ item }) => item);
}

/** The whole set in its final order. */
export function makePairs(seed: number = SEED): LabelledPair[] {
  const lists: LabelledPair[][] = [];
  for (const [family, pairs] of readCore()) {
    const random = new Random(familySeed(seed, family));
    lists.push(random.shuffle(pairs).map((pair) => ({ ...pair, family })));
  }
  for (const family of families) {
    const random = new Random(familySeed(seed, family.name));
    lists.push(
      choose(family, random).map((item, i) => ({
        ...word(family, item, family.wordings[i % family.wordings.length]),
        family: family.name,
        item,
      })),
    );
  }
  return interleave(lists, new Random(seed));
}

/** A pair in each wording of its family; a pair of the core has only its own. */
export function everyWording({ instruction, input, output, family, item }: LabelledPair): Pair[] {
  const found = families.find(({ name }) => name === family);
  if (!found || !item) return [{ instruction, input, output }];
  return found.wordings.map((wording) => word(found, item, wording));
}

/** The texts of both files. */
export function makeFiles(seed: number = SEED): MadeFile[] {
  const made = makePairs(seed);
  const pairs: Pair[] = made.map(({ instruction, input, output }) => ({
    instruction,
    input,
    output,
  }));
  const core = readCore();
  const head: Labels["families"] = [
    ...[...core].map(([name, { length }]) => ({
      name,
      kind: "core" as const,
      about: aboutCore(name),
      count: length,
    })),
    ...families.map(({ name, about, count }) => ({
      name,
      kind: "synthetic" as const,
      about,
      count,
    })),
  ];
  const labels = made.map(({ family, item }) =>
    JSON.stringify(item ? { family, key: item.key } : { family })
  );
  const sidecar = `{\n"seed": ${seed},\n"families": [\n${
    head.map((entry) => JSON.stringify(entry)).join(",\n")
  }\n],\n"pairs": [\n${labels.join(",\n")}\n]\n}\n`;
  return [
    { name: "instruction-data.json", text: JSON.stringify(pairs, null, 4) + "\n" },
    { name: "families.json", text: sidecar },
  ];
}

/** The first comment line of a core file says what it holds. */
function aboutCore(name: string): string {
  const text = Deno.readTextFileSync(new URL(`./core/${name}.txt`, import.meta.url));
  return text.slice(0, text.indexOf("\n")).replace(/^# /, "").replace(/\.$/, "");
}

if (import.meta.main) {
  for (const { name, text } of makeFiles()) {
    const url = new URL(name, import.meta.url);
    const beside = new URL(`${name}.part`, import.meta.url);
    await Deno.writeTextFile(beside, text);
    await Deno.rename(beside, url);
    console.log(`${name}: ${new TextEncoder().encode(text).length} bytes`);
  }
}
