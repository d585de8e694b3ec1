/** A judge's card: what is known of it before its scores are believed. */
import { spearman } from "../agreement.ts";
import { type Judge, judgeResponses } from "../judge.ts";
import type { ResponseEntry } from "../responses.ts";
import { checkTrust, judgeScorer, type TrustReport } from "../trust.ts";
import { judgePairs, type PairQuestion } from "./pairwise.ts";
import type { JudgeQuestion } from "./question.ts";
import { assertKnownOptions, type OptionNames } from "../../options.ts";

/** What a judge does with answers of known quality. */
export interface JudgeCard {
  /** The judge's name. */
  readonly judge: string;
  /** Its signature: settings, the question's hash, the model's digest. */
  readonly signature: string;
  /** Whether it tells correct answers from others. */
  readonly trust: TrustReport;
  /** On how many of the pairs both orders gave the same, as a fraction; `null` without a second model's answers. */
  readonly orderConsistency: number | null;
  /** Points that 100 more words of a response bring, by least squares; `null` if lengths or scores are too few. */
  readonly lengthSlope: number | null;
  /** Spearman's correlation of its scores with people's; `null` if there are none. */
  readonly agreement: number | null;
}

/** Options of {@linkcode judgeCard}. */
export interface JudgeCardOptions {
  /** The same entries with another model's answers, for pairs in both orders. */
  readonly other?: readonly ResponseEntry[];
  /** People's scores of the responses, in order; `null` where there is none. */
  readonly human?: readonly (number | null)[];
  /** Seed of the trust check. 123 by default. */
  readonly seed?: number;
  /** What is asked about a response; scores are on its scale. By default a score from 0 to 100, as in Raschka's chapter 7. */
  readonly question?: JudgeQuestion;
  /** What is asked about two responses. */
  readonly pairQuestion?: PairQuestion;
}

const NAMES: OptionNames<JudgeCardOptions> = {
  other: true,
  human: true,
  seed: true,
  question: true,
  pairQuestion: true,
};

/**
 * Makes a judge's card. It asks three questions per entry for the trust check, one for the responses, and two more where
 * another model's answers are given.
 *
 * @param judge The judge.
 * @param entries At least two entries with references and a model's responses.
 * @param options Another model's answers, and people's scores.
 * @returns The card.
 * @throws {RangeError} If there are fewer than two entries, or the numbers of human scores or other answers differ.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { judgeCard } from "tunebook/eval";
 *
 * const judge = { name: "fifty", settings: {}, ask: () => Promise.resolve({ reply: "50", cut: false }) };
 * const answered = ["Red.", "Dark red."].map((model_response) => (
 *   { instruction: "Name a colour.", input: "", output: "Blue.", model_response }
 * ));
 * const { trust, lengthSlope } = await judgeCard(judge, answered);
 * assertEquals([trust.gap, lengthSlope], [0, 0]); // not to be trusted
 * ```
 */
export async function judgeCard(
  judge: Judge,
  entries: readonly ResponseEntry[],
  options: JudgeCardOptions = {},
): Promise<JudgeCard> {
  assertKnownOptions("make a judge's card", options, NAMES);
  const { other, human, seed = 123, question, pairQuestion } = options;
  const asking = { ...(question && { question }) };
  if (human !== undefined && human.length !== entries.length) {
    throw new RangeError(
      `Cannot compare ${entries.length} responses with ${human.length} human scores: expected equal numbers`,
    );
  }
  const trust = await checkTrust(entries, judgeScorer(judge, asking), { seed });
  const { outcomes, signature } = await judgeResponses(entries, judge, asking);
  const pairs = other &&
    await judgePairs(entries, other, judge, { ...(pairQuestion && { question: pairQuestion }) });
  const scored = outcomes.flatMap((outcome, i) =>
    outcome.status === "scored"
      ? { score: outcome.score, words: wordCount(entries[i]), human: human?.[i] ?? null }
      : []
  );
  const rated = scored.filter((one) => one.human !== null);
  return {
    judge: judge.name,
    signature,
    trust,
    orderConsistency: pairs?.consistency ?? null,
    lengthSlope: slope(scored.map(({ words }) => words / 100), scored.map(({ score }) => score)),
    agreement: rated.length < 2
      ? null
      : spearman(rated.map(({ score }) => score), rated.map((one) => one.human!)),
  };
}

const wordCount = ({ model_response }: ResponseEntry) =>
  model_response.split(/\s+/).filter((word) => word !== "").length;

/** The slope of the line of least squares. */
function slope(x: readonly number[], y: readonly number[]): number | null {
  const mean = (values: readonly number[]) =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  const [middleX, middleY] = [mean(x), mean(y)];
  const squares = x.reduce((sum, value) => sum + (value - middleX) ** 2, 0);
  if (x.length < 2 || squares === 0) return null;
  return x.reduce((sum, value, i) => sum + (value - middleX) * (y[i] - middleY), 0) / squares;
}
