/**
 * The text that the nano GPT-2 is pre-trained on, made from a seed as long as one likes.
 *
 * It is plain English about the things that the instruction set asks about, and never in the shape
 * of an instruction with an answer. Documents that happen to hold the answer of a held-out pair are
 * thrown away.
 *
 * @module
 */

import { Deck, Random } from "../lexicon/random.ts";
import { factKinds, FactTeller, quiz } from "./genres/facts.ts";
import { practice } from "./genres/practice.ts";
import { story } from "./genres/stories.ts";
import { heldOutTexts, normalize } from "./held_out.ts";

/** What separates the documents of {@link corpus}. */
export const END_OF_TEXT = "<|endoftext|>";

/** The seed of the embedded model's corpus. */
export const CORPUS_SEED = 7;

/** How often each genre is drawn. */
const weights = { facts: 30, mixed: 14, quiz: 28, practice: 24, stories: 2, essays: 2 } as const;

/** The hand-written paragraphs. */
export function readEssays(): string[] {
  const folder = new URL("./essays/", import.meta.url);
  return [...Deno.readDirSync(folder)].map(({ name }) => name).toSorted().flatMap((name) =>
    Deno.readTextFileSync(new URL(name, folder)).trim().split(/\n\s*\n/)
  );
}

/** A list in which each item stands as often as its weight says. */
function weighted<T>(entries: readonly (readonly [T, number])[]): T[] {
  return entries.flatMap(([item, weight]) => Array<T>(weight).fill(item));
}

/**
 * Documents without end; the same seed gives the same ones.
 *
 * @param seed an integer
 * @returns each document's text, without the end-of-text mark
 */
export function* documents(seed: number = CORPUS_SEED): Generator<string, never> {
  const random = new Random(seed);
  const tellers = factKinds.map((kind) => [new FactTeller(kind, random), kind.weight] as const);
  const kinds = new Deck(weighted(tellers), random);
  const lines = new Deck(Object.values(practice), random);
  const essays = new Deck(readEssays(), random);
  const makers: Record<keyof typeof weights, () => string> = {
    facts: () => kinds.deal().document(),
    mixed: () => Array.from({ length: 6 }, () => kinds.deal().sentence()).join(" "),
    quiz: () => quiz(Array.from({ length: random.between(3, 5) }, () => kinds.deal()), random),
    practice: () => {
      const line = lines.deal();
      return Array.from({ length: random.between(4, 7) }, () => line(random)).join("\n");
    },
    stories: () => story(random),
    essays: () => essays.deal(),
  };
  const genres = new Deck(
    weighted(Object.entries(weights) as [keyof typeof weights, number][]),
    random,
  );
  const heldOut = heldOutTexts();
  while (true) {
    const text = makers[genres.deal()]();
    const plain = normalize(text);
    if (!heldOut.some((held) => plain.includes(held))) yield text;
  }
}

/**
 * A text of documents, each closed by {@link END_OF_TEXT}.
 *
 * @param seed an integer
 * @param size the least number of characters
 * @throws {RangeError} when `size` is not a positive number
 */
export function corpus(seed: number = CORPUS_SEED, size = 500_000): string {
  if (!(size > 0)) throw new RangeError(`Cannot make a corpus of ${size} characters`);
  const parts: string[] = [];
  let length = 0;
  for (const text of documents(seed)) {
    parts.push(text, END_OF_TEXT);
    length += text.length + END_OF_TEXT.length;
    if (length >= size) break;
  }
  return parts.join("");
}

if (import.meta.main) {
  await Deno.stdout.write(
    new TextEncoder().encode(
      corpus(Number(Deno.args[0] ?? CORPUS_SEED), Number(Deno.args[1] ?? 20_000)),
    ),
  );
}
