/**
 * The filter of prompts that are about something else than what the model was made for.
 *
 * @module
 */

import { assertKnownOptions, type OptionNames } from "../../options.ts";
import type { FilterKind, TextFilter } from "./filter.ts";
import { textsHash } from "./signature.ts";

/** The row in the table of filters. */
export const domain: FilterKind = {
  name: "domain",
  summary: "prompts that share too little with a set of prompts of the domain",
  reads: ["prompt"],
};

/** Options of {@linkcode domainFilter}. */
export interface DomainOptions {
  /**
   * The fraction of the domain's own texts that may be refused, from which the threshold follows.
   *
   * @default {0.05}
   */
  readonly falseRefusals?: number;
}

const NAMES: OptionNames<DomainOptions> = { falseRefusals: true };

/** A filter of {@linkcode domainFilter}, with what was measured when it was made. */
export interface DomainFilter extends TextFilter {
  /** The similarity to the nearest text of the domain, from 0 to 1, below which a prompt is refused. */
  readonly threshold: number;
  /** How many different texts of the domain there are. */
  readonly texts: number;
  /** How many of them it would refuse if each were not among the others. */
  readonly refused: number;
  /**
   * Measures a prompt.
   *
   * @param prompt The prompt.
   * @returns The similarity to the nearest text of the domain, from 0 to 1.
   */
  similarity(prompt: string): number;
}

/** Characters per n-gram. */
const SIZES = [3, 4, 5];

/** Fewer texts say too little about how far apart the texts of a domain are. */
const FEWEST = 20;

/**
 * Makes a filter that finds prompts outside a domain, which is given by prompts of it. The similarity of two texts is the cosine of
 * their counts of 3 to 5 characters within words, weighted as in tf-idf: `(1 + ln count) (1 + ln((1 + texts) / (1 + texts with
 * it)))`, as scikit-learn's `TfidfVectorizer` with `analyzer="char_wb"`, `ngram_range=(3, 5)` and `sublinear_tf=True`, except that
 * n-grams that no text of the domain has count too: they make a prompt less similar.
 *
 * The threshold is calibrated on the texts themselves: each is compared with all others, and at most the given fraction is
 * below the threshold. Prompts that are asked in words, or about things, that no text of the set resembles are refused more
 * often than that; prompts about something else in the domain's words pass. `docs/safety.md` has the counts.
 *
 * @param texts Prompts of the domain, each kind of question in several wordings; at least 20 different ones.
 * @param options How many of them may be refused.
 * @returns The filter.
 * @throws {TypeError} If there is an unknown option, or fewer texts.
 * @throws {RangeError} If the fraction is not from 0 to below 1.
 *
 * @example
 * ```ts
 * import { assert, assertEquals } from "@std/assert";
 * import { domainFilter } from "tunebook/eval";
 *
 * const things = ["a parcel", "my order", "the refund", "a gift card", "my delivery"];
 * const texts = things.flatMap((thing) => [
 *   `Where is ${thing}?`, `When does ${thing} arrive?`, `I lost ${thing}`, `Can I cancel ${thing}?`,
 * ]);
 * const filter = domainFilter(texts);
 * assertEquals(filter.find("When does my parcel arrive?"), []);
 * const [finding] = filter.find("Write a sonnet about frogs");
 * assert(finding.reason.startsWith("is outside the domain"));
 * ```
 */
export function domainFilter(
  texts: readonly string[],
  options: DomainOptions = {},
): DomainFilter {
  assertKnownOptions("make a domain filter", options, NAMES);
  const { falseRefusals = 0.05 } = options;
  if (!(falseRefusals >= 0 && falseRefusals < 1)) {
    throw new RangeError(
      `Cannot make a domain filter with "falseRefusals" ${falseRefusals}: expected a number from 0 to below 1`,
    );
  }
  // A text that is there twice would be its own nearest neighbour.
  const kept = [...new Set(texts.map(plainText))].filter((text) => text !== "");
  if (kept.length < FEWEST) {
    throw new TypeError(
      `Cannot make a domain filter of ${kept.length} different texts: expected at least ${FEWEST}`,
    );
  }
  const counts = kept.map(countNgrams);
  const having = new Map<string, number>();
  for (const ngram of counts.flatMap((count) => [...count.keys()])) {
    having.set(ngram, (having.get(ngram) ?? 0) + 1);
  }
  // A text that is left out is not counted in the weights either, as a prompt is not.
  const weigh = (count: Counts, without = 0) =>
    unitVector(count, (ngram) => {
      const others = Math.max(0, (having.get(ngram) ?? 0) - without);
      return 1 + Math.log((1 + kept.length - without) / (1 + others));
    });
  const vectors = counts.map((count) => weigh(count));
  const nearest = (vector: Counts, left = -1) =>
    vectors.reduce((most, other, i) => i === left ? most : Math.max(most, dot(vector, other)), 0);
  const own = counts.map((count, i) => nearest(weigh(count, 1), i));
  const threshold = own.toSorted((a, b) => a - b)[Math.floor(falseRefusals * own.length)];
  const similarity = (prompt: string) => nearest(weigh(countNgrams(plainText(prompt))));
  return {
    signature: `${domain.name}|texts:${textsHash(kept)}|n:${SIZES}|threshold:${
      threshold.toFixed(6)
    }`,
    ...{ name: domain.name, reads: domain.reads, masks: false },
    ...{ threshold, texts: kept.length, refused: own.filter((one) => one < threshold).length },
    similarity,
    find(text) {
      const similar = similarity(text);
      if (similar >= threshold) return [];
      const reason =
        `is outside the domain: its similarity to the nearest prompt of the domain is ${
          similar.toFixed(2)
        }, expected at least ${threshold.toFixed(2)}`;
      return [{ filter: domain.name, start: 0, end: text.length, reason, mask: "" }];
    },
  };
}

type Counts = ReadonlyMap<string, number>;

/** A text without case, accents and punctuation. */
function plainText(text: string): string {
  return text.normalize("NFKD").toLowerCase().replace(/\p{M}|['’]/gu, "")
    .replace(/[^\p{L}\p{N}]+/gu, " ").trim();
}

/** The n-grams of a text's words, with a space before and after each word. */
function countNgrams(text: string): Counts {
  const counts = new Map<string, number>();
  for (const word of text.split(" ")) {
    const characters = [...` ${word} `];
    for (const size of SIZES) {
      for (let i = 0; i + size <= characters.length; i++) {
        const ngram = characters.slice(i, i + size).join("");
        counts.set(ngram, (counts.get(ngram) ?? 0) + 1);
      }
    }
  }
  return counts;
}

/** Weighted counts, of length 1. */
function unitVector(counts: Counts, weight: (ngram: string) => number): Counts {
  const values = Array.from(
    counts,
    ([ngram, count]) => [ngram, (1 + Math.log(count)) * weight(ngram)] as const,
  );
  const length = Math.hypot(...values.map(([, value]) => value));
  return new Map(values.map(([ngram, value]) => [ngram, value / length]));
}

function dot(a: Counts, b: Counts): number {
  let sum = 0;
  for (const [ngram, value] of a) sum += value * (b.get(ngram) ?? 0);
  return sum;
}
