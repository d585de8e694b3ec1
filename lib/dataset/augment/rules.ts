/**
 * Paraphrases by rules: other openings of an instruction that ask for the same.
 *
 * @module
 */

import { assertArray } from "../../kind_of.ts";
import { assertKnownOptions, type OptionNames } from "../../options.ts";
import { Random } from "../../random.ts";
import { type DatasetEntry, isChatEntry, isTextEntry } from "../chat_entry.ts";
import type { InstructionEntry } from "../entry.ts";

/** A rule that rewords instructions. */
interface ParaphraseRule {
  /** Its name. */
  readonly name: string;
  /** What it does, in a few words. */
  readonly summary: string;
  /** Rewords an instruction; undefined where it does not fit. */
  reword(instruction: string): string | undefined;
}

/** Verbs with which tasks begin, so that "Please" may stand before them. */
const TASK_VERBS =
  "Add|Analyze|Answer|Arrange|Calculate|Change|Choose|Classify|Combine|Compare|Complete|Compute|Convert|Correct|Count|Create|" +
  "Decide|Define|Describe|Design|Determine|Edit|Evaluate|Explain|Expand|Fill|Find|Fix|Generate|Give|Identify|Insert|List|" +
  "Make|Name|Order|Outline|Paraphrase|Pick|Predict|Propose|Provide|Put|Rank|Rearrange|Remove|Reorder|Rephrase|Replace|" +
  "Reverse|Rewrite|Say|Select|Simplify|Solve|Sort|Spell|State|Suggest|Summarize|Summarise|Tell|Transform|Translate|Turn|" +
  "Use|Write";

const OPENING = new RegExp(`^(${TASK_VERBS})\\b(?!:)`);

const lowered = (text: string) => text.charAt(0).toLowerCase() + text.slice(1);

