/**
 * A language model as judge: it is asked for a score from 0 to 100 for each response, and every
 * reply is recorded.
 */
import { recordProvenance } from "../provenance.ts";
import { type JudgeQuestion, RASCHKA_QUESTION, type ReplyForm } from "./judges/question.ts";
import { readScore } from "./judges/read_reply.ts";
import { describeOutcomes, hashOf, recordedOutcomes } from "./replay.ts";
import type { ResponseEntry } from "./responses.ts";
import type { JudgeFailure, JudgeOutcome } from "./outcome.ts";
import { assertKnownOptions, type OptionNames } from "../options.ts";

/**
 * The error if a judge gave no reply; the message says why and what to do.
 *
 * @example A judge that gives no reply
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { judgeResponses } from "tunebook";
 * import { JudgeError } from "tunebook/eval";
 *
 * const judge = {
 *   name: "away",
 *   settings: {},
 *   ask: () => Promise.reject(new JudgeError("timeout", "The judge did not reply")),
 * };
 * const answered = [
 *   { instruction: "Name a colour.", input: "", output: "Blue.", model_response: "Red." },
 * ];
 * const { failed, problems } = await judgeResponses(answered, judge);
 * assertEquals([failed, problems[0].message], [1, "The judge did not reply"]);
 * ```
 */
export class JudgeError extends Error {
  /** The name of the error class. */
  override readonly name = "JudgeError";
  /** The kind of failure. */
  readonly reason: JudgeFailure;

