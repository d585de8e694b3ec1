/**
 * What a synthetic family is: a kind of task whose answers are exact, made from word lists by rule.
 *
 * @module
 */

import type { Random } from "../../lexicon/random.ts";

/** One task of a family, before it is worded. */
export interface Item {
  /** What the task is about. No two pairs of the set share a family and a key, however worded. */
  key: string;
  /** Fills the `{name}` places of the family's wordings and answer. */
  fields: Record<string, string>;
}

/** One way to put a task. */
export interface Wording {
  instruction: string;
  input?: string;
}

/** A family of tasks. */
export interface Family {
  name: string;
  about: string;
  /** How many pairs of the instruction set come from it. */
  count: number;
  wordings: readonly Wording[];
  /** The answer; the same for each wording. */
  answer: string;
  /** Sorts items into classes of which equally many are taken (yes and no, even and odd). */
  balance?(item: Item): string;
  /** At least `count` items with different keys. */
  items(random: Random): Item[];
}

/** A pair as the JSON file holds it. */
export interface Pair {
  instruction: string;
  input: string;
  output: string;
}

/** Fills the `{name}` places of a text; `{Name}` fills in the field `name` in upper case first. */
export function fill(text: string, fields: Record<string, string>): string {
  return text.replace(/\{(\w+)\}/g, (_, name: string) => {
    if (name in fields) return fields[name];
    const lower = name.charAt(0).toLowerCase() + name.slice(1);
    if (!(lower in fields)) throw new RangeError(`Cannot fill "{${name}}" in "${text}"`);
    return fields[lower].charAt(0).toUpperCase() + fields[lower].slice(1);
  });
}

/** The item put in one of the family's wordings. */
export function word(family: Family, item: Item, wording: Wording): Pair {
  return {
    instruction: fill(wording.instruction, item.fields),
    input: fill(wording.input ?? "", item.fields),
    output: fill(family.answer, item.fields),
  };
}

/** Draws items until there are `count` with different keys. */
export function distinct(count: number, draw: () => Item): Item[] {
  const items = new Map<string, Item>();
  for (let tries = 0; items.size < count; tries++) {
    if (tries > count * 200) throw new RangeError(`Cannot draw ${count} different items`);
    const item = draw();
    if (!items.has(item.key)) items.set(item.key, item);
  }
  return [...items.values()];
}
