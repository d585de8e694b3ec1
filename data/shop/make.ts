/**
 * Writes `shop.jsonl`: a line for each prompt of `topics.yaml`, with its topic's completion.
 *
 * `deno run -A data/shop/make.ts`
 */

import { parse } from "@std/yaml/parse";

/** A topic: what is asked about, in several wordings, and the one answer. */
export interface Topic {
  readonly topic: string;
  readonly completion: string;
  readonly prompts: readonly string[];
}

/** A line of `shop.jsonl`. */
export interface Pair {
  readonly prompt: string;
  readonly completion: string;
  readonly topic: string;
}

const here = (name: string) => new URL(name, import.meta.url);

/** The topics, as they are written. */
export async function readTopics(): Promise<Topic[]> {
  return parse(await Deno.readTextFile(here("topics.yaml"))) as Topic[];
}

/** All pairs, topic by topic. */
export function toPairs(topics: readonly Topic[]): Pair[] {
  return topics.flatMap(({ topic, completion, prompts }) =>
    prompts.map((prompt) => ({ prompt, completion: completion.trim(), topic }))
  );
}

/** The pairs as JSON Lines. */
export function toJsonl(pairs: readonly Pair[]): string {
  return pairs.map((pair) => JSON.stringify(pair) + "\n").join("");
}

if (import.meta.main) {
  await Deno.writeTextFile(here("shop.jsonl"), toJsonl(toPairs(await readTopics())));
}
