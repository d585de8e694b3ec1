/**
 * METEOR as NLTK 3.10 has it: the formula of Lavie and Agarwal (2007), α 0.9, β 3, γ 0.5, over words that are equal, have equal
 * stems, or are synonyms in WordNet, matched in these three stages.
 *
 * It is not METEOR 1.5 (Denkowski and Lavie, 2014), whose numbers cannot be compared with these: that one also matches
 * paraphrases, weighs function words less, has other parameters, uses the Snowball stemmer, and looks for the alignment with
 * the fewest chunks, where NLTK matches from the end. As in NLTK, synonyms are looked up for the stems that were left over, so
 * inflected words seldom have any. Words are NLTK's `NLTKWordTokenizer`, the whole answer as one sentence.
 *
 * WordNet is not shipped. Where Debian's `wordnet-base` is not installed, the third stage is left out, and the signature
 * says so; the variants `synonyms` and `stems` ask for one or the other.
 *
 * @module
 */
import { stem } from "../porter_stemmer.ts";
import { meanOf, type Metric } from "./metric.ts";
import { treebankWords } from "./treebank_words.ts";
import { WordNet } from "./wordnet.ts";

const ALPHA = 0.9;
const BETA = 3;
const GAMMA = 0.5;

/** The row in the table of metrics. */
export const meteor: Metric = {
  name: "meteor",
  label: "METEOR",
  summary: "equal words, stems and synonyms, in order, from 0 to 1 (NLTK)",
  top: 1,
  variants: ["installed", "synonyms", "stems"],
  prepare(variant) {
    const wordnet = variant === "stems" ? undefined : openWordNet();
    if (variant === "synonyms" && wordnet === undefined) {
      throw new Deno.errors.NotFound(
        "Cannot find WordNet's synonyms for METEOR: install Debian's wordnet-base, or set WNSEARCHDIR to its folder",
      );
    }
    const synonyms = wordnet === undefined ? "no" : "wordnet";
    return meanOf(
      `metric:meteor|nrefs:1|case:lc|tok:treebank|stem:porter|synonyms:${synonyms}` +
        `|alpha:${ALPHA}|beta:${BETA}|gamma:${GAMMA}|version:nltk-3.10.4`,
      (reference, response) => meteorOf(reference, response, wordnet),
    );
  },
};

/** A word and its place. */
type Placed = readonly [place: number, word: string];

let opened: { wordnet: WordNet | undefined } | undefined;

/** Opens WordNet once: reading it takes a while. */
function openWordNet(): WordNet | undefined {
  opened ??= { wordnet: WordNet.open() };
  return opened.wordnet;
}

function meteorOf(reference: string, response: string, wordnet: WordNet | undefined): number {
  const lower = (text: string) => treebankWords(text).map((word) => word.toLowerCase());
  const [expected, got] = [lower(reference), lower(response)];
  const matches = align(got, expected, wordnet);
  if (matches.length === 0) return 0;
  const precision = matches.length / got.length;
  const recall = matches.length / expected.length;
  const mean = precision * recall / (ALPHA * precision + (1 - ALPHA) * recall);
  const chunks = 1 +
    matches.slice(1).filter(([place, other], i) =>
      place !== matches[i][0] + 1 || other !== matches[i][1] + 1
    ).length;
  return (1 - GAMMA * (chunks / matches.length) ** BETA) * mean;
}

/** Pairs of places of words that match, in the response's order. */
function align(
  response: readonly string[],
  reference: readonly string[],
  wordnet: WordNet | undefined,
): [number, number][] {
  const matches: [number, number][] = [];
  let got: Placed[] = [...response.entries()];
  let expected: Placed[] = [...reference.entries()];
  /** Matches from the last word on; each takes the last word of the reference that is left and fits. */
  const stage = (candidates: (word: string) => Iterable<string>) => {
    const places = Map.groupBy(expected, ([, word]) => word);
    const taken = new Set<number>();
    got = got.toReversed().filter(([place, word]) => {
      let best: Placed | undefined;
      for (const candidate of candidates(word)) {
        const last = places.get(candidate)?.at(-1);
        if (last !== undefined && (best === undefined || last[0] > best[0])) best = last;
      }
      if (best === undefined) return true;
      places.get(best[1])!.pop();
      taken.add(best[0]);
      matches.push([place, best[0]]);
      return false;
    }).reverse();
    expected = expected.filter(([place]) => !taken.has(place));
  };
  const stems = ([place, word]: Placed): Placed => [place, stem(word)];
  stage((word) => [word]);
  [got, expected] = [got.map(stems), expected.map(stems)];
  stage((word) => [word]);
  if (wordnet !== undefined) stage((word) => [word, ...wordnet.synonyms(word)]);
  return matches.sort(([a], [b]) => a - b);
}
