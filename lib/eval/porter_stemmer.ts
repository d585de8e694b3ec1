/**
 * Porter's stemmer ("An algorithm for suffix stripping", 1980) with the extensions of NLTK's
 * `PorterStemmer`, which ROUGE implementations use. Published JavaScript stemmers follow Porter's
 * own revision instead, and differ from NLTK's in every step ("enjoyed", "fully", "dying", "used").
 */

/** A suffix, its replacement, and the condition on the text before it. */
type Rule = readonly [
  suffix: string,
  replacement: string,
  condition?: (stem: string, word: string) => boolean,
];

/** Forms that the rules would treat wrongly. */
const IRREGULAR = new Map(Object.entries({
  skies: "sky",
  sky: "sky",
  dying: "die",
  lying: "lie",
  tying: "tie",
  news: "news",
  innings: "inning",
  inning: "inning",
  outings: "outing",
  outing: "outing",
  cannings: "canning",
  canning: "canning",
  howe: "howe",
  proceed: "proceed",
  exceed: "exceed",
  succeed: "succeed",
}));

/**
 * Finds a word's stem.
 *
 * @param word The word, in lower case.
 * @returns The stem, equal to NLTK 3's `PorterStemmer().stem(word)`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { stem } from "./porter_stemmer.ts";
 *
 * assertEquals(["running", "relational", "enjoyed"].map(stem), ["run", "relat", "enjoy"]);
 * ```
 */
export function stem(word: string): string {
  const irregular = IRREGULAR.get(word);
  if (irregular !== undefined) return irregular;
  if (word.length <= 2) return word;
  return [step1a, step1b, step1c, step2, step3, step4, step5a, step5b]
    .reduce((stem, step) => step(stem), word);
}

/** A word as a string of `c` for each consonant and `v` for each vowel; y is either. */
function shape(word: string): string {
  let shape = "";
  for (const letter of word) {
    const vowel = letter === "y" ? shape.endsWith("c") : "aeiou".includes(letter);
    shape += vowel ? "v" : "c";
  }
  return shape;
}

/** Porter's measure m: how often a vowel is followed by a consonant. */
function measure(stem: string): number {
  return shape(stem).split("vc").length - 1;
}

const positive = (stem: string) => measure(stem) > 0;
const aboveOne = (stem: string) => measure(stem) > 1;

/** Porter's *o: consonant, vowel, consonant other than w, x, y; NLTK adds words like "us". */
function endsInShortSyllable(word: string): boolean {
  const form = shape(word);
  return (form.endsWith("cvc") && !/[wxy]$/.test(word)) || form === "vc";
}

/**
 * Applies the first rule whose suffix matches, if its condition holds; later rules are not tried.
 */
function apply(word: string, rules: readonly Rule[]): string {
  for (const [suffix, replacement, condition] of rules) {
    if (!word.endsWith(suffix)) continue;
    const stem = word.slice(0, word.length - suffix.length);
    return !condition || condition(stem, word) ? stem + replacement : word;
  }
  return word;
}

function step1a(word: string): string {
  if (word.endsWith("ies") && word.length === 4) return word.slice(0, -1);
  return apply(word, [["sses", "ss"], ["ies", "i"], ["ss", "ss"], ["s", ""]]);
}

function step1b(word: string): string {
  if (word.endsWith("ied")) return word.slice(0, word.length === 4 ? -1 : -2);
  if (word.endsWith("eed")) return positive(word.slice(0, -3)) ? word.slice(0, -1) : word;
  const suffix = ["ed", "ing"].find((suffix) =>
    word.endsWith(suffix) && shape(word.slice(0, -suffix.length)).includes("v")
  );
  if (!suffix) return word;
  const stem = word.slice(0, -suffix.length);
  if (/(at|bl|iz)$/.test(stem)) return stem + "e";
  if (stem.at(-1) === stem.at(-2) && shape(stem).endsWith("c")) {
    return /[lsz]$/.test(stem) ? stem : stem.slice(0, -1);
  }
  return measure(stem) === 1 && endsInShortSyllable(stem) ? stem + "e" : stem;
}

function step1c(word: string): string {
  const afterConsonant = (stem: string) => stem.length > 1 && shape(stem).endsWith("c");
  return apply(word, [["y", "i", afterConsonant]]);
}

const STEP2: readonly Rule[] = [
  ["ational", "ate", positive],
  ["tional", "tion", positive],
  ["enci", "ence", positive],
  ["anci", "ance", positive],
  ["izer", "ize", positive],
  ["bli", "ble", positive],
  ["alli", "al", positive],
  ["entli", "ent", positive],
  ["eli", "e", positive],
  ["ousli", "ous", positive],
  ["ization", "ize", positive],
  ["ation", "ate", positive],
  ["ator", "ate", positive],
  ["alism", "al", positive],
  ["iveness", "ive", positive],
  ["fulness", "ful", positive],
  ["ousness", "ous", positive],
  ["aliti", "al", positive],
  ["iviti", "ive", positive],
  ["biliti", "ble", positive],
  ["fulli", "ful", positive],
  ["logi", "log", (_, word) => positive(word.slice(0, -3))], // the l is part of the stem
];

function step2(word: string): string {
  const stem = word.slice(0, -4);
  return word.endsWith("alli") && positive(stem) ? step2(stem + "al") : apply(word, STEP2);
}

function step3(word: string): string {
  return apply(word, [
    ["icate", "ic", positive],
    ["ative", "", positive],
    ["alize", "al", positive],
    ["iciti", "ic", positive],
    ["ical", "ic", positive],
    ["ful", "", positive],
    ["ness", "", positive],
  ]);
}

const STEP4: readonly Rule[] = [
  ...["al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent"]
    .map((suffix): Rule => [suffix, "", aboveOne]),
  ["ion", "", (stem) => aboveOne(stem) && /[st]$/.test(stem)],
  ...["ou", "ism", "ate", "iti", "ous", "ive", "ize"]
    .map((suffix): Rule => [suffix, "", aboveOne]),
];

function step4(word: string): string {
  return apply(word, STEP4);
}

function step5a(word: string): string {
  if (!word.endsWith("e")) return word;
  const stem = word.slice(0, -1);
  const m = measure(stem);
  return m > 1 || (m === 1 && !endsInShortSyllable(stem)) ? stem : word;
}

function step5b(word: string): string {
  return word.endsWith("ll") && aboveOne(word.slice(0, -1)) ? word.slice(0, -1) : word;
}
