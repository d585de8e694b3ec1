/**
 * Answers of a teacher for entries that have none, where several of its answers agree.
 *
 * @module
 */

import { assertArray } from "../../kind_of.ts";
import { assertKnownOptions, type OptionNames } from "../../options.ts";
import type { DatasetEntry } from "../chat_entry.ts";
import { wordsOf } from "../word_bags.ts";
import { isInstruction } from "./rules.ts";
import { type Teacher, withoutThoughts } from "./teacher.ts";

/** Options of {@linkcode labelBySelfConsistency}. */
export interface PseudoLabelOptions {
  /**
   * How many answers are asked for, each with a seed of its own.
   *
   * @default {5}
   */
  readonly samples?: number;
  /**
   * The least share of answers that must agree, above 0 and at most 1.
   *
   * @default {0.6}
   */
  readonly agreement?: number;
  /** What answers are compared by; by default their words, whatever their case and punctuation. */
  readonly key?: (answer: string) => string;
  /**
   * The most tokens of an answer.
   *
   * @default {256}
   */
  readonly maxTokens?: number;
  /**
   * The first seed.
   *
   * @default {123}
   */
  readonly seed?: number;
  /** Stops asking. */
  readonly signal?: AbortSignal;
  /** Called after each entry with the number of entries so far. */
  readonly onProgress?: (done: number) => void;
}

const NAMES: OptionNames<PseudoLabelOptions> = {
  samples: true,
  agreement: true,
  key: true,
  maxTokens: true,
  seed: true,
  signal: true,
  onProgress: true,
};

/** What a teacher answered to an entry without an output. */
export interface PseudoLabel {
  /** The entry's index. */
  readonly index: number;
  /** The share of answers that agree with the most common one. */
  readonly agreement: number;
  /** All answers; empty ones were cut. */
  readonly answers: string[];
  /** Whether the most common one became the output. */
  readonly accepted: boolean;
}

/** What {@linkcode labelBySelfConsistency} returns. */
export interface PseudoLabelled<T> {
  /** All entries, in their order; those with a label have it as output, and say so in `source`. */
  readonly entries: T[];
  /** What was answered to each entry without an output. */
  readonly labels: PseudoLabel[];
}

/** Options of {@linkcode majorityAnswer}. */
export type MajorityOptions = Pick<PseudoLabelOptions, "agreement" | "key">;

const MAJORITY_NAMES: OptionNames<MajorityOptions> = { agreement: true, key: true };

/** What several answers to one question agree on. */
export interface MajorityAnswer {
  /** The first of the answers that agree most; empty if all answers are. */
  readonly answer: string;
  /** How many agree with it, itself included. */
  readonly votes: number;
  /** Whether enough answers agree, and no other answer is as common. */
  readonly accepted: boolean;
}

/**
 * Finds the answer on which most of several agree, as self-consistency takes it. Empty answers agree with none, but count.
 *
 * @param answers Several answers to one question, drawn at a temperature above 0.
 * @param options The share of answers that must agree, and what answers are compared by.
 * @returns The most common answer, and whether it is accepted.
 * @throws {RangeError} If the agreement is not above 0 and at most 1.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { majorityAnswer } from "tunebook/data";
 *
 * assertEquals(majorityAnswer(["Mice.", "mouses", "mice"]), { answer: "Mice.", votes: 2, accepted: true });
 * ```
 */
export function majorityAnswer(
  answers: readonly string[],
  options: MajorityOptions = {},
): MajorityAnswer {
  assertKnownOptions("compare answers", options, MAJORITY_NAMES);
  assertArray("compare", answers, "answers");
  const { agreement = 0.6, key = (answer: string) => wordsOf(answer).join(" ") } = options;
  if (!(agreement > 0 && agreement <= 1)) {
    throw new RangeError(
      `Cannot label where ${agreement} of the answers agree: expected more than 0 and at most 1`,
    );
  }
  const groups = [...Map.groupBy(answers.filter((answer) => answer !== ""), key).values()]
    .sort((a, b) => b.length - a.length);
  const [first = [], second = []] = groups;
  const isEnough = first.length > 0 && first.length / answers.length >= agreement;
  const accepted = isEnough && first.length > second.length;
  return { answer: first[0] ?? "", votes: first.length, accepted };
}

/**
 * Asks a teacher several times for the output of each entry that has none, and takes the most common answer if enough answers
 * agree (Wang et al., "Self-Consistency Improves Chain of Thought Reasoning in Language Models", 2022). The teacher must draw
 * its answers at a temperature above 0. Of answers that agree, the first is taken; where two are equally common, none.
 *
 * @param entries The entries, which are not changed; conversations and texts stay as they are.
 * @param teacher The model that answers.
 * @param options How many answers, and how many must agree.
 * @returns The entries, and what was answered.
 * @throws {RangeError} If there are fewer than two samples, or the agreement is not above 0 and at most 1.
 * @throws {Error} If the teacher does not reply.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { labelBySelfConsistency } from "tunebook/data";
 *
 * const answers = ["Mice.", "mouses", "mice"];
 * const teacher = { name: "me", ask: () => Promise.resolve(answers.shift()!) };
 * const entry = { instruction: "Give the plural of mouse.", input: "", output: "" };
 * const { entries } = await labelBySelfConsistency([entry], teacher, { samples: 3 });
 * assertEquals([entries[0].output, entries[0].source], ["Mice.", "label by me, 2 of 3 answers agree"]);
 * ```
 */
export async function labelBySelfConsistency<T extends DatasetEntry>(
  entries: readonly T[],
  teacher: Teacher,
  options: PseudoLabelOptions = {},
): Promise<PseudoLabelled<T>> {
  assertKnownOptions("label entries", options, NAMES);
  assertArray("label", entries, "entries");
  const { samples = 5, agreement, key, maxTokens = 256, seed = 123, signal, onProgress } = options;
  const majority = { ...(agreement !== undefined && { agreement }), ...(key && { key }) };
  majorityAnswer([], majority); // a wrong option is refused before anything is asked
  if (!(Number.isInteger(samples) && samples > 1)) {
    throw new RangeError(`Cannot compare ${samples} answers: expected a whole number from 2`);
  }
  const labelled = [...entries];
  const labels: PseudoLabel[] = [];
  for (const [index, entry] of entries.entries()) {
    if (!isInstruction(entry) || entry.output.trim() !== "") continue;
    const { instruction, input } = entry;
    const prompt = input === "" ? instruction : `${instruction}\n\n${input}`;
    const answers: string[] = [];
    for (let i = 0; i < samples; i++) {
      signal?.throwIfAborted();
      const reply = await teacher.ask({ prompt, maxTokens, seed: seed + i, signal });
      answers.push(withoutThoughts(reply ?? ""));
    }
    const { answer, votes, accepted } = majorityAnswer(answers, majority);
    labels.push({ index, agreement: votes / samples, answers, accepted });
    if (accepted) {
      const by = `label by ${teacher.name}, ${votes} of ${samples} answers agree`;
      const source = entry.source === undefined ? by : `${entry.source}; ${by}`;
      labelled[index] = { ...entry, output: answer, source };
    }
    onProgress?.(labels.length);
  }
  return { entries: labelled, labels };
}