  /**
   * Makes an error.
   *
   * @param reason The kind of failure.
   * @param message What happened, and what to do.
   * @param options The cause of the error.
   */
  constructor(reason: JudgeFailure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

/** Something that answers a prompt. */
export interface Judge {
  /** Its name, for example `"ollama:llama3"`. */
  readonly name: string;
  /** The settings that its replies depend on (seed, context length …), for provenance. */
  readonly settings: Readonly<Record<string, string | number>>;
  /**
   * Asks a question.
   *
   * @param prompt The prompt.
   * @param signal Stops the request.
   * @param form The form of the reply, for a judge that can be held to one; by default a score from 0 to 100.
   * @returns The reply, whether it was cut at the allowed length, and what the model thought before it, if it did.
   * @throws {JudgeError} If no reply came.
   */
  ask(
    prompt: string,
    signal?: AbortSignal,
    form?: ReplyForm,
  ): Promise<{ reply: string; cut: boolean; thought?: string }>;
  /**
   * The digest of the model's weights.
   *
   * @returns The digest; undefined where it is not known.
   */
  digest?(): Promise<string | undefined>;
}

/** A judge's scores of all responses. */
export interface JudgeReport {
  /** The judge's name. */
  judge: string;
  /** All that the scores depend on: settings, question, a hash of the prompt's wording, the model's digest if known. */
  signature: string;
  /** The number of responses: the sum of the next four. */
  examples: number;
  /** How many were scored. */
  scored: number;
  /** In how many replies no score was found. */
  unparsable: number;
  /** How many requests got no reply. */
  failed: number;
  /** How many were not asked about because judging was stopped. */
  notAsked: number;
  /** The mean score; `null` if nothing was scored. */
  average: number | null;
  /**
   * The mean's standard error: two runs' means that differ by less than about twice this cannot be
   * ranked. `null` with fewer than two scores.
   */
  standardError: number | null;
  /** Replies that were more than a number, and what was read as the score, most frequent first. */
  understood: { reply: string; score: number; count: number }[];
  /** The different problems, most frequent first. */
  problems: { message: string; count: number }[];
  /** Each response's outcome, in order. */
  outcomes: JudgeOutcome[];
}

/** Options of {@linkcode judgeResponses}. */
export interface JudgeOptions {
  /** Stops judging; the results so far are reported. */
  signal?: AbortSignal;
  /** Called with each outcome and its index. */
  onOutcome?: (outcome: JudgeOutcome, index: number) => void;
  /** What is asked about each response. By default a score from 0 to 100, as in Raschka's chapter 7. */
  question?: JudgeQuestion;
}

/** The names of {@linkcode JudgeOptions}. */
export const JUDGE_OPTIONS: OptionNames<JudgeOptions> = {
  signal: true,
  onOutcome: true,
  question: true,
};

/** After this many consecutive failures of these kinds, the rest would fail too. */
const GIVE_UP_AFTER: Partial<Record<JudgeFailure, number>> = {
  "model-missing": 1,
  "unreachable": 3,
  "timeout": 3,
};

/**
 * Asks a judge about each response, one after another. Failures of the judge do not end the run:
 * invalid and missing replies are counted, and judging continues. If the judge is not reachable at
 * all, the rest count as failed without waiting for each.
 *
 * An empty response scores 0 without a request, as in Raschka's chapter 7. If the runtime provides
 * the outcomes of an earlier run (`TUNEBOOK_REPLAY`), the same questions are not asked again.
 *
 * @param entries Entries with a model's responses.
 * @param judge The judge.
 * @param options Stopping, and progress.
 * @returns The scores' mean, the counts, and each outcome.
 *
 * @example A judge of one's own
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { judgeResponses } from "tunebook";
 *
 * const judge = {
 *   name: "always 50",
 *   settings: {},
 *   ask: () => Promise.resolve({ reply: "50", cut: false }),
 * };
 * const answered = [
 *   { instruction: "Name a colour.", input: "", output: "Blue.", model_response: "Red." },
 * ];
 * const { average, scored } = await judgeResponses(answered, judge);
 * assertEquals([average, scored], [50, 1]);
 * ```
 */
export async function judgeResponses(
  entries: readonly ResponseEntry[],
  judge: Judge,
  options: JudgeOptions = {},
): Promise<JudgeReport> {
  assertKnownOptions("judge responses", options, JUDGE_OPTIONS);
  const { signal, onOutcome, question = RASCHKA_QUESTION } = options;
  const outcomes: JudgeOutcome[] = [];
  const recorded = await recordedOutcomes(judge.name);
  let gone: JudgeOutcome | undefined; // the judge is not reachable, for this reason
  let failuresInARow = 0;
  for (const [index, entry] of entries.entries()) {
    let outcome: JudgeOutcome;
    const known = await recorded?.(question.prompt(entry));
    if (signal?.aborted) outcome = { status: "not asked" };
    else if (known !== undefined) outcome = known;
    else if (gone && entry.model_response !== "") outcome = gone;
    else outcome = await judgeOne(entry, judge, question, signal);
    outcomes.push(outcome);
    onOutcome?.(outcome, index);
    failuresInARow = outcome.status === "failed" ? failuresInARow + 1 : 0;
    if (outcome.status === "failed") {
      const limit = GIVE_UP_AFTER[outcome.reason] ?? Infinity;
      if (failuresInARow >= limit) gone = outcome;
    }
  }
  const signature = await signatureOf(judge, question, outcomes);
  const report = summarizeOutcomes(judge.name, signature, outcomes);
  // the replies too, because a judge may answer differently next time
  const replies = outcomes.map((outcome) => "reply" in outcome ? outcome.reply : null);
  const replay = await describeOutcomes(entries.map(question.prompt), outcomes);
  await recordProvenance("judge", {
    judge: judge.name,
    ...judge.settings,
    signature,
    replies,
    replay,
  });
  return report;
}

/**
 * The question about one response, word for word as in Raschka's chapter 7; of a conversation all messages before the answer
 * stand in the place of the instruction.
 *
 * @param entry The entry and the model's response.
 * @returns The prompt.
 *
 * @example
 * ```ts
 * import { assertStringIncludes } from "@std/assert";
 * import { judgePrompt } from "tunebook/eval";
 *
 * const answered = [
 *   { instruction: "Name a colour.", input: "", output: "Blue.", model_response: "Red." },
 * ];
 * assertStringIncludes(judgePrompt(answered[0]), "score the model response `Red.`");
 * ```
 */
export function judgePrompt(entry: ResponseEntry): string {
  return RASCHKA_QUESTION.prompt(entry);
}

/**
 * Finds a score in a reply as people write them: `85`, `85.`, `85/100`, `**85**`, `Score: 85`, `[[85]]`, after thinking aloud
 * or with an explanation.
 *
 * @param reply The judge's reply.
 * @returns The integer from 0 to 100; `undefined` if there is none, several that differ, or one of another scale.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseScore } from "tunebook/eval";
 *
 * assertEquals(["85", "**85/100**", "<think>Hm, 20?</think> Score: 85."].map(parseScore), [85, 85, 85]);
 * assertEquals(["8/10", "101", "70 or 80"].map(parseScore), [undefined, undefined, undefined]);
 * ```
 */
export function parseScore(reply: string): number | undefined {
  return readScore(reply)?.score;
}

/**
 * Summarizes a report in one sentence.
 *
 * @param report The report.
 * @returns For example `"ollama:llama3: 50.32 ± 3.30 over 105 of 110 responses, 3 unparsable, 2 failed"`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { describeJudgement, judgeResponses } from "tunebook";
 *
 * const judge = {
 *   name: "always 50",
 *   settings: {},
 *   ask: () => Promise.resolve({ reply: "50", cut: false }),
 * };
 * const answered = [
 *   { instruction: "Name a colour.", input: "", output: "Blue.", model_response: "Red." },
 * ];
 * const report = await judgeResponses(answered, judge);
 * assertEquals(describeJudgement(report), "always 50: 50.00 over 1 of 1 responses");
 * ```
 */
export function describeJudgement(report: JudgeReport): string {
  const { average, standardError, scored, examples } = report;
  const counts = (["unparsable", "failed", "notAsked"] as const)
    .filter((kind) => report[kind] > 0)
    .map((kind) => `, ${report[kind]} ${kind === "notAsked" ? "not asked" : kind}`);
  const mean = average === null
    ? "no score"
    : `${average.toFixed(2)}${standardError === null ? "" : ` ± ${standardError.toFixed(2)}`} over`;
  return `${report.judge}: ${mean} ${
    average === null ? "for any" : scored
  } of ${examples} responses` +
    counts.join("");
}

async function judgeOne(
  entry: ResponseEntry,
  judge: Judge,
  question: JudgeQuestion,
  signal: AbortSignal | undefined,
): Promise<JudgeOutcome> {
  const { scale } = question;
  if (entry.model_response === "") return { status: "scored", score: scale.least, reply: "" };
  try {
    const { reply, cut, thought } = await judge.ask(question.prompt(entry), signal, question.form);
    const found = readScore(reply, scale);
    // at the end of a truncated reply a number may lack digits
    if (found !== undefined && !(cut && /\d$/.test(reply))) {
      const { score, understood } = found;
      const plain = reply.trim() === `${score}`;
      return { status: "scored", score, reply, ...(!plain && { understood }) };
    }
    const message = cut && thought !== undefined && reply.trim() === ""
      ? "The judge spent the tokens of its reply on thinking: use a model that can answer without"
      : cut
      ? "The judge's reply was cut before it was a number"
      : `The judge's reply is not an integer from ${scale.least} to ${scale.most}`;
    return { status: "unparsable", reply, message };
  } catch (error) {
    if (error instanceof JudgeError) {
      return { status: "failed", reason: error.reason, message: error.message };
    }
    if (signal?.aborted) return { status: "not asked" };
    throw error;
  }
}

/** All that a judge's scores depend on. The digest is asked for last: a judge that gave no reply is not asked for more. */
async function signatureOf(
  judge: Judge,
  question: JudgeQuestion,
  outcomes: readonly JudgeOutcome[],
): Promise<string> {
  const wording = question.prompt({
    instruction: "{instruction}",
    input: "{input}",
    output: "{output}",
    model_response: "{model_response}",
  });
  const replied = outcomes.some(({ status }) => status === "scored" || status === "unparsable");
  const digest = replied ? await judge.digest?.() : undefined;
  return [
    `judge:${judge.name}`,
    `question:${question.name}`,
    `prompt:${await hashOf(wording)}`,
    `scale:${question.scale.least}-${question.scale.most}`,
    ...Object.entries(judge.settings).map(([name, value]) => `${name}:${value}`),
    ...(digest === undefined ? [] : [`digest:${digest}`]),
  ].join("|");
}

function summarizeOutcomes(
  judge: string,
  signature: string,
  outcomes: JudgeOutcome[],
): JudgeReport {
  const scores = outcomes.flatMap((outcome) => outcome.status === "scored" ? outcome.score : []);
  const n = scores.length;
  const average = n > 0 ? scores.reduce((sum, score) => sum + score, 0) / n : null;
  const squares = scores.reduce((sum, score) => sum + (score - average!) ** 2, 0);
  const count = (status: JudgeOutcome["status"]) =>
    outcomes.filter((outcome) => outcome.status === status).length;
  const messages = outcomes.flatMap((outcome) => "message" in outcome ? outcome.message : []);
  const understood = outcomes.filter((outcome) =>
    outcome.status === "scored" && outcome.understood !== undefined
  ) as { reply: string; score: number }[];
  return {
    judge,
    signature,
    examples: outcomes.length,
    scored: n,
    unparsable: count("unparsable"),
    failed: count("failed"),
    notAsked: count("not asked"),
    average,
    standardError: n > 1 ? Math.sqrt(squares / (n - 1) / n) : null,
    understood: [...Map.groupBy(understood, ({ reply }) => reply).values()]
      .map((same) => ({ reply: same[0].reply, score: same[0].score, count: same.length }))
      .sort((a, b) => b.count - a.count),
    problems: [...Map.groupBy(messages, (message) => message)]
      .map(([message, same]) => ({ message, count: same.length }))
      .sort((a, b) => b.count - a.count),
    outcomes,
  };
}
