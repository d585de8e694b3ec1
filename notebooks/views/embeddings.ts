// What the token embedding of a model knows about words, for chapter 4: neighbours, and analogies by vector arithmetic.

import type { Network, Tokenizer } from "tunebook";

/** A word and the cosine of its angle to what was asked for. */
export interface Neighbour {
  readonly word: string;
  readonly cosine: number;
}

/** The embeddings of the words of a vocabulary that a model has read. */
export class WordVectors {
  /** Unit vectors by their words. */
  readonly #vectors: ReadonlyMap<string, Float32Array>;

  /**
   * Keeps the vectors, scaled to length 1 after their mean is subtracted: the mean is common to all words, and says
   * nothing about any of them.
   *
   * @param vectors Vectors of equal length by their words.
   */
  constructor(vectors: ReadonlyMap<string, Float32Array>) {
    const all = [...vectors.values()];
    const mean = all[0].map((_, i) => all.reduce((sum, vector) => sum + vector[i], 0) / all.length);
    this.#vectors = new Map(
      [...vectors].map(([word, vector]) => [word, unit(vector.map((x, i) => x - mean[i]))]),
    );
  }

  /** The number of words. */
  get size(): number {
    return this.#vectors.size;
  }

  /**
   * Finds the words that are closest to a word.
   *
   * @param word The word.
   * @param count How many to find.
   * @returns The closest first, without the word itself.
   * @throws {RangeError} If the word is not a single token of the vocabulary.
   */
  nearest(word: string, count = 5): Neighbour[] {
    return this.#closest(this.#of(word), [word], count);
  }

  /**
   * Solves "from is to to as third is to …" by arithmetic: to − from + third.
   *
   * @param from The first word of the example.
   * @param to The second.
   * @param third The word to treat in the same way.
   * @param count How many answers to find.
   * @param excluded Words that do not count as answers; the three of the question by default, as in nearly all publications.
   * @returns The closest first.
   * @throws {RangeError} If a word is not a single token of the vocabulary.
   */
  analogy(
    from: string,
    to: string,
    third: string,
    count = 3,
    excluded: readonly string[] = [from, to, third],
  ): Neighbour[] {
    const [a, b, c] = [from, to, third].map((word) => this.#of(word));
    return this.#closest(unit(c.map((x, i) => x + b[i] - a[i])), excluded, count);
  }

  #of(word: string): Float32Array {
    const vector = this.#vectors.get(word);
    if (vector) return vector;
    throw new RangeError(
      `Cannot look up "${word}": it is not a single token among the ${this.size} words`,
    );
  }

  #closest(wanted: Float32Array, excluded: readonly string[], count: number): Neighbour[] {
    return [...this.#vectors].filter(([word]) => !excluded.includes(word))
      .map(([word, vector]) => ({
        word,
        cosine: vector.reduce((sum, x, i) => sum + x * wanted[i], 0),
      }))
      .sort((a, b) => b.cosine - a.cosine).slice(0, count);
  }
}

/** Analogies as chapter 4 asks them: the first word is to the second as the third is to … */
export const ANALOGIES = [
  ["walk", "walked", "paint"],
  ["France", "Paris", "Italy"],
  ["hot", "cold", "big"],
  ["man", "king", "woman"],
] as const;

/** Words and their cosines, as one line. */
const listed = (found: readonly Neighbour[]) =>
  found.map(({ word, cosine }) => `${word} ${cosine.toFixed(2)}`).join(", ");

/**
 * Lists the nearest words of some words, for a table.
 *
 * @param vectors The vectors.
 * @param words The words.
 * @returns A row per word.
 * @throws {RangeError} If a word is not a single token of the vocabulary.
 */
export function nearestRows(vectors: WordVectors, words: readonly string[]) {
  return words.map((word) => ({ word, "nearest words": listed(vectors.nearest(word)) }));
}

/**
 * Lists the answers to some analogies, for a table: without the three words of the question, and with them.
 *
 * @param vectors The vectors.
 * @param questions Three words each.
 * @returns A row per question.
 * @throws {RangeError} If a word is not a single token of the vocabulary.
 */
export function analogyRows(
  vectors: WordVectors,
  questions: readonly (readonly [string, string, string])[] = ANALOGIES,
) {
  return questions.map(([from, to, third]) => ({
    analogy: `${from} is to ${to} as ${third} is to …`,
    "without the three words": listed(vectors.analogy(from, to, third)),
    "all words": listed(vectors.analogy(from, to, third, 3, [])),
  }));
}

function unit(vector: Float32Array): Float32Array {
  const norm = Math.hypot(...vector);
  return vector.map((x) => x / norm);
}

/**
 * Reads the embeddings of words from a model: tokens that are a space and letters, and that occur in some texts.
 *
 * @param network The model.
 * @param tokenizer Its tokenizer.
 * @param texts Texts that it was trained on, or such as it was trained on: rows of tokens that it has never seen are noise.
 * @param least How often a word must occur in them.
 * @returns The vectors of the words.
 */
export async function readWordVectors(
  network: Network,
  tokenizer: Tokenizer,
  texts: Iterable<string>,
  least = 5,
): Promise<WordVectors> {
  const counts = new Map<number, number>();
  for (const text of texts) {
    for (const id of tokenizer.encode(text)) counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  const table = network.parameters.get("wte.weight") ?? network.head; // tied in GPT-2 and SmolLM2
  const values = await table.data() as Float32Array;
  const width = table.shape[1];
  const vectors = new Map<string, Float32Array>();
  for (const [id, count] of counts) {
    const word = /^ (\p{L}+)$/u.exec(tokenizer.decode([id]))?.[1];
    if (word && count >= least) vectors.set(word, values.slice(id * width, (id + 1) * width));
  }
  return new WordVectors(vectors);
}
