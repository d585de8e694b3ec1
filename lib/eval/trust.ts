/** Whether a judge can be trusted: it scores answers of known quality. */
import { assertKnownOptions, type OptionNames } from "../options.ts";
import { Random } from "../random.ts";
import type { InstructionEntry } from "../dataset/entry.ts";
import { type Judge, JUDGE_OPTIONS, type JudgeOptions, judgeResponses } from "./judge.ts";
import { findMetric } from "./metrics/mod.ts";
import type { ResponseEntry } from "./responses.ts";

/** Scores of entries in order; undefined for replies without a score. */
export type Scorer = (entries: readonly ResponseEntry[]) => Promise<(number | undefined)[]>;

/** The scores of answers of one kind. */
export interface TrustPart {
  /** The mean score; `null` if there is none. */
  mean: number | null;
  /** How many answers got a score. */
  scored: number;
  /** How many answers got none. */
  unscored: number;
  /** Each answer's score. */
  scores: (number | undefined)[];
}

/** A judge's scores of answers of known quality. */
export interface TrustReport {
  /** The references themselves. */
  gold: TrustPart;
  /** References of other entries: fluent and wrong. */
  shuffled: TrustPart;
  /** One word that is not an answer. */
  empty: TrustPart;
  /**
   * The mean of gold answers minus the higher mean of the others, on the scale of 0 to 100; `null`
   * if one of them has no score.
   */
  gap: number | null;
  /**
   * How often a gold answer scored higher than the shuffled one of the same entry; ties count half,
   * 0.5 is chance.
   */
  ranked: number | null;
}

/** Options of {@linkcode checkTrust} and {@linkcode shuffledAnswers}. */
export interface ShuffleOptions {
  /**
   * Seed of the assignment of references to entries.
   *
   * @default {123}
   */
  readonly seed?: number;
}

const NAMES: OptionNames<ShuffleOptions> = { seed: true };

/** The answer without content; an empty one would not be judged. */
const NOTHING = "…";

/**
 * Checks a judge before it is used: it scores the references, references of other entries, and
 * answers without content. A judge that cannot distinguish these says nothing about models.
 *
 * @param entries Entries with references, at least two.
 * @param scorer The judge: see {@linkcode judgeScorer} and {@linkcode rougeScorer}.
 * @param options The seed that assigns references to other entries.
 * @returns Means, counts, and the gap.
 * @throws {RangeError} If there are fewer than two entries.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { checkTrust, rougeScorer } from "tunebook/eval";
 *
 * const entries = [
 *   { instruction: "Name a colour.", input: "", output: "Blue." },
 *   { instruction: "Name a fruit.", input: "", output: "An apple." },
 * ];
 * const { gold, shuffled, gap } = await checkTrust(entries, rougeScorer());
 * assertEquals([gold.mean, shuffled.mean, gap], [100, 0, 100]); // it tells right answers from wrong ones
 * ```
 */
export async function checkTrust(
  entries: readonly InstructionEntry[],
  scorer: Scorer,
  options: ShuffleOptions = {},
): Promise<TrustReport> {
  assertKnownOptions("check a judge", options, NAMES);
  if (entries.length < 2) {
    throw new RangeError(`Cannot shuffle ${entries.length} answers: expected at least two`);
  }
  const answer = (responses: readonly string[]) =>
    scorer(entries.map((entry, i) => ({ ...entry, model_response: responses[i] })));
  const gold = partOf(await answer(entries.map(({ output }) => output)));
  const shuffled = partOf(await answer(shuffledAnswers(entries, options)));
  const empty = partOf(await answer(entries.map(() => NOTHING)));
  const known = [gold, shuffled, empty].every(({ mean }) => mean !== null);
  return {
    gold,
    shuffled,
    empty,
    gap: known ? gold.mean! - Math.max(shuffled.mean!, empty.mean!) : null,
    ranked: rankedShare(gold.scores, shuffled.scores),
  };
}

/**
 * Assigns each entry the reference of another.
 *
 * @param entries The entries, at least two.
 * @param options The seed that decides the order.
 * @returns One answer per entry, never its own.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { shuffledAnswers } from "tunebook/eval";
 *
 * const entries = [
 *   { instruction: "Name a colour.", input: "", output: "Blue." },
 *   { instruction: "Name a fruit.", input: "", output: "An apple." },
 * ];
 * assertEquals(shuffledAnswers(entries, { seed: 1 }), ["An apple.", "Blue."]);
 * ```
 */
