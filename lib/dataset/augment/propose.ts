/**
 * What a teacher proposes for a data set: rewordings of instructions, and new pairs. A person reviews both.
 *
 * @module
 */

import { assertArray } from "../../kind_of.ts";
import { assertKnownOptions, type OptionNames } from "../../options.ts";
import { Random } from "../../random.ts";
import type { DatasetEntry } from "../chat_entry.ts";
import type { InstructionEntry } from "../entry.ts";
import { wordSimilarity } from "../near_duplicates.ts";
import { isInstruction, keyOf, paraphraseOf } from "./rules.ts";
import { lostNumbers, parseReply, shortHash, type Teacher } from "./teacher.ts";

/** An entry that a teacher proposes. */
export interface Proposal {
  /** Whether it is a rewording of an entry or a new pair. */
  readonly kind: "paraphrase" | "pair";
  /** Indices of the entry that it rewords, or of those that were its examples. */
  readonly from: readonly number[];
  /** The entry. */
  readonly entry: InstructionEntry;
  /** The teacher's name. */
  readonly teacher: string;
  /** The seed of its reply. */
  readonly seed: number;
  /** The beginning of the SHA-256 of the prompt. */
  readonly prompt: string;
}

/** A reply of a teacher that is not proposed to anybody. */
export interface RejectedReply {
  /** Indices of the entries that it was made from. */
  readonly from: readonly number[];
  /** What is wrong with it. */
  readonly reason: string;
  /** The reply; empty if it was cut. */
  readonly reply: string;
}

/** What {@linkcode proposeParaphrases} and {@linkcode proposePairs} return. */
export interface Proposals {
  /** What a person should review. */
  readonly proposals: Proposal[];
  /** What failed a check: not JSON, equal to what is there, or without the numbers of the original. */
  readonly rejected: RejectedReply[];
}

/** Options of {@linkcode proposeParaphrases}. */
export interface ParaphraseOptions {
  /**
   * How many rewordings of each instruction are asked for.
   *
   * @default {1}
   */
  readonly perEntry?: number;
  /**
   * Seed of the teacher's draws.
   *
   * @default {123}
   */
  readonly seed?: number;
  /** Stops asking. */
  readonly signal?: AbortSignal;
  /** Called after each reply with the number of replies so far. */
  readonly onProgress?: (done: number) => void;
}

/** Options of {@linkcode proposePairs}. */
export interface PairProposalOptions extends Omit<ParaphraseOptions, "perEntry"> {
  /** How many pairs are asked for. */
  readonly count: number;
  /**
   * How many entries a prompt shows as examples; of one topic, where entries have topics.
   *
   * @default {3}
   */
  readonly examples?: number;
}

const ASKING = { seed: true, signal: true, onProgress: true } as const;
const PARAPHRASE_NAMES: OptionNames<ParaphraseOptions> = { ...ASKING, perEntry: true };
const PAIR_NAMES: OptionNames<PairProposalOptions> = { ...ASKING, count: true, examples: true };

/** What is wrong with a reply that has no end. */
const CUT = "the reply was cut at the allowed length";

/** From this similarity on, a new pair is taken for one that is there. */
const TOO_ALIKE = 0.7;

/**
 * Asks a teacher to reword each instruction. Rewordings that are equal to what is there or lose a number are not proposed.
 *
 * @param entries The entries; conversations and texts are left out.
 * @param teacher The model that rewords.
 * @param options How many rewordings, and the seed.
 * @returns The proposals, and the replies that failed a check.
 * @throws {RangeError} If `perEntry` is not a positive integer.
 * @throws {Error} If the teacher does not reply.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { proposeParaphrases } from "tunebook/data";
 *
 * const teacher = { name: "me", ask: () => Promise.resolve('["Tell me a colour."]') };
 * const entries = [{ instruction: "Name a colour.", input: "", output: "Blue." }];
 * const { proposals } = await proposeParaphrases(entries, teacher);
 * assertEquals(proposals[0].entry.instruction, "Tell me a colour.");
 * ```
 */
export async function proposeParaphrases(
  entries: readonly DatasetEntry[],
  teacher: Teacher,
  options: ParaphraseOptions = {},
): Promise<Proposals> {
  assertKnownOptions("propose paraphrases", options, PARAPHRASE_NAMES);
  assertArray("paraphrase", entries, "entries");
  const { perEntry = 1, seed = 123, signal, onProgress } = options;
  assertCount("paraphrase each entry", perEntry);
  const found: Proposals = { proposals: [], rejected: [] };
  const taken = new Set(entries.filter(isInstruction).map(keyOf));
  const schema = {
    type: "array",
    items: { type: "string" },
    minItems: perEntry,
    maxItems: perEntry,
  };
  let done = 0;
  for (const [index, entry] of entries.entries()) {
    if (!isInstruction(entry)) continue;
    signal?.throwIfAborted();
    const { instruction } = entry;
    const prompt =
      `Reword this instruction in ${perEntry} different way${
        perEntry === 1 ? "" : "s"
      }. Ask for exactly the same. Keep every name, number and quoted text. Do not answer it. ` +
      `Reply with a JSON array of ${perEntry} string${
        perEntry === 1 ? "" : "s"
      } and nothing else.\n\n` +
      `Instruction:\n${instruction}`;
    const maxTokens = 64 + 2 * perEntry * Math.ceil(instruction.length / 2);
    const reply = await teacher.ask({ prompt, schema, maxTokens, seed, signal });
    onProgress?.(++done);
    const reject = (reason: string) =>
      found.rejected.push({ from: [index], reason, reply: reply ?? "" });
    const texts = parseReply(reply);
    if (!Array.isArray(texts) || texts.some((text) => typeof text !== "string")) {
      reject(reply === undefined ? CUT : "the reply is not a JSON array of strings");
      continue;
    }
    const made = { teacher: teacher.name, seed, prompt: await shortHash(prompt) };
    for (const text of (texts as string[]).map((text) => text.trim())) {
      const paraphrase = paraphraseOf(entry, index, text, teacher.name);
      const lost = lostNumbers(instruction, text);
      if (text === "") reject("a rewording is empty");
      else if (lost.length > 0) reject(`${JSON.stringify(text)} lacks ${lost.join(", ")}`);
      else if (taken.has(keyOf(paraphrase))) reject(`${JSON.stringify(text)} is there already`);
      else {
        taken.add(keyOf(paraphrase));
        found.proposals.push({ kind: "paraphrase", from: [index], entry: paraphrase, ...made });
      }
    }
  }
  return found;
}

