/**
 * Words and marks as NLTK's `NLTKWordTokenizer` splits them, which `word_tokenize` applies to each sentence. The text is
 * taken as one sentence: only a period at its very end is a token of its own, since finding sentences takes a trained model.
 *
 * @module
 */
import { PYTHON_SPACE as SPACE, splitWords } from "./words.ts";

type Rule = readonly [pattern: RegExp, replacement: string];

/** A letter, digit or underscore in Python's sense. */
const WORD = String.raw`[\p{L}\p{N}_]`;
const START = `(?<!${WORD})(?=${WORD})`;
const END = `(?<=${WORD})(?!${WORD})`;

const RULES: readonly Rule[] = [
  // Opening quotation marks
  [/([«“‘„]|`+)/gu, " $1 "],
  [/^"/gu, "``"],
  [/(``)/gu, " $1 "],
  [/([ ([{<])("|'{2})/gu, "$1 `` "],
  [new RegExp(`(?<!${WORD})(')(?!(?:re|ve|ll|m|t|s|d|n)${END})(?=${WORD})`, "giu"), "$1 "],
  // Punctuation
  [new RegExp(`([^.])(\\.)(?=([\\])}>"'»”’ ]*))\\3${SPACE}*$`, "gu"), "$1 $2 $3 "],
  [/([:,])(\P{Nd})/gu, " $1 $2"],
  [/([:,])(?=\n?$)/gu, " $1 "],
  [/\.{2,}/gu, " $& "],
  [/[;@#$%&]/gu, " $& "],
  [/[\u2012-\u2015]/gu, " $& "],
  [new RegExp(`([^.])(\\.)([\\])}>"']*)${SPACE}*$`, "gu"), "$1 $2$3 "],
  [/[?!]/gu, " $& "],
  [/([^'])' /gu, "$1 ' "],
  [/\*/gu, " $& "],
  // Brackets and dashes
  [/[\][(){}<>]/gu, " $& "],
  [/--/gu, " -- "],
];

const CLOSING_RULES: readonly Rule[] = [
  // Closing quotation marks, and what is written together
  [/([»”’])/gu, " $1 "],
  [/''/gu, " '' "],
  [/"/gu, " '' "],
  [new RegExp(`${SPACE}+`, "gu"), " "],
  [/([^' ])('[sS]|'[mM]|'[dD]|') /gu, "$1 $2 "],
  [/([^' ])('ll|'LL|'re|'RE|'ve|'VE|n't|N'T) /gu, "$1 $2 "],
  ...["(can)(not)", "(d)('ye)", "(gim)(me)", "(gon)(na)", "(got)(ta)", "(lem)(me)", "(more)('n)"]
    .map((parts): Rule => [new RegExp(`${START}${parts}${END}`, "giu"), " $1 $2 "]),
  [new RegExp(`${START}(wan)(na)(?=${SPACE})`, "giu"), " $1 $2 "],
  [new RegExp(` ('t)(is)${END}`, "giu"), " $1 $2 "],
  [new RegExp(` ('t)(was)${END}`, "giu"), " $1 $2 "],
];

const apply = (rules: readonly Rule[], text: string) =>
  rules.reduce((text, [pattern, replacement]) => text.replace(pattern, replacement), text);

/**
 * Splits a text.
 *
 * @param text Any text.
 * @returns Words, marks and endings such as `n't`.
 */
export function treebankWords(text: string): string[] {
  return splitWords(apply(CLOSING_RULES, ` ${apply(RULES, text)} `));
}