export function shuffledAnswers(
  entries: readonly InstructionEntry[],
  options: ShuffleOptions = {},
): string[] {
  assertKnownOptions("shuffle answers", options, NAMES);
  // Shifting along one random cycle through all entries gives each the reference of another.
  const cycle = new Random(options.seed ?? 123).shuffle([...entries.keys()]);
  const answers = new Array<string>(entries.length);
  cycle.forEach((at, i) => answers[at] = entries[cycle[(i + 1) % cycle.length]].output);
  return answers;
}

/**
 * A language model as scorer, from 0 to 100.
 *
 * @param judge The judge.
 * @param options Stopping, and progress.
 * @returns The scorer; invalid and missing replies are undefined.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { judgeScorer } from "tunebook/eval";
 *
 * const score = judgeScorer({
 *   name: "always 50",
 *   settings: {},
 *   ask: () => Promise.resolve({ reply: "50", cut: false }),
 * });
 * const answered = [
 *   { instruction: "Name a colour.", input: "", output: "Blue.", model_response: "Red." },
 * ];
 * assertEquals(await score(answered), [50]);
 * ```
 */
export function judgeScorer(judge: Judge, options: JudgeOptions = {}): Scorer {
  assertKnownOptions("judge responses", options, JUDGE_OPTIONS);
  return async (entries) => {
    const { outcomes } = await judgeResponses(entries, judge, options);
    return outcomes.map((outcome) => outcome.status === "scored" ? outcome.score : undefined);
  };
}

/**
 * ROUGE-L as scorer, on the judge's scale.
 *
 * @returns The scorer: 100 times the F-measure.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { rougeScorer } from "tunebook/eval";
 *
 * const answered = [
 *   { instruction: "Name a colour.", input: "", output: "Blue.", model_response: "Blue." },
 * ];
 * assertEquals(await rougeScorer()(answered), [100]);
 * ```
 */
export function rougeScorer(): Scorer {
  return metricScorer("rougeL");
}

/**
 * A metric of the table as scorer, on the judge's scale: whether it tells good answers from bad ones on these entries, where
 * one in their form but with another content is what it is to find.
 *
 * @param name The metric, such as `"meteor"` or `"bleu:char"`.
 * @returns The scorer, from 0 to 100.
 * @throws {RangeError} If there is no such metric, or it has no best score, as perplexity.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { checkTrust, metricScorer } from "tunebook/eval";
 *
 * const entries = [
 *   { instruction: "Name a colour.", input: "", output: "Blue." },
 *   { instruction: "Name a fruit.", input: "", output: "An apple." },
 * ];
 * const { gold, gap } = await checkTrust(entries, metricScorer("f1"));
 * assertEquals([gold.mean, gap], [100, 100]);
 * ```
 */
export function metricScorer(name: string): Scorer {
  const { metric: { top }, measure } = findMetric(name);
  if (top === undefined) {
    throw new RangeError(`Cannot score from 0 to 100 by "${name}": it has no best score`);
  }
  const one = measure.each ?? measure.score;
  return (entries) =>
    Promise.resolve(
      entries.map((entry, index) => 100 / top * one([...measure.measure(entry, index)])),
    );
}

function partOf(scores: (number | undefined)[]): TrustPart {
  const given = scores.filter((score) => score !== undefined);
  return {
    mean: given.length === 0 ? null : given.reduce((sum, score) => sum + score, 0) / given.length,
    scored: given.length,
    unscored: scores.length - given.length,
    scores,
  };
}

function rankedShare(
  better: readonly (number | undefined)[],
  worse: readonly (number | undefined)[],
): number | null {
  let [pairs, wins] = [0, 0];
  for (const [i, score] of better.entries()) {
    const other = worse[i];
    if (score === undefined || other === undefined) continue;
    pairs++;
    wins += score > other ? 1 : score === other ? 0.5 : 0;
  }
  return pairs === 0 ? null : wins / pairs;
}