/** One sentence that ends with a full stop, so that it can become a question. */
const isSentence = (text: string) => /^[^.!?:\n"“]+\.$/.test(text);

/** Verbs that ask for the same where a task begins with them. */
const SYNONYMS: Readonly<Record<string, string>> = {
  Calculate: "Work out",
  Compute: "Calculate",
  Create: "Make",
  Correct: "Fix",
  Determine: "Find out",
  Fix: "Correct",
  Generate: "Create",
  Identify: "Find",
  Pick: "Choose",
  Provide: "Give",
  Rephrase: "Reword",
  Rewrite: "Rephrase",
  Select: "Choose",
  Suggest: "Propose",
  Transform: "Change",
};

/** Words and their contractions, in the first sentence only. */
const CONTRACTIONS: readonly (readonly [long: RegExp, short: string])[] = [
  [/\bdo not\b/, "don't"],
  [/\bdoes not\b/, "doesn't"],
  [/\bis not\b/, "isn't"],
  [/\bare not\b/, "aren't"],
  [/\bcannot\b/, "can't"],
  [/\bWhat is\b/, "What's"],
  [/\bWho is\b/, "Who's"],
];

/** The rules. */
export const PARAPHRASE_RULES: readonly ParaphraseRule[] = [
  {
    name: "please",
    summary: '"Please" before a task',
    reword: (text) => OPENING.test(text) ? `Please ${lowered(text)}` : undefined,
  },
  {
    name: "question",
    summary: '"Can you …?" of a task of one sentence',
    reword: (text) =>
      OPENING.test(text) && isSentence(text) ? `Can you ${lowered(text).slice(0, -1)}?` : undefined,
  },
  {
    name: "need",
    summary: '"I need you to …" before a task',
    reword: (text) => OPENING.test(text) ? `I need you to ${lowered(text)}` : undefined,
  },
  {
    name: "tell",
    summary: '"Tell me what … is." of "What is …?"',
    reword(text) {
      const [, word, verb, rest] = /^(What|Who) (is|are) ([^.!?:\n"“,]+)\?$/.exec(text) ?? [];
      return rest === undefined ? undefined : `Tell me ${word.toLowerCase()} ${rest} ${verb}.`;
    },
  },
  {
    name: "verb",
    summary: "another verb for a task",
    reword(text) {
      const verb = OPENING.exec(text)?.[1] ?? "";
      return Object.hasOwn(SYNONYMS, verb) ? SYNONYMS[verb] + text.slice(verb.length) : undefined;
    },
  },
  {
    name: "contraction",
    summary: '"don\'t" for "do not", and the like',
    reword(text) {
      // The rest may be a text that the task is about.
      const first = /^[^.!?:\n"“']*/.exec(text)![0];
      const found = CONTRACTIONS.find(([long]) => long.test(first));
      return found && first.replace(found[0], found[1]) + text.slice(first.length);
    },
  },
];

/** The names of {@linkcode PARAPHRASE_RULES}. */
export const PARAPHRASE_RULE_NAMES: readonly string[] = PARAPHRASE_RULES.map(({ name }) => name);

/** Options of {@linkcode paraphraseByRules}. */
export interface RuleOptions {
  /** The rules to use; all by default: `please`, `question`, `need`, `tell`, `verb`, `contraction`. */
  readonly rules?: readonly string[];
  /**
   * The most paraphrases of an entry.
   *
   * @default {1}
   */
  readonly perEntry?: number;
  /**
   * Seed of the choice of rules.
   *
   * @default {123}
   */
  readonly seed?: number;
}

const NAMES: OptionNames<RuleOptions> = { rules: true, perEntry: true, seed: true };

/**
 * Rewords instructions by rules that change how a task begins, and neither what it is about nor its answer. Each paraphrase
 * says in `source` of which entry it is, and by which rule. Conversations and texts have none.
 *
 * @param entries The entries, which are not changed.
 * @param options Which rules, how many paraphrases of an entry, and the seed.
 * @returns The paraphrases, in the order of the entries. None is equal to an instruction that is there.
 * @throws {RangeError} If there is no such rule, or `perEntry` is not a positive integer.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { paraphraseByRules } from "tunebook/data";
 *
 * const entries = [{ instruction: "Name a colour.", input: "", output: "Blue." }];
 * assertEquals(paraphraseByRules(entries, { rules: ["question"] }), [{
 *   instruction: "Can you name a colour?",
 *   input: "",
 *   output: "Blue.",
 *   source: 'paraphrase of entry 1 by the rule "question"',
 * }]);
 * ```
 */
export function paraphraseByRules(
  entries: readonly DatasetEntry[],
  options: RuleOptions = {},
): InstructionEntry[] {
  assertKnownOptions("paraphrase entries", options, NAMES);
  assertArray("paraphrase", entries, "entries");
  const { rules = PARAPHRASE_RULE_NAMES, perEntry = 1, seed = 123 } = options;
  if (!(Number.isInteger(perEntry) && perEntry > 0)) {
    throw new RangeError(
      `Cannot paraphrase each entry ${perEntry} times: expected a positive integer`,
    );
  }
  const chosen = rules.map((name) => {
    const rule = PARAPHRASE_RULES.find((one) => one.name === name);
    if (rule !== undefined) return rule;
    throw new RangeError(
      `Cannot paraphrase by the rule "${name}": expected "${PARAPHRASE_RULE_NAMES.join('", "')}"`,
    );
  });
  const taken = new Set(entries.filter(isInstruction).map(keyOf));
  return entries.flatMap((entry, index) => {
    if (!isInstruction(entry)) return [];
    const made: InstructionEntry[] = [];
    for (const { name, reword } of new Random([seed, index]).shuffle([...chosen])) {
      if (made.length === perEntry) break;
      const instruction = reword(entry.instruction);
      if (instruction === undefined) continue;
      const paraphrase = paraphraseOf(entry, index, instruction, `the rule "${name}"`);
      if (taken.has(keyOf(paraphrase))) continue;
      taken.add(keyOf(paraphrase));
      made.push(paraphrase);
    }
    return made;
  });
}

/** Whether an entry is an instruction. */
export function isInstruction(entry: DatasetEntry): entry is InstructionEntry {
  return !isChatEntry(entry) && !isTextEntry(entry);
}

/** What an entry asks, to recognise it again. */
export function keyOf({ instruction, input }: InstructionEntry): string {
  return JSON.stringify([instruction.trim().toLowerCase(), input]);
}

/**
 * An entry with another instruction.
 *
 * @param entry The entry.
 * @param index Its index.
 * @param instruction The instruction.
 * @param by What made it.
 * @returns The entry, which names the first one as its source.
 */
export function paraphraseOf(
  { id, source, ...entry }: InstructionEntry,
  index: number,
  instruction: string,
  by: string,
): InstructionEntry {
  const from = [
    `paraphrase of entry ${index + 1}${id === undefined ? "" : ` (id ${id})`} by ${by}`,
    ...(source === undefined ? [] : [`which is from ${source}`]),
  ];
  return { ...entry, instruction, source: from.join(", ") };
}
