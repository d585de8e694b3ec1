/**
 * The tokenizers of BLEU that need no model: how a line is split decides the score as much as the answer does, so the
 * signature names it. Those of sacrebleu, whose `tok` names they have.
 *
 * @module
 */
import { splitWords, trimEnd } from "./words.ts";

/** A tokenizer's name in a signature. */
export type BleuTokenizer = "13a" | "intl" | "char";

/** The names, the usual one first. */
export const BLEU_TOKENIZERS: readonly BleuTokenizer[] = ["13a", "intl", "char"];

type Rules = readonly (readonly [pattern: RegExp, replacement: string])[];

/** mteval-v13a.pl's rules for western languages; periods and commas stay within numbers. */
const RULES_13A: Rules = [
  [/([{-~[-` -&(-+:-@/])/gu, " $1 "],
  [/([^0-9])([.,])/gu, "$1 $2 "],
  [/([.,])([^0-9])/gu, " $1 $2"],
  [/([0-9])(-)/gu, "$1 $2 "],
];

/** mteval-v14.pl's international rules: punctuation that no number stands before or behind, and symbols. */
const RULES_INTL: Rules = [
  [/(\P{N})(\p{P})/gu, "$1 $2 "],
  [/(\p{P})(\P{N})/gu, " $1 $2"],
  [/(\p{S})/gu, " $1 "],
];

const apply = (rules: Rules, line: string) =>
  rules.reduce((text, [pattern, replacement]) => text.replace(pattern, replacement), line);

function unescape13a(line: string): string {
  return line.replaceAll("<skipped>", "").replaceAll("-\n", "").replaceAll("\n", " ")
    .replaceAll("&quot;", '"').replaceAll("&amp;", "&").replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">");
}

/** Splits a line by each tokenizer. */
const TOKENIZERS: Readonly<Record<BleuTokenizer, (line: string) => string[]>> = {
  "13a": (line) => splitWords(apply(RULES_13A, ` ${unescape13a(line)} `)),
  intl: (line) => splitWords(apply(RULES_INTL, line)),
  char: (line) => splitWords([...line].join(" ")),
};

/**
 * Splits a line for BLEU. White space at its end is left out first.
 *
 * @param name The tokenizer.
 * @param line The text.
 * @returns Its tokens.
 */
export function tokenizeForBleu(name: BleuTokenizer, line: string): string[] {
  return TOKENIZERS[name](trimEnd(line));
}