/**
 * Asks a teacher for new pairs like those that are there. Each prompt shows a few entries of one topic (in the manner of
 * Wang et al., "Self-Instruct", 2022). Pairs that are nearly equal to one that is there are not proposed.
 *
 * @param entries The entries; conversations and texts are left out.
 * @param teacher The model that writes.
 * @param options How many pairs, how many examples of each, and the seed.
 * @returns The proposals, and the replies that failed a check.
 * @throws {RangeError} If there is no instruction, or a number is not a positive integer.
 * @throws {Error} If the teacher does not reply.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { proposePairs } from "tunebook/data";
 *
 * const pair = { instruction: "Name a fruit.", input: "", output: "An apple." };
 * const teacher = { name: "me", ask: () => Promise.resolve(JSON.stringify(pair)) };
 * const entries = [{ instruction: "Name a colour.", input: "", output: "Blue." }];
 * const { proposals, rejected } = await proposePairs(entries, teacher, { count: 2 });
 * assertEquals([proposals.length, rejected.length], [1, 1]); // the second is the first again
 * ```
 */
export async function proposePairs(
  entries: readonly DatasetEntry[],
  teacher: Teacher,
  options: PairProposalOptions,
): Promise<Proposals> {
  assertKnownOptions("propose pairs", options, PAIR_NAMES);
  assertArray("propose pairs like", entries, "entries");
  const { count, examples = 3, seed = 123, signal, onProgress } = options;
  assertCount("propose pairs", count);
  assertCount("show examples", examples);
  const known = [...entries.keys()].filter((index) => isInstruction(entries[index]));
  if (known.length === 0) throw new RangeError("Cannot propose pairs: there is no instruction");
  const topics = [...new Set(known.map((index) => entries[index].topic))];
  const text = { type: "string" };
  const properties = { instruction: text, input: text, output: text };
  const schema = { type: "object", properties, required: Object.keys(properties) };
  const found: Proposals = { proposals: [], rejected: [] };
  const texts = known.map((index) => wholeText(entries[index] as InstructionEntry));
  for (let i = 0; i < count; i++) {
    signal?.throwIfAborted();
    const topic = topics[i % topics.length];
    const same = known.filter((index) => entries[index].topic === topic);
    const from = new Random([seed, i]).shuffle([...same]).slice(0, examples);
    const shown = from.map((index) => {
      const { instruction, input, output } = entries[index] as InstructionEntry;
      return JSON.stringify({ instruction, input, output });
    });
    const prompt = "These are examples of a data set for a language model" +
      `${topic === undefined ? "" : `, on the topic "${topic}"`}:\n\n${shown.join("\n")}\n\n` +
      "Write one more example of the same kind on another subject. The output must be correct and complete, with steps in the " +
      "right order, in the form of the examples. Reply with one JSON object with instruction, input and output, and nothing else.";
    const own = seed + i;
    const reply = await teacher.ask({ prompt, schema, maxTokens: 1024, seed: own, signal });
    onProgress?.(i + 1);
    const reject = (reason: string) => found.rejected.push({ from, reason, reply: reply ?? "" });
    const pair = readPair(parseReply(reply));
    if (pair === undefined) {
      reject(
        reply === undefined
          ? CUT
          : "the reply is not a JSON object with the texts instruction, input and output",
      );
      continue;
    }
    if (pair.instruction === "" || pair.output === "") {
      reject("its instruction or output is empty");
      continue;
    }
    const whole = wholeText(pair);
    if (texts.some((one) => wordSimilarity(one, whole) >= TOO_ALIKE)) {
      reject("it is nearly equal to an entry that is there");
      continue;
    }
    texts.push(whole);
    const source = `pair by ${teacher.name} like entries ${from.map((at) => at + 1).join(", ")}`;
    found.proposals.push({
      ...{ kind: "pair", from, entry: { ...pair, ...(topic !== undefined && { topic }), source } },
      ...{ teacher: teacher.name, seed: own, prompt: await shortHash(prompt) },
    });
  }
  return found;
}

const wholeText = ({ instruction, input, output }: InstructionEntry) =>
  [instruction, input, output].join("\n");

function readPair(value: unknown): InstructionEntry | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { instruction, input = "", output } = value as Record<string, unknown>;
  const texts = [instruction, input, output];
  if (texts.some((text) => typeof text !== "string")) return undefined;
  const [asked, given, answer] = (texts as string[]).map((text) => text.trim());
  return { instruction: asked, input: given, output: answer };
}

function assertCount(action: string, count: number): void {
  if (Number.isInteger(count) && count > 0) return;
  throw new RangeError(`Cannot ${action} with ${count}: expected a positive integer`);
}
